"""Athena, over the files of a lakehouse on S3. A run's tables stand in a Glue database of its own until its end."""

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import sqlglot

from stedi.aws import glue
from stedi.aws.cost import Ledger
from stedi.contract import sql
from stedi.contract.errors import BadInput, CouldNotFinish, EngineFailed
from stedi.contract.sql import KEY_TABLE, render
from stedi.contract.tables import Table
from stedi.engines import sql_error, withheld_error
from stedi.engines.limits import Limits
from stedi.storage import keys, layout
from stedi.storage.aws_client import calling, client, wrangler

if TYPE_CHECKING:
    import pandas as pd

    from stedi.storage.record import Cost, RunRecord
    from stedi.storage.s3 import S3Prefix

_PAUSE = 0.25  # seconds between two questions whether a query has ended
_ABOUT_SQL = (  # faults of a statement, whose words cannot quote a value of the data
    "AMBIGUOUS_NAME", "COLUMN_NOT_FOUND", "DUPLICATE_COLUMN_NAME", "EXPRESSION_NOT_AGGREGATE", "FUNCTION_NOT_FOUND",
    "MISMATCHED_COLUMN_ALIASES", "NOT_SUPPORTED", "SYNTAX_ERROR", "TABLE_NOT_FOUND", "TYPE_MISMATCH",
)  # fmt: skip
_LOCATION = re.compile(r"(?<=location ')[^']*(?=')", re.IGNORECASE)
_EMPTY = {"varchar": "string", "bigint": "int64", "integer": "int32", "double": "float64"}


