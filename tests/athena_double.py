"""Lets moto's Athena run what it is asked: Trino's SQL on DuckDB, over the objects and the catalog that moto holds.

It refuses what Athena refuses: functions that Trino does not have, `* except`, two columns of one name, a target that
is not empty, a table that is not in the catalog, a scan above the workgroup's limit. As Athena it writes no file for no
rows, and names its files without an ending.
"""

import csv
import hmac
import io
import json
import re
import shutil
import tempfile
import threading
import unicodedata
import uuid
from pathlib import Path

import duckdb
import sqlglot
from moto.athena import models, responses
from moto.glue.models import glue_backends
from moto.s3.models import s3_backends
from sqlglot import exp

# What the project's statements may use of Trino. A new one is added here after a look into Trino's documents.
FUNCTIONS = {"avg", "cast", "coalesce", "count", "floor", "greatest", "hmac_sha256", "least", "lower", "max", "min",
             "normalize", "nullif", "replace", "round", "row_number", "sum", "to_hex", "to_utf8",
             "translate", "trim", "upper"}  # fmt: skip
_BEFORE_BRACKET = {"and", "as", "by", "exists", "from", "in", "not", "on", "or", "over", "select", "then", "values",
                   "when", "where", "with"}  # fmt: skip
_TYPES = {"string": "VARCHAR", "int": "INTEGER", "binary": "BLOB"}
_ATHENA = {"INTEGER": "integer", "BLOB": "varbinary", "HUGEINT": "bigint"}
_JSON = "org.openx.data.jsonserde.JsonSerDe"
_LOCK = threading.Lock()


class Refused(Exception):
    """What Athena would fail a query with."""


