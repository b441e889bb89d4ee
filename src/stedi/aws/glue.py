"""The Glue databases of a lakehouse: the one that readers use, which follows the catalog, and those of runs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stedi.contract import tables
from stedi.contract.errors import BadInput
from stedi.storage import catalog, layout
from stedi.storage.aws_client import ask, calling, client, wrangler
from stedi.storage.s3_names import OWNER

if TYPE_CHECKING:
    from stedi.storage.s3 import S3Prefix


def find_database(name: str) -> dict[str, Any] | None:
    """A Glue database; None where there is none."""
    answer = ask(f"look for the Glue database {name}", lambda: client("glue").get_database(Name=name))
    return answer and answer["Database"]


def is_ours(resource: Mapping[str, Any], lake: "S3Prefix") -> bool:
    """Whether a database or table says that it is this lakehouse's."""
    return resource.get("Parameters", {}).get(OWNER) == lake.root


def ensure_database(lake: "S3Prefix", name: str, about: str) -> None:
    """Make a database, if need be."""
    if find_database(name) is None:
        database = {"Name": name, "Description": about, "Parameters": {OWNER: lake.root}}
        with calling(f"create the Glue database {name}"):
            client("glue").create_database(DatabaseInput=database, Tags=lake.names.tags)


def ensure_published_database(lake: "S3Prefix") -> None:
    """Make the database that readers use, if need be."""
    about = f"The STEDI lakehouse {lake.root}: landing, trusted and curated tables"
    ensure_database(lake, lake.names.database, about)


def list_tables(database: str) -> list[dict[str, Any]]:
    """The tables of a database."""
    with calling(f"list the tables of the Glue database {database}"):
        pages = client("glue").get_paginator("get_tables").paginate(DatabaseName=database)
        return [table for page in pages for table in page["TableList"]]


def register(
    lake: "S3Prefix",
    database: str,
    name: str,
    path: str,
    columns: Mapping[str, str],
    parameters: Mapping[str, str] | None = None,
) -> None:
    """Let Athena read a folder of Parquet as a table, with the contract's words on it. Replaces it in one call."""
    about = dict.fromkeys(tables.PSEUDONYMS, "pseudonym: HMAC-SHA256 under the lakehouse's key")
    about |= {column.name: column.about for table in tables.TABLES for column in table.columns}
    grain = next((table.grain for table in tables.TABLES if table.name == name), "")
    with calling(f"register {database}.{name}"):
        wrangler().catalog.create_parquet_table(
            database=database,
            table=name,
            path=f"{path}/",
            columns_types=dict(columns),
            description=f"One row per {grain}." if grain else "",
            parameters={OWNER: lake.root, **(parameters or {})},
            columns_comments={column: about[column] for column in columns if column in about},
            mode="overwrite",
        )


def describe(lake: "S3Prefix", database: str, table: tables.Table) -> None:
    """Put the contract's words on a table that a statement has made."""
    keep = ("Name", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")
    about = {column.name: column.about for column in table.columns}
    with calling(f"describe {database}.{table.name}"):
        made = client("glue").get_table(DatabaseName=database, Name=table.name)["Table"]
        described = {key: made[key] for key in keep if key in made}
        for column in described["StorageDescriptor"]["Columns"]:
            column["Comment"] = about[column["Name"]]
        described |= {
            "Description": f"One row per {table.grain}.",
            "Parameters": made["Parameters"] | {OWNER: lake.root},
        }
        client("glue").update_table(DatabaseName=database, TableInput=described)


def sync_catalog(lake: "S3Prefix") -> None:
    """Register what the catalog publishes, table by table, and drop what runs have left. Cut short, it is repeated."""
    current = catalog.load(lake)
    if current:
        _register_published(lake, current)
    drop_runs(lake)


def _register_published(lake: "S3Prefix", current: catalog.Catalog) -> None:
    database = lake.names.database
    ensure_published_database(lake)
    registered = {table["Name"]: table for table in list_tables(database)}
    for name, entry in current.tables.items():
        said = {"stedi.run_id": current.run_id, "stedi.policy": current.policy, "stedi.fingerprint": entry.fingerprint}
        table = registered.get(name)
        if table and not is_ours(table, lake):
            raise BadInput(
                f"The Glue table {database}.{name} is not this lakehouse's. Rename it, or name another bucket."
            )
        if not table or not said.items() <= table["Parameters"].items():
            register(lake, database, name, lake.url(entry.path), entry.columns, said)


def run_databases(lake: "S3Prefix") -> list[str]:
    """The databases that runs have made for themselves, that of the key included."""
    names = [lake.names.run_database(run_id) for run_id in lake.folders(layout.STAGING)] + [lake.names.key_database]
    return [name for name in names if (database := find_database(name)) and is_ours(database, lake)]


def drop_runs(lake: "S3Prefix") -> None:
    """Drop what runs have made for themselves: their databases, and the key that a killed one may have left."""
    for name in run_databases(lake):
        drop_database(name)
    if lake.exists(layout.ATHENA_KEY):
        lake.delete(layout.ATHENA_KEY)


def drop_database(name: str) -> None:
    """Drop a database with its tables, if it is there."""
    if find_database(name) is None:
        return
    for table in list_tables(name):
        drop_table(name, table["Name"])
    with calling(f"drop the Glue database {name}"):
        client("glue").delete_database(Name=name)


def drop_table(database: str, name: str) -> None:
    """Drop a table, if it is there."""
    with calling(f"drop {database}.{name}"):
        wrangler().catalog.delete_table_if_exists(database=database, table=name)
