"""The five transformations as one would write them in pandas. Usage: with_pandas.py SOURCE TARGET"""

import sys
from pathlib import Path

import pandas as pd

source, target = map(Path, sys.argv[1:])


def landing(subject: str) -> pd.DataFrame:
    """All files of a subject."""
    files = sorted((source / subject / "landing").glob("*.json"))
    return pd.concat([pd.read_json(file, lines=True, dtype=False) for file in files], ignore_index=True)


def write(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Keep a table."""
    frame.to_parquet(target / f"{name}.parquet", compression="zstd")
    return frame


customers, phones, trainers = (landing(subject) for subject in ("customer", "accelerometer", "step_trainer"))
trusted = write("customer_trusted", customers[customers["shareWithResearchAsOfDate"].notna()])
phones = write("accelerometer_trusted", phones[phones["user"].isin(trusted["email"])])
curated = write("customer_curated", trusted[trusted["email"].isin(phones["user"])])
trainers = write("step_trainer_trusted", trainers[trainers["serialNumber"].isin(curated["serialNumber"])])
write("machine_learning_curated", trainers.merge(phones, left_on="sensorReadingTime", right_on="timestamp"))