class Query:
    """One query, over the objects and the catalog of an account of moto's."""

    def __init__(self, account: str, region: str, database: str, limit: int | None):
        self.s3, self.glue = s3_backends[account]["aws"], glue_backends[account][region]
        self.database, self.limit, self.scanned = database, limit, 0
        self.folder = Path(tempfile.mkdtemp(prefix="athena-"))
        self.connection = duckdb.connect()
        self.connection.execute("set TimeZone = 'UTC'; set integer_division = true")
        self.connection.create_function(
            "hmac_sha256", lambda text, key: hmac.digest(key, text, "sha256"), ["BLOB", "BLOB"], "BLOB"
        )
        self.connection.create_function(
            "normalized", lambda text, form: unicodedata.normalize(form, text), ["VARCHAR", "VARCHAR"], "VARCHAR"
        )

    def close(self) -> None:
        self.connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, sql: str) -> tuple[list, list, str]:
        """Columns (name, DuckDB's type), rows, and the kind of statement: select, unload or ddl."""
        if found := re.fullmatch(r"\s*unload\s*\((.*)\)\s*to\s*'([^']+)'\s*with\s*\(format = 'PARQUET'\)\s*", sql,
                                 re.S | re.I):  # fmt: skip
            self.unload(found[1], found[2])
            return [("rows", "BIGINT")], [], "unload"
        if re.match(r"\s*create\s+external\s+table", sql, re.I):
            self.declare(sql)
            return [], [], "ddl"
        columns, select = self.bound(sql)
        names = ", ".join(f"c{number}" for number in range(len(columns)))
        return columns, self.connection.execute(f"select {names} from ({select}) as t({names})").fetchall(), "select"

    def unload(self, select: str, target: str) -> None:
        bucket, prefix = split(target)
        if self.keys(bucket, prefix):
            raise Refused(f"HIVE_PATH_ALREADY_EXISTS: Unable to write: target directory is not empty: {target}")
        columns, bound = self.bound(select)
        if len({name.lower() for name, _ in columns}) < len(columns):
            raise Refused("DUPLICATE_COLUMN_NAME: line 1:1: Column name specified more than once")
        if wrong := [type_ for _, type_ in columns if type_.startswith(("TIMESTAMP", "UUID", '"NULL"', "HUGEINT"))]:
            raise Refused(f"NOT_SUPPORTED: Unsupported Hive type: {wrong[0]}")
        names = ", ".join(quoted(name.lower()) for name, _ in columns)
        bound = f"select * from ({bound}) as t({names})"
        if not self.connection.execute(f"select count(*) from ({bound})").fetchone()[0]:
            return
        out = self.folder / "out.parquet"
        self.connection.execute(f"copy ({bound}) to '{out}' (format parquet)")
        self.s3.put_object(bucket, f"{prefix}20261120_091233_00001_x_{uuid.uuid4()}", out.read_bytes())

    def declare(self, sql: str) -> None:
        """CREATE EXTERNAL TABLE, as it is written in src/stedi/contract/sql/landing."""
        found = re.fullmatch(
            r"\s*create external table (\w+) \((.*)\)\s*row format serde '([^']+)'\s*location '(s3://[^']+/)'\s*"
            r"tblproperties \('classification' = 'json'\)\s*", sql, re.S,
        )  # fmt: skip
        if not found:
            raise Refused(f"FAILED: ParseException line 1:1 cannot recognize input near '{sql[:20]}'")
        name, columns, serde, location = found.groups()
        if name in self.glue.get_database(self.database).tables:
            raise Refused(f"FAILED: Execution Error. AlreadyExistsException(message:Table {name} already exists.)")
        pairs = [line.split() for line in columns.strip().split(",")]
        self.glue.create_table(self.database, name, {
            "Name": name, "TableType": "EXTERNAL_TABLE", "Parameters": {"EXTERNAL": "TRUE", "classification": "json"},
            "PartitionKeys": [], "StorageDescriptor": {
                "Columns": [{"Name": column.strip("`"), "Type": type_} for column, type_ in pairs],
                "Location": location, "SerdeInfo": {"SerializationLibrary": serde, "Parameters": {}}},
        })  # fmt: skip

    def bound(self, sql: str) -> tuple[list, str]:
        """The columns of a select, and the select in DuckDB's words, over views of the tables it reads."""
        for name in re.findall(r"(?<![\w\"])([a-z_]\w*)\s*\(", re.sub(r"'[^']*'", "''", sql), re.I):
            if name.lower() not in FUNCTIONS | _BEFORE_BRACKET:
                raise Refused(f"FUNCTION_NOT_FOUND: line 1:1: Function '{name.lower()}' not registered")
        tree = sqlglot.parse_one(sql, read="athena")
        if any(star.args.get("except_") or star.args.get("except") for star in tree.find_all(exp.Star)):
            raise Refused("SYNTAX_ERROR: line 1:1: mismatched input 'EXCEPT'")
        for each in list(tree.find_all(exp.Normalize)):  # of which DuckDB has none
            form = exp.Literal.string(each.args["form"].name)
            each.replace(exp.Anonymous(this="normalized", expressions=[each.this, form]))
        own = {each.alias_or_name for each in tree.find_all(exp.CTE)}
        for each in list(tree.find_all(exp.Table)):
            if each.db or each.name not in own:
                database, name = (each.db or self.database).lower(), each.name.lower()
                self.view(database, name)
                view = exp.table_(name, db=database, quoted=True)
                each.replace(exp.alias_(view, each.alias or name, table=True, quoted=True))
        select = tree.sql("duckdb")
        try:
            return [row[:2] for row in self.connection.execute(f"describe {select}").fetchall()], select
        except duckdb.Error as error:
            raise Refused(f"SYNTAX_ERROR: line 1:1: {str(error).splitlines()[0]}") from None

    def view(self, database: str, name: str) -> None:
        """A view of a table: its columns, their order and their types are the catalog's."""
        try:
            table = self.glue.get_table(database, name).as_dict()
        except Exception:
            raise Refused(f"TABLE_NOT_FOUND: line 1:1: Table '{database}.{name}' does not exist") from None
        stored = table["StorageDescriptor"]
        files = self.fetched(stored["Location"], f"{database}.{name}")
        types = {each["Name"]: _TYPES.get(each["Type"], each["Type"]) for each in stored["Columns"]}
        self.connection.execute(f"create schema if not exists {quoted(database)}")
        self.connection.execute(
            f"create or replace view {quoted(database)}.{quoted(name)} as {self.select(stored, files, types)}"
        )

    def select(self, stored: dict, files: list[str], types: dict[str, str]) -> str:
        if not files:
            return f"select {', '.join(f'null::{t} as {quoted(c)}' for c, t in types.items())} where false"
        if stored["SerdeInfo"]["SerializationLibrary"] == _JSON:
            keys = self.connection.execute(
                "select distinct unnest(json_keys(json)) from read_ndjson_objects($1)", [files]
            ).fetchall()
            actual = {key.lower(): key for (key,) in keys}
            typed = {actual.get(column, column): type_ for column, type_ in types.items()}
            source = f"read_json({files}, format = 'newline_delimited', columns = {typed})"
        else:
            source = f"read_parquet({files})"
            actual = {row[0]: row[0] for row in self.connection.execute(f"describe select * from {source}").fetchall()}
        columns = ", ".join(f"{quoted(actual.get(c, c))}::{type_} as {quoted(c)}" for c, type_ in types.items())
        return f"select {columns} from {source}"

    def fetched(self, location: str, into: str) -> list[str]:
        """The files of a table, at any depth, as Athena finds them: none whose name is hidden."""
        bucket, prefix = split(location)
        files = []
        for key in self.keys(bucket, prefix):
            if any(part.startswith(("_", ".")) for part in key[len(prefix) :].split("/")):
                continue
            value = self.s3.get_object(bucket, key).value
            self.scanned += len(value)
            path = self.folder / into / key[len(prefix) :]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(value)
            files.append(str(path))
        if self.limit and self.scanned > self.limit:
            raise Refused("Query cancelled! : Bytes scanned limit was exceeded")
        return files

    def keys(self, bucket: str, prefix: str) -> list[str]:
        return sorted(key for key in self.s3.get_bucket(bucket).keys if key.startswith(prefix))


