"""The policies, where their SQL lies, and how it is written for each engine.

SQL is written once, in Athena's dialect, and rendered with every name quoted: on Spark a bare "user" would be a string.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract import tables
from stedi.contract.errors import BadInput
from stedi.contract.identity import ASCII_BLANKS, BLANKS
from stedi.contract.policies import policy as _policy

if TYPE_CHECKING:
    from sqlglot import exp

FOLDER = Path(__file__).parent / "sql"
DIALECTS = {"duckdb": "duckdb", "spark": "spark", "athena": "athena"}
KEY_TABLE = "pseudonym_key"  # one row: secret, inner_pad, outer_pad; see `keys.py`
RUN_START = "run_start()"  # when the run began, in milliseconds since 1970: no consent may be later

# pseudonym(value): HMAC-SHA256 of a text, in lower-case hex. The key is read from its table and stands in no statement.
_PSEUDONYM = {
    "duckdb": "sha256((select outer_pad from pseudonym_key) || unhex(sha256("
    "(select inner_pad from pseudonym_key) || encode({0}))))",
    "spark": "sha2(concat((select outer_pad from pseudonym_key), unhex(sha2(concat("
    "(select inner_pad from pseudonym_key), cast({0} as binary)), 256))), 256)",
    "athena": "lower(to_hex(hmac_sha256(to_utf8({0}), (select secret from pseudonym_key))))",
}

# row_hash(value, …): 64 bits that tell rows apart, where keeping the rows themselves would take too much memory.
_ROW_HASH = {
    "duckdb": "hash({0})",
    "spark": "xxhash64({0})",
    "athena": "from_big_endian_64(xxhash64(to_utf8(json_format(cast(row({0}) as json)))))",
}
# identity(value): `normalise_identity` of a text. ASCII, which is nearly all there is, needs no more than lower().
# DuckDB has no NFKC and asks Python (`engines/parquet_reader.py`), Spark the ICU that it comes with. Of what was
# decomposed Trino's lower() folds all but the letters that become two, and those of `_trino_identity`.
FULL_IDENTITY = "full_identity"
_TRINO_TWO = {"\u00df": "ss", "\u1e9e": "ss"}
_ICU = "reflect('com.ibm.icu.text.Normalizer', '{}', {}, true)"
_ICU_FOLD = "reflect('com.ibm.icu.lang.UCharacter', 'foldCase', {}, true)"
_IDENTITY = {
    "duckdb": f"case when strlen({{0}}) = length({{0}}) then lower(trim({{0}}, '{ASCII_BLANKS}')) "
    f"else {FULL_IDENTITY}({{0}}) end",
    "spark": f"case when {{0}} is null then null "
    f"when octet_length({{0}}) = char_length({{0}}) then lower(trim(both '{ASCII_BLANKS}' from {{0}})) "
    f"else trim(both '{BLANKS}' from "
    f"{_ICU.format('compose', _ICU_FOLD.format(_ICU.format('decompose', '{0}')))}) end",
    "athena": "",  # made on first use: see `_trino_identity`
}
_MACROS = {"pseudonym": _PSEUDONYM, "row_hash": _ROW_HASH, "identity": _IDENTITY}
_OF_ONE_VALUE = ("pseudonym", "identity")


def folders(table: str, policy: str) -> tuple[str, ...]:
    """The folders that may hold a table's SQL and suite, the policy's own first. Raises BadInput: no such policy."""
    fallbacks = _policy(policy).folders
    return ("landing",) if tables.table(table).zone == "landing" else fallbacks


def find(table: str, policy: str = "course") -> Path:
    """The file that defines a table under a policy: `sql/<policy>/<table>.sql`, or that of a fallback."""
    candidates = [FOLDER / folder / f"{table}.sql" for folder in folders(table, policy)]
    return next(path for path in candidates if path.exists())


def read(table: str, policy: str = "course") -> str:
    """A table's SQL as it is written, in Athena's dialect."""
    return find(table, policy).read_text(encoding="utf-8").rstrip()


def bind(sql: str, run_start: int) -> str:
    """The SQL with the start of the run (milliseconds since 1970) in place of `run_start()`."""
    return sql.replace(RUN_START, str(int(run_start)))


def needs_key(sql: str) -> bool:
    """Whether a select makes pseudonyms, so that the engine has to have their key."""
    return "pseudonym(" in sql.lower()


def identity(value: str) -> str:
    """The macro `identity` of an expression in DuckDB's own dialect."""
    return _IDENTITY["duckdb"].format(value)


