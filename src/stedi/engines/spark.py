"""Apache Spark: in a session that is there already (Glue, EMR, Databricks), or else in one of this process's own."""

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from stedi.contract.errors import BadInput, EngineFailed
from stedi.contract.paths import is_on_s3
from stedi.contract.sql import KEY_TABLE, render
from stedi.contract.tables import Table
from stedi.engines import sql_error, withheld_error
from stedi.engines.limits import Limits
from stedi.storage import keys
from stedi.storage.files import close_to_others

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession

OLDEST_JAVA = 17
# Of a session of our own. Spark's Parquet is read by DuckDB, Athena and others: files of 100 to 300 MB suit them all.
_OWN = {
    "spark.app.name": "stedi",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.log.level": "OFF",  # its messages quote values; what matters comes as an error
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
# Of every session that we work in: a new one beside the user's, whose settings stay as they are.
_ALWAYS = {
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "256m",
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",  # few files rather than as many as processors
    "spark.sql.ansi.enabled": "true",  # as Athena: a value that cannot be cast is an error
    "spark.sql.caseSensitive": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.session.timeZone": "UTC",
}
_SPLIT = "spark.sql.files.maxPartitionBytes"  # bytes that one task reads, which decides how large its file becomes
_SPLITS = {"json": "1g", "parquet": "256m"}  # a gigabyte of landing JSON is some 100 MB of Parquet


class Spark:
    """Spark as an engine; see `Engine`. It starts when the first thing is asked of it.

    A process has one Spark, which keeps the memory, processors and place for spilling that it was started with.
    """

    name = "spark"

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._columns: dict[str, dict[str, str]] = {}
        if _existing() is None:
            _check_java()

    @cached_property
    def _session(self) -> "SparkSession":
        with translated_errors(self.limits):
            session = (_existing() or _start(self.limits)).newSession()
            for name, value in (_ALWAYS | self.limits.spark).items():
                if session.conf.isModifiable(name):
                    session.conf.set(name, value)
        return session

    def attach(self, table: str, path: str, columns: Collection[str]) -> None:
        with translated_errors(self.limits):
            frame = self._session.read.parquet(escaped(path)).select(*map(quoted, columns))
            frame.createOrReplaceTempView(table)
        self._columns[table] = dict(frame.dtypes)

    def landing(self, table: Table, files: list[str], path: str) -> None:
        declared = ", ".join(f"{quoted(column.key)} {column.type}" for column in table.columns)
        names = [f"{quoted(column.key)} as {quoted(column.name)}" for column in table.columns]
        with translated_errors(self.limits):
            read = self._session.read.schema(declared).option("mode", "FAILFAST").option("lineSep", "\n")
            self._session.conf.set(_SPLIT, _SPLITS["json"])
            self._write(read.json([escaped(file) for file in files]).selectExpr(*names), path)

    def build(self, sql: str, path: str) -> None:
        select = render(sql, self.name, self._columns)
        with translated_errors(self.limits):
            self._session.conf.set(_SPLIT, _SPLITS["parquet"])
            self._write(self._session.sql(select), path)

    def query(self, sql: str) -> "pd.DataFrame":
        select = render(sql, self.name, self._columns)
        with translated_errors(self.limits):
            frame = self._session.sql(select)
            columns = [f"cast({quoted(name)} as double) as {quoted(name)}" if type_.startswith("decimal")
                       else quoted(name) for name, type_ in frame.dtypes]  # fmt: skip
            return frame.selectExpr(*columns).toArrow().to_pandas()

    @contextmanager
    def keyed(self, secret: bytes) -> Iterator[None]:
        import pyarrow

        names = ("secret", "inner_pad", "outer_pad")
        row = pyarrow.table({name: [part] for name, part in zip(names, keys.key_table_row(secret), strict=True)})
        with translated_errors(self.limits):
            self._session.createDataFrame(row).createOrReplaceTempView(KEY_TABLE)
        try:
            yield
        finally:
            with translated_errors(self.limits):
                self._session.catalog.dropTempView(KEY_TABLE)

    def close(self) -> None:
        """Forget the tables. Spark itself, which takes seconds to start, goes on until the process ends."""
        vars(self).pop("_session", None)

    def _write(self, frame: "DataFrame", path: str) -> None:
        frame.write.mode("overwrite").option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false").parquet(path)
        for checksum in Path(path).glob(".*.crc"):  # of the local file system; nothing reads them
            checksum.unlink()
        if not is_on_s3(path):
            close_to_others(Path(path))


def quoted(name: str) -> str:
    """A name as Spark reads it, whatever characters are in it."""
    return "`" + name.replace("`", "``") + "`"


def escaped(path: str) -> str:
    """A file name as Spark, which takes it for a pattern, reads it: this one file, whatever characters are in it."""
    return re.sub(r"([\[\]*?{}\\])", r"\\\1", path)


@contextmanager
def translated_errors(limits: Limits) -> Iterator[None]:
    """Raise our errors in place of Spark's. Its message is kept only where it cannot quote a value of the data."""
    from py4j.protocol import Py4JError, Py4JNetworkError
    from pyspark.errors import AnalysisException, PySparkException

    logging.getLogger("SQLQueryContextLogger").disabled = True  # it prints what we withhold
    try:
        yield
    except AnalysisException as error:
        raise sql_error(str(error)) from None
    except (Py4JNetworkError, ConnectionError):
        raise EngineFailed(
            "Spark has ended while it worked, perhaps for want of memory. Give it more with --memory-limit."
        ) from None
    except (PySparkException, Py4JError) as error:
        raise _engine_error(error, limits) from None


def _engine_error(error: Exception, limits: Limits) -> EngineFailed:
    """What an error of Spark means: the machine lacks something, or else its kind alone."""
    message = str(error)
    if "No space left on device" in message:
        lack = "No space left on device. Make room on the disk of the lakehouse."
    elif "java.lang.OutOfMemoryError" in message or "UNABLE_TO_ACQUIRE_MEMORY" in message:
        lack = f"its {limits.memory / 1e9:.1f} GB of memory are used up. Give it more with --memory-limit."
    else:
        return withheld_error("Spark", getattr(error, "getCondition", lambda: None)() or type(error).__name__)
    return EngineFailed(f"Spark could not go on: {lack}")


def _existing() -> "SparkSession | None":
    """The session that this process has, if any."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise BadInput("The engine spark needs pyspark. Install it: pip install 'stedi[spark]'.") from None
    session = SparkSession.getActiveSession()
    if session is None or session.conf.get("spark.app.name", "") != _OWN["spark.app.name"]:
        return session
    if Path(session.sparkContext.getConf().get("spark.local.dir", "")).exists():
        return session
    session.stop()  # the folder that it spills to was deleted, with a lakehouse perhaps
    return None


def _start(limits: Limits) -> "SparkSession":
    """A session of our own, on this machine unless the settings name another master."""
    from pyspark.sql import SparkSession

    own = _OWN | {
        "spark.master": f"local[{limits.threads}]",
        "spark.driver.memory": f"{limits.memory >> 20}m",
        "spark.local.dir": limits.spill,
        "spark.sql.shuffle.partitions": str(max(limits.threads * 4, 8)),
        "spark.sql.warehouse.dir": str(Path(limits.spill) / "warehouse"),
    }
    Path(limits.spill).mkdir(mode=0o700, parents=True, exist_ok=True)
    builder = SparkSession.builder
    for name, value in (own | limits.spark).items():
        builder = builder.config(name, value)
    with _silent():
        return builder.getOrCreate()


@contextmanager
def _silent() -> Iterator[None]:
    """Let a process that is started meanwhile write its stderr nowhere, for as long as it lives."""
    ours, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(ours, 2)
        os.close(ours)
        os.close(nowhere)


def _check_java() -> None:
    """Raise BadInput unless there is a Java that Spark can use: before any work, and not in Spark's words."""
    wanted = f"The engine spark needs Java {OLDEST_JAVA} or newer. Install it, or set JAVA_HOME to its folder"
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not java or not Path(java).exists():
        raise BadInput(f"{wanted}: {f'there is none in {home}' if home else 'there is none on the PATH'}.")
    output = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', output)
    if not version or int(version[1]) < OLDEST_JAVA:
        raise BadInput(f"{wanted}: {java} is {f'Java {version[1]}' if version else 'no Java'}.")
