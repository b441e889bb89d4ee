"""The five transformations as one would write them in Polars. Usage: with_polars.py SOURCE TARGET"""

import sys
from pathlib import Path

import polars as pl

source, target = map(Path, sys.argv[1:])
text, whole = pl.String, pl.Int64
dates = ("registrationDate", "lastUpdateDate", "shareWithResearchAsOfDate", "shareWithPublicAsOfDate",
         "shareWithFriendsAsOfDate")  # fmt: skip
SCHEMAS = {
    "customer": dict.fromkeys(("customerName", "email", "phone", "birthDay", "serialNumber"), text)
    | dict.fromkeys(dates, whole),
    "accelerometer": {"user": text, "timestamp": whole, "x": pl.Float64, "y": pl.Float64, "z": pl.Float64},
    "step_trainer": {"sensorReadingTime": whole, "serialNumber": text, "distanceFromObject": pl.Int32},
}


def landing(subject: str) -> pl.LazyFrame:
    """All files of a subject."""
    return pl.scan_ndjson(source / subject / "landing" / "*.json", schema=SCHEMAS[subject])


def write(name: str, frame: pl.LazyFrame) -> pl.LazyFrame:
    """Keep a table, and go on from there."""
    path = target / f"{name}.parquet"
    frame.sink_parquet(path, compression="zstd")
    return pl.scan_parquet(path)


trusted = write("customer_trusted", landing("customer").filter(pl.col("shareWithResearchAsOfDate").is_not_null()))
phones = landing("accelerometer").join(trusted, left_on="user", right_on="email", how="semi")
phones = write("accelerometer_trusted", phones)
curated = write("customer_curated", trusted.join(phones, left_on="email", right_on="user", how="semi"))
trainers = write("step_trainer_trusted", landing("step_trainer").join(curated, on="serialNumber", how="semi"))
joined = trainers.join(phones, left_on="sensorReadingTime", right_on="timestamp", coalesce=False)
write("machine_learning_curated", joined)