def as_matched(select: str, policy: str) -> str:
    """A select that compares by `identity()` for a policy: one that matches values as written compares just these."""
    return select if _policy(policy).by_identity else select.replace("identity(", "(")


def render(sql: str, engine: str, columns: dict[str, dict[str, str]] | None = None) -> str:
    """A select of Athena's dialect in the dialect of an engine, names quoted. Raises BadInput for anything else.

    `columns`, {table: {name: type}}, lets whole numbers divide to whole numbers on an engine that would not do so.
    """
    if columns is None:
        return _render_untyped(sql, engine)
    from sqlglot.optimizer.annotate_types import annotate_types

    schema: dict[str, object] = {**columns}
    return _write(annotate_types(_parse(sql, engine), schema=schema, dialect="athena"), engine)


@cache
def _render_untyped(sql: str, engine: str) -> str:
    """Kept, for a run renders the same SQL several times: to build, to compare policies, to show what failed."""
    return _write(_parse(sql, engine), engine)


def _write(statement: "exp.Expr", engine: str) -> str:
    return statement.sql(DIALECTS[engine], identify=True, comments=False)


def parse(sql: str) -> "exp.Query":
    """The one select that a text is, read as Athena's dialect. Raises BadInput for anything else."""
    import logging

    import sqlglot
    from sqlglot import exp

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it only warns of is refused below, in our words
    try:
        statements = sqlglot.parse(sql, read="athena")
    except sqlglot.errors.SqlglotError as error:
        place = (getattr(error, "errors", None) or [{"description": str(error)}])[0]
        where = f"line {place['line']}, column {place['col']}: " if "line" in place else ""
        raise BadInput(
            f"The SQL cannot be read as Athena's dialect: {where}{place['description']}. Given: {sql!r}. "
            "Expected: one select over the tables."
        ) from None
    except RecursionError:
        raise BadInput("The SQL is nested too deeply to be read. Expected: one select.") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise BadInput(f"One select is expected. Given: {sql!r}")
    return statements[0]


def _parse(sql: str, engine: str) -> "exp.Expr":
    """The one select, with the engine's own expressions in place of the macros."""
    import sqlglot
    from sqlglot import exp

    def expand_macro(node: exp.Expr) -> exp.Expr:
        macro = _MACROS.get(node.name.lower()) if isinstance(node, exp.Anonymous) else None
        if macro is None:
            return node
        name = node.name.lower()
        if name in _OF_ONE_VALUE and len(node.expressions) != 1:
            raise BadInput(f"{name}() takes one value. Given: {sql!r}")
        arguments = (each.transform(expand_macro) for each in node.expressions)
        values = ", ".join(each.sql(DIALECTS[engine], identify=True) for each in arguments)
        template = macro[engine] or _trino_identity()
        return sqlglot.parse_one(template.format(values), read=DIALECTS[engine])

    return parse(sql).transform(expand_macro)


@cache
def _trino_identity() -> str:
    """NFKC of what is decomposed and folded, without blanks, by Trino's functions.

    A text has its letters changed one by one, so a table of those that lower() does not fold can be made here, once.
    """
    import unicodedata

    decomposed = [each for each in map(chr, range(0x110000)) if unicodedata.normalize("NFKD", each) == each]
    differing = {each.lower(): each.casefold() for each in decomposed if each.lower() != each.casefold()}
    single = {lower: folded for lower, folded in differing.items() if len(folded) == 1}
    text = "normalize({0}, NFKD)"
    for letter, two in _TRINO_TWO.items():
        text = f"replace({text}, '{letter}', '{two}')"
    text = f"translate(lower({text}), '{''.join(single)}', '{''.join(single.values())}')"
    return f"trim(both '{BLANKS}' from normalize({text}, NFKC))"
