"""The options of a run."""

from dataclasses import asdict, dataclass

from stedi.contract import paths, tables
from stedi.storage.record import LimitOptions


@dataclass
class Options:
    """What a user can choose; each notebook is given those that it has as parameters."""

    source: str = paths.SOURCE
    lakehouse: str = paths.LAKEHOUSE
    reports: str = paths.REPORTS
    screenshots: str = paths.SCREENSHOTS
    policy: str = "course"
    engine: str = "duckdb"
    max_quarantined: int = 0
    compare_policies: bool = False
    memory_limit: str = ""
    threads: int = 0
    spark_settings: str = ""
    full: bool = False
    max_dollars: float = 1.0
    customers: str = ""
    accelerometer: str = ""
    step_trainer: str = ""

    @property
    def table_sources(self) -> dict[str, str]:
        """The places that landing tables have of their own, by table."""
        return tables.sources(asdict(self))

    @property
    def limits(self) -> LimitOptions:
        """How much of the machine an engine may use."""
        return LimitOptions(memory_limit=self.memory_limit, threads=self.threads, spark_settings=self.spark_settings)
