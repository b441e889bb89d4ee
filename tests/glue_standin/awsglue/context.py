"""The context: reads from folders and from a catalog, and writes to both."""

import shutil
from pathlib import Path

from pyspark.sql import SparkSession

from awsglue.dynamicframe import DynamicFrame

CATALOG: dict[tuple[str, str], tuple[str, list[str]]] = {}  # (database, table): where it lies, its columns


class GlueContext:
    """As much of it as is used."""

    def __init__(self, spark_context):
        self.spark_session = SparkSession(spark_context)
        self.create_dynamic_frame = self

    def from_options(self, connection_type, connection_options, format, transformation_ctx) -> DynamicFrame:
        assert (connection_type, format, connection_options["recurse"]) == ("s3", "json", True)
        reader = self.spark_session.read.option("recursiveFileLookup", True)
        return DynamicFrame(reader.json(connection_options["paths"]))

    def from_catalog(self, database, table_name, transformation_ctx) -> DynamicFrame:
        path, columns = CATALOG[database, table_name]
        return DynamicFrame(self.spark_session.read.parquet(path).select([f"`{each}`" for each in columns]))

    def purge_s3_path(self, path: str, options: dict) -> None:
        assert options == {"retentionPeriod": 0}, "without it Glue keeps what is younger than a week"
        shutil.rmtree(path, ignore_errors=True)

    def getSink(self, connection_type, path, enableUpdateCatalog, updateBehavior, partitionKeys, transformation_ctx):
        assert (connection_type, enableUpdateCatalog, partitionKeys) == ("s3", True, [])
        assert updateBehavior == "UPDATE_IN_DATABASE"
        return _Sink(path)


class _Sink:
    def __init__(self, path: str):
        self._path, self._table = path, None

    def setCatalogInfo(self, catalogDatabase: str, catalogTableName: str) -> None:
        self._table = catalogDatabase, catalogTableName

    def setFormat(self, format: str, compression: str) -> None:
        assert (format, compression) == ("glueparquet", "snappy")

    def writeFrame(self, frame: DynamicFrame) -> None:
        """As Glue: adds files to those that are there, and makes or updates the table."""
        Path(self._path).mkdir(parents=True, exist_ok=True)
        frame.toDF().write.mode("append").parquet(self._path)
        CATALOG[self._table] = self._path, frame.toDF().columns
