"""Landing to curated in one process, line checks included: what notebooks 02 to 04 do with the data.

Usage: curated.py SOURCE LAKEHOUSE ENGINE [MEMORY]
"""

import sys

from stedi import Run
from stedi.contract import tables

source, lakehouse, engine, *memory = sys.argv[1:]
run = Run.start(source, lakehouse, engine, memory_limit=memory[0] if memory else "")
for table in tables.LANDING:
    run.land(table.name)
run = Run.join(lakehouse, policy="course")
for name in tables.NAMES[len(tables.LANDING) :]:
    run.build(name)