def split(url: str) -> tuple[str, str]:
    bucket, prefix = re.fullmatch(r"s3://([^/]+)/(.+?)/*", url).groups()
    return bucket, f"{prefix}/"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: object) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def execute(backend: models.AthenaBackend, execution: models.Execution) -> None:
    """Run one execution, and put its answer where Athena would: the workgroup's place, not the caller's."""
    configuration = execution.workgroup.configuration
    place = configuration["ResultConfiguration"]["OutputLocation"].rstrip("/")
    query = Query(backend.account_id, backend.region_name, (execution.context or {}).get("Database", "default"),
                  configuration.get("BytesScannedCutoffPerQuery"))  # fmt: skip
    try:
        columns, rows, kind = query.run(execution.query)
        bucket, prefix = split(place)
        ending = {"select": ".csv", "ddl": ".txt", "unload": ""}[kind]
        execution.config = {"OutputLocation": f"{place}/{execution.id}{ending}"}
        out = io.StringIO()
        if kind == "select":
            writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerow([name for name, _ in columns])
            for row in rows:  # null is nothing at all, an empty text is ""
                out.write(",".join("" if each is None else '"' + text(each).replace('"', '""') + '"' for each in row))
                out.write("\n")
        query.s3.put_object(bucket, f"{prefix}{execution.id}{ending or '-manifest.csv'}", out.getvalue().encode())
        query.s3.put_object(bucket, f"{prefix}{execution.id}{ending}.metadata", b"")
        backend.query_results[execution.id] = models.QueryResults(
            [{"Data": [{} if each is None else {"VarCharValue": text(each)} for each in row]}
             for row in [tuple(name for name, _ in columns), *rows]], [information(*each) for each in columns],
        )  # fmt: skip
    finally:
        execution.scanned = query.scanned
        query.close()


def information(name: str, type_: str) -> dict:
    kind, _, size = _ATHENA.get(type_, type_.lower()).partition("(")
    precision, scale = (size.rstrip(")") or "0,0").split(",")
    common = {"CatalogName": "hive", "SchemaName": "", "TableName": "", "Nullable": "UNKNOWN", "CaseSensitive": False}
    return common | {"Name": name, "Label": name, "Type": kind, "Precision": int(precision), "Scale": int(scale)}


STATEMENTS: list[str] = []  # all that was asked of Athena


def install(monkeypatch) -> None:
    """Let moto's Athena run queries until `monkeypatch` is undone."""
    start, describe = models.AthenaBackend.start_query_execution, responses.AthenaResponse.get_query_execution
    group = responses.AthenaResponse.get_work_group

    def start_query_execution(self, query, context, config, workgroup, execution_parameters=None):
        found = start(self, query, context, config, workgroup, execution_parameters)
        execution = self.executions[found]
        STATEMENTS.append(query)
        try:
            with _LOCK:
                execute(self, execution)
        except Exception as error:  # whatever fails a query fails it, and not the server
            execution.reason, execution._transitions = str(error), [("QUEUED", "FAILED")]
        return found

    def get_query_execution(self):
        body = json.loads(describe(self))
        execution = self.athena_backend.executions[body["QueryExecution"]["QueryExecutionId"]]
        body["QueryExecution"]["Statistics"]["DataScannedInBytes"] = getattr(execution, "scanned", 0)
        if hasattr(execution, "reason"):
            body["QueryExecution"]["Status"]["StateChangeReason"] = execution.reason
        return json.dumps(body)

    def get_work_group(self):
        name = self._get_param("WorkGroup")
        return group(self) if self.athena_backend.get_work_group(name) else self.error("WorkGroup is not found.", 400)

    monkeypatch.setattr(models.AthenaBackend, "start_query_execution", start_query_execution)
    monkeypatch.setattr(responses.AthenaResponse, "get_query_execution", get_query_execution)
    monkeypatch.setattr(responses.AthenaResponse, "get_work_group", get_work_group)
