"""What `stedi inspect` found, as a page of text."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from stedi.contract import tables
from stedi.contract.forms import FORMS
from stedi.report.landing import count_normalised
from stedi.report.text import kind_of_data, make_legible, shorten
from stedi.results.model.inspection import Customers, Ending, InspectedTable, Inspection
from stedi.results.model.landing import LandedTable, Refused

WIDTH = 100
_GROUPS = 8  # of faults, of each table
_FILES = 3  # of each group
_EXAMPLES = 3  # of each file
_OF_UNITS = ("looks like", "a date in text")  # in the reasons that are about units of time


def text(inspection: Inspection) -> str:
    """The page."""
    shown: Inspection = make_legible(inspection)
    accounts = [each.account for each in shown.tables if each.account]
    parts = [
        _data(shown),
        _tables(shown.tables, shown.source),
        _forms(accounts),
        _faults(accounts),
        _section("Repeated", _repeated(shown)),
        _section("Consent and devices", _customers(shown.customers)) if shown.customers else [],
        _section("What no run takes in", shown.obstacles) if shown.obstacles else [],
        _endings(shown),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _section(title: str, sentences: Sequence[str]) -> list[str]:
    return [title, *(line for each in sentences for line in _wrapped(each))]


def _wrapped(sentence: str, indent: str = "  ") -> Iterator[str]:
    """A text in lines that a terminal shows whole; its own line breaks stay."""
    for line in sentence.splitlines():
        own = indent + line[: len(line) - len(line.lstrip())]
        yield from textwrap.wrap(
            line.strip(), WIDTH, initial_indent=own, subsequent_indent=f"{own}  ", break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip


def _data(shown: Inspection) -> list[str]:
    lines = [f"Source  {shown.source}"] if shown.source else []
    if shown.data is None:
        return [*lines, "Data    cannot be told without all three landing tables"]
    kind, means = kind_of_data(shown.data)
    return [
        *lines,
        f"Data    {kind}: {shown.data.name}",
        f"        {means}",
        *(line for fault in shown.data.faults for line in _wrapped(f"fault: {fault}", " " * 8)),
    ]


def _tables(found: Sequence[InspectedTable], source: str) -> list[str]:
    row = "{:<22}{:>6}{:>15}{:>12}{:>12}{:>12}  {}".format
    lines = [row("Table", "files", "bytes", "records", "usable", "unusable", "in")]
    for each in found:
        landed = each.account
        counts = (f"{n:,}" for n in (landed.records, landed.rows, landed.quarantined)) if landed else "---"
        place = each.place.removeprefix(f"{source}/")
        lines.append(row(each.table, f"{each.files_found:,}", f"{each.bytes_found:,}", *counts, place))
    return lines


def _forms(accounts: Sequence[LandedTable]) -> list[str]:
    lines: list[str] = []
    for landed in accounts:
        forms: Counter[str] = Counter()
        compressed: Counter[str] = Counter()
        for file in landed.files:
            forms.update(file.forms)
            compressed.update([file.compression] if file.compression else [])
        said = [f"{n:,} {FORMS[form]}" for form, n in forms.items()]
        said += [f"{n:,} of {len(landed.files):,} files {how}" for how, n in compressed.items()]
        unknown = sorted({key for file in landed.files for key in file.unknown_keys})
        said += [f"keys that are no column: {shorten(', '.join(unknown), 60)}"] if unknown else []
        lines += _wrapped(f"{landed.table}: {', '.join(said) or 'no record'}")
    counted = count_normalised(accounts)
    values = [f"{each['count']:,} of {each['table']}.{each['key']}: {each['kind']}" for each in counted]
    normalised = ["Normalised without a loss:", *(f"  {each}" for each in values)] if values else []
    return ["Forms", *lines, *_section("", normalised or ["No value has to be normalised."])[1:]]


def _faults(accounts: Sequence[LandedTable]) -> list[str]:
    lines: list[str] = []
    for landed in accounts:
        groups: dict[str, list[tuple[str, Refused]]] = {}
        for name, refused in ((file.name, each) for file in landed.files for each in file.refused):
            groups.setdefault(_kind(refused.reason), []).append((name, refused))
        largest = sorted(groups.values(), key=lambda group: -sum(each.records for _, each in group))
        lines += [line for group in largest[:_GROUPS] for line in _fault(landed, group)]
        if len(largest) > _GROUPS:
            lines.append(f"  {landed.table}: and {_number(len(largest) - _GROUPS, 'more reason')}")
    every = [each for landed in accounts for file in landed.files for each in file.refused]
    of_units = sum(each.records for each in every if any(sign in each.reason for sign in _OF_UNITS))
    units = "No time looks like seconds, microseconds, nanoseconds or a date in text."
    if of_units:
        have = _number(of_units, "record has", "records have")
        units = f"{have} a time in another unit than milliseconds since 1970; it is never converted."
    return ["Faults", *(lines or ["  No record is unusable."]), *_wrapped(f"Units: {units}")]


def _fault(landed: LandedTable, group: Sequence[tuple[str, Refused]]) -> Iterator[str]:
    """One kind of reason in a table, and the files in which it stands with examples."""
    records = sum(refused.records for _, refused in group)
    yield from _wrapped(f"{landed.table}: {_number(records, 'record')}: {group[0][1].reason}")
    for name, refused in group[:_FILES]:
        examples = [each for each in landed.faults if each.file == name and _kind(each.reason) == _kind(refused.reason)]
        at = [f"{each.line:,}:{each.position:,}" for each in examples[:_EXAMPLES]]
        where = f"line:position {', '.join(at)}" if at else f"first in line {refused.line:,}"
        yield from _wrapped(f"{name}: {refused.records:,} ({where})", "    ")
    if len(group) > _FILES:
        yield f"    and {_number(len(group) - _FILES, 'more file')}"


def _kind(reason: str) -> str:
    """A reason without the figures in it."""
    return "".join(each for each in reason if not each.isdigit() and each not in ",.")


def _repeated(shown: Inspection) -> list[str]:
    said = [
        f"{each.table}: {_number(each.repeated_rows, 'row is', 'rows are')} another row once more."
        for each in shown.tables
        if each.repeated_rows
    ]
    held = shown.customers
    if held and held.addresses_with_several:
        have = _number(held.addresses_with_several, "address has", "addresses have")
        said.append(f"{have} more than one customer record ({held.records:,} records of {held.addresses:,} addresses).")
    return said or ["No row repeats another, and no address has more than one record."]


def _customers(held: Customers) -> list[str]:
    if not held.records:
        return ["No customer record can be used."]
    share = f" ({held.consented_records / held.records:.0%})"
    consent = f"{held.consented_records:,} of {held.records:,} customer records have a date of consent{share}"
    if held.records != held.addresses:
        consent += f"; {held.consented_addresses:,} of {held.addresses:,} addresses"
    devices = f"Each of the {held.devices:,} serial numbers stands in the records of one address."
    if held.shared_devices:
        stand = "stands" if held.shared_devices == 1 else "stand"
        devices = (
            f"{held.shared_devices:,} of {held.devices:,} serial numbers {stand} in the records of several addresses: "
            f"{held.addresses_sharing:,} addresses share a device."
        )
    return [f"{consent}.", devices]


def _endings(shown: Inspection) -> list[str]:
    row = ("  {:<28}" + "{:>12}" * len(shown.endings)).format
    lines = [row("policy", *(each.policy for each in shown.endings))]
    lines.append(row("exit code as it is", *(str(each.exit_code) for each in shown.endings)))
    if then := _mended(shown):
        codes = [each.exit_code_then for each in shown.endings]
        lines.append(row(then, *("-" if code is None else str(code) for code in codes)))
    for name in tables.NAMES:
        if any(name in each.rows for each in shown.endings):
            rows = (each.rows.get(name) for each in shown.endings)
            lines.append(row(name, *("-" if number is None else f"{number:,}" for number in rows)))
    return ["What `stedi run` would end with", *lines, *_reasons(shown.endings), *_wrapped(_advice(shown))]


def _mended(shown: Inspection) -> str:
    """By what a run can go on that would end with 2; empty where there is nothing to mend."""
    allowance = f"--max-quarantined {shown.max_quarantined}" if shown.max_quarantined else ""
    return "once that is mended" if shown.obstacles else allowance


def _reasons(endings: Sequence[Ending]) -> Iterator[str]:
    """Why a run fails, with the policies under which it does for that reason."""
    by_reason: dict[str, list[str]] = {}
    for each in endings:
        for reason in each.reasons:
            by_reason.setdefault(reason, []).append(each.policy)
    for reason, names in by_reason.items():
        yield from _wrapped(f"{', '.join(names)}: {reason}")


def _advice(shown: Inspection) -> str:
    said = []
    if shown.obstacles:
        said.append("A run ends with 2 (bad input) until what no run takes in is mended.")
    if shown.max_quarantined:
        cannot = _number(shown.max_quarantined, "record", "records")
        allowance = f"--max-quarantined {shown.max_quarantined}"
        said.append(f"{cannot} cannot be used: a run ends with 2 unless {allowance} is given.")
    return " ".join(said)


def _number(rows: int, one: str, many: str = "") -> str:
    return f"{rows:,} {one if rows == 1 else many or one + 's'}"
