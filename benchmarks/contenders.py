"""Who is measured: this project, what it is compared with, and how each is started, in processes of its own."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
LARGE = 1000  # times the data; from here on the engines get MEMORY alone, and the slow contenders are left out
MEMORY = "2GB"


@dataclass(frozen=True)
class Contender:
    """`command` gets source, an empty folder and the scale. One that is `slow` is measured once, on few `scales`."""

    name: str
    about: str
    command: Callable[[Path, Path, int], list[str]]
    scales: tuple[int, ...]
    slow: bool = False


def _python(script: str, *more: str, memory: bool = False) -> Callable[[Path, Path, int], list[str]]:
    def command(source: Path, place: Path, scale: int) -> list[str]:
        limited = [MEMORY] if memory and scale >= LARGE else []
        return [sys.executable, str(HERE / script), str(source), str(place / "out"), *more, *limited]

    return command


def _stedi(engine: str) -> Callable[[Path, Path, int], list[str]]:
    def command(source: Path, place: Path, scale: int) -> list[str]:
        folders = [
            word for name in ("lakehouse", "reports", "screenshots") for word in (f"--{name}", str(place / name))
        ]
        limited = ["--memory-limit", MEMORY] if scale >= LARGE else []
        return [
            sys.executable,
            "-m",
            "stedi",
            "run",
            "--source",
            str(source),
            "--engine",
            engine,
            *folders,
            *limited,
        ]

    return command


def _cells(script: str) -> Callable[[Path, Path, int], list[str]]:
    def command(source: Path, place: Path, scale: int) -> list[str]:
        folders = [str(place / name) for name in ("lake", "reports", "screenshots")]
        return [sys.executable, str(HERE / script), str(source), *folders]

    return command


def _five(source: Path, place: Path, scale: int) -> list[str]:
    return ["sh", str(HERE / "rivals" / "five_jobs.sh"), sys.executable, str(source), str(place / "out")]


WHOLE, CURATED, FLOOR, PLAIN = "whole run", "landing to curated", "floor", "one process"
ONE_BY_ONE = "plain papermill"
PANDAS, POLARS, PYSPARK, FIVE = "pandas", "Polars", "PySpark", "five PySpark jobs"
WHOLE_SPARK, CURATED_SPARK = "whole run on Spark", "landing to curated on Spark"
CONTENDERS = (
    Contender(FLOOR, "bare DuckDB, the project's SQL, no checks", _python("rivals/floor.py", "course", memory=True),
              (1, 10, 100, 1000)),
    Contender(CURATED, "notebooks 02 to 04 in one process, every line checked",
              _python("curated.py", "duckdb", memory=True), (1, 10, 100, 1000)),
    Contender(WHOLE, "`stedi run`: five notebooks, audit, publication, report", _stedi("duckdb"), (1, 10, 100, 1000)),
    Contender(PLAIN, "the cells of the five notebooks in one plain process", _cells("plain.py"), (1,)),
    Contender(ONE_BY_ONE, "the five notebooks, one by one, each in a kernel that papermill starts",
              _cells("one_by_one.py"), (1,)),
    Contender(POLARS, "a script, no checks", _python("rivals/with_polars.py"), (1, 10, 100)),
    Contender(PANDAS, "a script, no checks", _python("rivals/with_pandas.py"), (1, 10, 100), slow=True),
    Contender(PYSPARK, "a script, no checks", _python("rivals/with_spark.py"), (1, 10, 100), slow=True),
    Contender(FIVE, "the five transformations as separate processes, as Glue runs them", _five, (1, 100), slow=True),
    Contender(CURATED_SPARK, "this project with `--engine spark`", _python("curated.py", "spark"), (1, 10, 100),
              slow=True),
    Contender(WHOLE_SPARK, "`stedi run --engine spark`", _stedi("spark"), (1, 10), slow=True),
)  # fmt: skip
