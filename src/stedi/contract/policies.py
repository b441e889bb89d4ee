"""The policies: whose rules turn landing into trusted and curated tables.

A policy is a folder of SQL and a folder of suites; each holds only what differs from the policy it falls back on.
"""

from dataclasses import dataclass

from stedi.contract.errors import BadInput


@dataclass(frozen=True)
class Policy:
    """`rules` is how a verdict names them; `folders` are searched in this order, its own first.

    Addresses and serial numbers are the same as written, or `by_identity`.
    """

    name: str
    rules: str
    folders: tuple[str, ...]
    by_identity: bool = False


POLICIES = {
    policy.name: policy
    for policy in (
        Policy("course", "the course's rules", ("course",)),
        Policy("standout", "the course's stand-out rules", ("standout", "course")),
        Policy("strict", "the strict privacy rules", ("strict", "standout", "course"), by_identity=True),
    )
}


def policy(name: str) -> Policy:
    """The policy of that name. Raises BadInput where there is none."""
    if name not in POLICIES:
        raise BadInput(f"There is no policy {name!r}. Choose one of: {', '.join(POLICIES)}.")
    return POLICIES[name]