class Athena:
    """The engine of AWS; see `Engine`. It asks nothing of AWS before it is used."""

    name = "athena"

    def __init__(self, limits: Limits, lake: "S3Prefix | None" = None, record: "RunRecord | None" = None) -> None:
        self.limits = limits
        # without a lakehouse and a run it can be opened and closed only, as is done to see whether it is installed
        self._lake, self._record = cast("S3Prefix", lake), cast("RunRecord", record)
        self._tables: dict[str, tuple[str, dict[str, str]]] = {}
        self._has_database = False
        self._registered: dict[str, tuple[str, list[tuple[str, str]]]] = {}  # tables of the run's database: see _place
        self._sizes: dict[str, int] = {}
        self._has_key = False

    def attach(self, table: str, path: str, columns: Mapping[str, str]) -> None:
        self._tables[table] = path, dict(columns)

    def landing(self, table: Table, files: list[str], path: str) -> None:
        folder = files[0].rpartition("/")[0]
        while any(not file.startswith(f"{folder}/") for file in files):  # some lie in subfolders of the source
            folder = folder.rpartition("/")[0]
        glue.drop_table(self._database(), table.name)
        self._registered.pop(table.name, None)
        declared = _LOCATION.sub(lambda _: f"{folder}/", sql.read(table.name))
        self._forget(self._run(f"{table.name}, declared", re.sub(r"(?m)^--.*\n", "", declared)))
        glue.describe(self._lake, self._database(), table)
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        self._unload(f'select {names} from "{table.name}"', path, table.name, self._size(folder))

    def build(self, sql: str, path: str) -> None:
        select, scans = self._prepared(sql)
        self._unload(select, path, path.rpartition("/")[0].removeprefix(f"{self._lake.root}/"), scans)

    def query(self, sql: str) -> "pd.DataFrame":
        select, scans = self._prepared(sql)
        done = self._run("a question", select, scans)
        with calling("read what Athena answered"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # awswrangler's own, of what pandas will change
            frame = wrangler().athena.get_query_results(done["QueryExecutionId"])
        self._forget(done)
        decimal = [name for name in frame.columns if frame[name].map(type).astype(str).str.contains("Decimal").any()]
        return frame.astype(dict.fromkeys(decimal, "float64"))

    @contextmanager
    def keyed(self, secret: bytes) -> Iterator[None]:
        """The key stands in a database and below a prefix of its own, for as long as this lasts."""
        names, path = self._lake.names, f"{layout.ATHENA_KEY}/{self._record.run_id}"
        columns = dict.fromkeys(("secret", "inner_pad", "outer_pad"), "binary")
        try:
            self._put(f"{path}/key.parquet", columns, [keys.key_table_row(secret)])
            glue.ensure_database(self._lake, names.key_database, "The key of the pseudonyms, while they are made")
            glue.register(self._lake, names.key_database, KEY_TABLE, self._lake.url(path), columns)
            self._has_key = True
            yield
        finally:
            self._has_key = False
            glue.drop_database(names.key_database)
            self._lake.delete(layout.ATHENA_KEY)

    def cost(self) -> "Cost":
        """What the run has cost so far; see `cost.Ledger.total`."""
        return self._ledger.total()

    def require_row_counts(self, rows: dict[str, int]) -> None:
        """Count every table, in one query. Raises EngineFailed where Athena counts another number of rows."""
        counts = " union all ".join(f"select '{name}' as name, count(*) as n from \"{name}\"" for name in rows)
        counted = self.query(counts)
        actual = {name: int(n) for name, n in zip(counted["name"], counted["n"], strict=True)}
        if differing := [name for name in rows if actual.get(name) != rows[name]]:
            named = (f"{name}: {rows[name]:,} in its files, {actual.get(name)} in Athena" for name in differing)
            raise EngineFailed(
                f"Athena counts other rows than the audit: {'; '.join(named)}. Nothing was published. Build it again."
            )

    def close(self) -> None:
        """Nothing is held: what stands on AWS goes with the run."""

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(self._lake, self._record.run_id, self._record.max_dollars)

    def _database(self) -> str:
        """The database of the run, made on first use."""
        name = self._lake.names.run_database(self._record.run_id)
        if not self._has_database:
            glue.ensure_database(self._lake, name, f"Run {self._record.run_id} of {self._lake.root}, until it ends")
            self._registered = {table["Name"]: _place(table) for table in glue.list_tables(name)}
            self._has_database = True
        return name

    def _prepared(self, text: str) -> tuple[str, int]:
        """A select for Athena, the tables that it reads being registered, and how many bytes it scans at most."""
        tree, scans = sqlglot.parse_one(render(text, self.name), read=self.name), 0
        own = {cte.alias_or_name for cte in tree.find_all(sqlglot.exp.CTE)}
        for table in tree.find_all(sqlglot.exp.Table):
            if table.name == KEY_TABLE and self._has_key:
                table.set("db", sqlglot.to_identifier(self._lake.names.key_database, quoted=True))
            elif table.name in self._tables and table.name not in own:
                self._register(table.name)
                scans += self._size(self._tables[table.name][0])
        return tree.sql(self.name, identify=True), scans

    def _register(self, name: str) -> None:
        path, columns = self._tables[name]
        database = self._database()
        if self._registered.get(name) != (path, list(columns.items())):
            glue.register(self._lake, database, name, path, columns)
            self._registered[name] = path, list(columns.items())

    def _size(self, path: str) -> int:
        if path not in self._sizes:
            self._sizes[path] = sum(self._lake.sizes(path.removeprefix(f"{self._lake.root}/")).values())
        return self._sizes[path]

    def _unload(self, select: str, path: str, purpose: str, scans: int) -> None:
        """Write the result of a select as Parquet. Athena writes no file for no rows, so then one is put there."""
        target = path.replace("'", "''")
        self._forget(self._run(purpose, f"unload ({select}) to '{target}/' with (format = 'PARQUET')", scans))
        below = path.removeprefix(f"{self._lake.root}/")
        self._sizes.pop(path, None)
        if not self._lake.files(below):
            self._put(f"{below}/empty.parquet", self._columns(select), [])

    def _columns(self, select: str) -> dict[str, str]:
        """The columns of a select, and their types in Athena."""
        done = self._run("its columns", f"select * from ({select}) limit 0", 0)
        with calling("ask Athena for columns"):
            answer = client("athena").get_query_results(QueryExecutionId=done["QueryExecutionId"])
        self._forget(done)
        columns = answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        return {column["Name"]: column["Type"] for column in columns}

    def _put(self, path: str, columns: dict[str, str], rows: list[tuple]) -> None:
        """Write a small Parquet file."""
        import pyarrow
        from pyarrow import parquet

        schema = pyarrow.schema([(name, _EMPTY.get(type_, type_)) for name, type_ in columns.items()])
        values = [dict(zip(columns, row, strict=True)) for row in rows]
        body = io.BytesIO()
        parquet.write_table(pyarrow.Table.from_pylist(values, schema), body)
        self._lake.write(path, body.getvalue())

    def _run(self, purpose: str, statement: str, scans: int | None = None) -> dict:
        """Run a statement to its end. `scans` is None for one that scans nothing, and is free."""
        if scans is not None:
            self._ledger.require(purpose, scans)
        athena = wrangler().athena
        with calling(f"run a query for {purpose}"):
            query_id = athena.start_query_execution(
                statement, database=self._database(), workgroup=self._lake.names.workgroup
            )
            done = self._wait(athena, query_id)
        scanned = done.get("Statistics", {}).get("DataScannedInBytes", 0)
        self._ledger.add(purpose, scanned, free=scans is None)
        return done

    def _wait(self, athena: Any, query_id: str) -> dict:
        from awswrangler.exceptions import QueryCancelled, QueryFailed

        try:
            return athena.wait_query(query_id, athena_query_wait_polling_delay=_PAUSE)
        except QueryCancelled:
            raise CouldNotFinish("The query was cancelled on AWS. Run it again.") from None
        except QueryFailed as error:
            raise _error(str(error)) from None
        except KeyboardInterrupt:
            athena.stop_query_execution(query_id)
            raise

    def _forget(self, done: dict) -> None:
        """Delete what Athena wrote beside the data: answers hold values of persons."""
        self._lake.delete_beginning(f"{layout.ATHENA_RESULTS}/{done['QueryExecutionId']}")


def _place(table: dict) -> tuple[str, list[tuple[str, str]]]:
    """Where a Glue table lies, and its columns."""
    stored = table["StorageDescriptor"]
    return stored["Location"].rstrip("/"), [(column["Name"], column["Type"]) for column in stored["Columns"]]


def _error(reason: str) -> BadInput | EngineFailed | CouldNotFinish:
    """What a failed query means. Its words are kept only where they cannot quote a value of the data."""
    kind = re.match(r"[A-Z_]{4,}", reason)
    if kind and kind[0] in _ABOUT_SQL:
        return sql_error(reason)
    if "bytes scanned limit" in reason.lower():
        return CouldNotFinish("A query would scan more than the workgroup allows. Raise its limit, or land less.")
    return withheld_error("Athena", kind[0] if kind else "no code given")
