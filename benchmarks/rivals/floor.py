"""The floor: the five transformations in bare DuckDB, straight from the JSON, with the project's SQL and no checks.

Usage: floor.py SOURCE TARGET POLICY [MEMORY]
"""

import sys
from pathlib import Path

import duckdb

from stedi.contract import sql, tables
from stedi.engines.parquet_reader import TYPES

source, target, policy, *memory = sys.argv[1:]
connection = duckdb.connect(config={"memory_limit": memory[0], "temp_directory": f"{target}/spill"} if memory else {})
for table in tables.under(policy):
    if table.zone == "landing":
        keys = ", ".join(f"'{column.key}': '{TYPES[column.type]}'" for column in table.columns)
        names = ", ".join(f'"{column.key}" as "{column.name}"' for column in table.columns)
        files = f"'{source}/{table.subject}/landing/*.json'"
        rows = f"read_json({files}, columns = {{{keys}}}, format = 'newline_delimited')"
        connection.execute(f'create view "{table.name}" as select {names} from {rows}')
    else:
        path = Path(target) / f"{table.name}.parquet"
        select = sql.render(sql.bind(sql.read(table.name, policy), 1 << 50), "duckdb")
        connection.execute(f"copy ({select}) to '{path}' (format parquet, compression zstd)")
        connection.execute(f"create view \"{table.name}\" as from '{path}'")
