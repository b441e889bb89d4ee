"""Landing data that is valid and from which no row can reach the final table, each for a reason of its own."""

from rows import customer, phone, trainer

NAMES = [f"p{number}" for number in range(6)]  # they move at the same times, as people in the course's data do
TIMES = (10, 20, 30)
Landed = dict[str, list[dict]]


def moving(people: list[dict] | None = None, **changes: list[dict]) -> Landed:
    """Six people who consent, with three readings of each kind; what is given stands in place of that."""
    landed = {
        "customer_landing": [customer(name) for name in NAMES] if people is None else people,
        "accelerometer_landing": [phone(name, at) for name in NAMES for at in TIMES],
        "step_trainer_landing": [trainer(name, at) for name in NAMES for at in TIMES],
    }
    return landed | changes


def shared(devices: int, people: int, records: int = 1) -> Landed:
    """So many people with so many records each, who share so few devices among them, one after the other."""
    names = [f"p{number}" for number in range(people)]
    held = [f"device-{number % devices}" for number in range(people)]
    return {
        "customer_landing": [
            customer(name, updated=record, device=device)
            for name, device in zip(names, held, strict=True)
            for record in range(records)
        ],
        "accelerometer_landing": [phone(name, at) for name in names for at in TIMES],
        "step_trainer_landing": [trainer(str(number), at) for number in range(devices) for at in TIMES],
    }


FRUITLESS: dict[str, Landed] = {
    "no customers": moving([]),
    "no phone readings": moving(accelerometer_landing=[]),
    "no trainer readings": moving(step_trainer_landing=[]),
    "nothing at all": moving([], accelerometer_landing=[], step_trainer_landing=[]),
    "nobody consents": moving([customer(name, consent=None) for name in NAMES]),
    "phone readings of strangers": moving(accelerometer_landing=[phone("stranger", at) for at in TIMES]),
    "phone readings of people who do not consent": moving(
        [*(customer(name) for name in NAMES), customer("silent", consent=None)],
        accelerometer_landing=[phone("silent", at) for at in TIMES],
    ),
    "trainer readings of strangers": moving(step_trainer_landing=[trainer("stranger", at) for at in TIMES]),
    "trainer readings of people who do not consent": moving(
        [*(customer(name) for name in NAMES), customer("silent", consent=None)],
        step_trainer_landing=[trainer("silent", at) for at in TIMES],
    ),
    "trainer readings of people without a phone": moving(
        [*(customer(name) for name in NAMES), customer("still")],
        step_trainer_landing=[trainer("still", at) for at in TIMES],
    ),
    "readings older than consent": moving([customer(name, consent=99) for name in NAMES]),
    "trainer readings older than consent": moving(
        [customer(name, consent=15) for name in NAMES],
        accelerometer_landing=[phone(name, 20) for name in NAMES],
        step_trainer_landing=[trainer(name, 10) for name in NAMES],
    ),
    "every device shared": shared(devices=3, people=10),
    "every device shared, several records": shared(devices=3, people=10, records=2),
    "two people, one device": shared(devices=1, people=2),
    "times never meet": moving(step_trainer_landing=[trainer(name, at + 1) for name in NAMES for at in TIMES]),
    "each moves at a time of their own": moving(
        accelerometer_landing=[phone(name, 2 * place) for place, name in enumerate(NAMES)],
        step_trainer_landing=[trainer(name, 2 * place + 2) for place, name in enumerate(NAMES)],
    ),
    "consent in the future": moving([customer(name, consent=10**13) for name in NAMES]),
    "one row of each": moving(
        [customer("ann")], accelerometer_landing=[phone("bob", 10)], step_trainer_landing=[trainer("cat", 10)]
    ),
    "one customer": moving([customer("ann")], accelerometer_landing=[], step_trainer_landing=[]),
    "one reading": moving([], accelerometer_landing=[], step_trainer_landing=[trainer("ann", 10)]),
    "newest record takes the consent back": moving(
        [*(customer(name) for name in NAMES), *(customer(name, consent=None, updated=5) for name in NAMES)]
    ),
}
FRUITFUL: dict[str, Landed] = {
    "half of the devices shared": {name: moving()[name] + shared(devices=2, people=4)[name] for name in moving()},
    "one customer, one pair": moving(
        [customer("ann")], accelerometer_landing=[phone("ann", 10)], step_trainer_landing=[trainer("ann", 10)]
    ),
    "a customer with two devices": moving(
        [customer("ann"), customer("ann", updated=5, device="device-other"), customer("bob")],
        accelerometer_landing=[phone("ann", 10), phone("bob", 20)],
        step_trainer_landing=[trainer("ann", 10), trainer("other", 10), trainer("bob", 20)],
    ),
}
