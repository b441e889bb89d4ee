"""The Glue databases of a lakehouse: the one that readers use, which follows the catalog, and those of runs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stedi.contract import tables
from stedi.contract.errors import BadInput
from stedi.storage import catalog, layout
from stedi.storage.aws_client import MISSING, calling, client, code_of, wrangler
from stedi.storage.s3_names import OWNER

if TYPE_CHECKING:
    from stedi.storage.s3 import Prefix

KEYS = "_key"  # in the lakehouse: where the pseudonym key lies while it is needed


def database(name: str) -> dict | None:
    """A Glue database; None where there is none."""
    from botocore.exceptions import ClientError

    with calling(f"look for the Glue database {name}"):
        try:
            return client("glue").get_database(Name=name)["Database"]
        except ClientError as error:
            if code_of(error) not in MISSING:
                raise
            return None


def ours(resource: dict, lake: "Prefix") -> bool:
    """Whether a database or table says that it is this lakehouse's."""
    return resource.get("Parameters", {}).get(OWNER) == lake.root


def ensure(lake: "Prefix", name: str, about: str) -> None:
    """Make a database, if need be."""
    if database(name) is None:
        given = {"Name": name, "Description": about, "Parameters": {OWNER: lake.root}}
        with calling(f"create the Glue database {name}"):
            client("glue").create_database(DatabaseInput=given, Tags=lake.names.tags)


def listed(name: str) -> list[dict]:
    """The tables of a database."""
    with calling(f"list the tables of the Glue database {name}"):
        pages = client("glue").get_paginator("get_tables").paginate(DatabaseName=name)
        return [table for page in pages for table in page["TableList"]]


def register(lake: "Prefix", into: str, name: str, path: str, columns: Mapping[str, str], more: dict | None = None):
    """Let Athena read a folder of Parquet as a table, with the contract's words on it. Replaces it in one call."""
    known = dict.fromkeys(tables.PSEUDONYMS, "pseudonym: HMAC-SHA256 under the lakehouse's key")
    known |= {column.name: column.about for table in tables.TABLES for column in table.columns}
    grain = next((table.grain for table in tables.TABLES if table.name == name), "")
    with calling(f"register {into}.{name}"):
        wrangler().catalog.create_parquet_table(
            database=into,
            table=name,
            path=f"{path}/",
            columns_types=dict(columns),
            description=f"One row per {grain}." if grain else "",
            parameters={OWNER: lake.root} | (more or {}),
            columns_comments={column: known[column] for column in columns if column in known},
            mode="overwrite",
        )


def describe(lake: "Prefix", into: str, table: tables.Table) -> None:
    """Put the contract's words on a table that a statement has made."""
    keep = ("Name", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")
    about = {column.name: column.about for column in table.columns}
    with calling(f"describe {into}.{table.name}"):
        found = client("glue").get_table(DatabaseName=into, Name=table.name)["Table"]
        given = {key: found[key] for key in keep if key in found}
        for column in given["StorageDescriptor"]["Columns"]:
            column["Comment"] = about[column["Name"]]
        given |= {"Description": f"One row per {table.grain}.", "Parameters": found["Parameters"] | {OWNER: lake.root}}
        client("glue").update_table(DatabaseName=into, TableInput=given)


def follow(lake: "Prefix") -> None:
    """Register what the catalog publishes, table by table, and drop what runs have left. Cut short, it is repeated."""
    current = catalog.load(lake)
    if current:
        _publish(lake, current)
    drop_runs(lake)


def _publish(lake: "Prefix", current: catalog.Catalog) -> None:
    name = lake.names.database
    ensure(lake, name, f"The STEDI lakehouse {lake.root}: landing, trusted and curated tables")
    there = {table["Name"]: table for table in listed(name)}
    for table, entry in current.tables.items():
        said = {"stedi.run_id": current.run_id, "stedi.policy": current.policy, "stedi.fingerprint": entry.fingerprint}
        if (found := there.get(table)) and not ours(found, lake):
            raise BadInput(f"The Glue table {name}.{table} is not this lakehouse's. Rename it, or name another bucket.")
        if not found or {key: found["Parameters"].get(key) for key in said} != said:
            register(lake, name, table, lake.url(entry.path), entry.columns, said)


def run_databases(lake: "Prefix") -> list[str]:
    """The databases that runs have made for themselves, that of the key included."""
    named = [lake.names.run_database(each) for each in lake.folders(layout.STAGING)] + [lake.names.key_database]
    return [name for name in named if (found := database(name)) and ours(found, lake)]


def drop_runs(lake: "Prefix") -> None:
    """Drop what runs have made for themselves: their databases, and the key that a killed one may have left."""
    for name in run_databases(lake):
        drop(name)
    if lake.exists(KEYS):
        lake.delete(KEYS)


def drop(name: str) -> None:
    """Drop a database with its tables, if it is there."""
    if database(name) is None:
        return
    for table in listed(name):
        drop_table(name, table["Name"])
    with calling(f"drop the Glue database {name}"):
        client("glue").delete_database(Name=name)


def drop_table(database: str, name: str) -> None:
    """Drop a table, if it is there."""
    with calling(f"drop {database}.{name}"):
        wrangler().catalog.delete_table_if_exists(database=database, table=name)
