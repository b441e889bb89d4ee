"""The five transformations as one would write them in PySpark; all, or one as a job of its own, as Glue runs them.

Usage: with_spark.py SOURCE TARGET [STEP]
"""

import sys

from pyspark.sql import DataFrame, SparkSession

source, target, *steps = sys.argv[1:]
CUSTOMER = ("customerName string, email string, phone string, birthDay string, serialNumber string, registrationDate "
            "bigint, lastUpdateDate bigint, shareWithResearchAsOfDate bigint, shareWithPublicAsOfDate bigint, "
            "shareWithFriendsAsOfDate bigint")  # fmt: skip
PHONE = "user string, timestamp bigint, x double, y double, z double"
TRAINER = "sensorReadingTime bigint, serialNumber string, distanceFromObject int"
spark = (SparkSession.builder.master("local[*]").config("spark.driver.memory", "8g").config("spark.ui.enabled", "false")
         .config("spark.driver.host", "127.0.0.1").config("spark.log.level", "OFF").getOrCreate())  # fmt: skip


def landing(subject: str, schema: str) -> DataFrame:
    """All files of a subject."""
    return spark.read.schema(schema).json(f"{source}/{subject}/landing/")


def table(name: str) -> DataFrame:
    """What an earlier step wrote."""
    return spark.read.parquet(f"{target}/{name}")


def customer_trusted() -> DataFrame:
    """Customers who agreed."""
    return landing("customer", CUSTOMER).where("shareWithResearchAsOfDate is not null")


def accelerometer_trusted() -> DataFrame:
    """Their phones' readings."""
    phones, trusted = landing("accelerometer", PHONE), table("customer_trusted")
    return phones.join(trusted, phones.user == trusted.email, "leftsemi")


def customer_curated() -> DataFrame:
    """Those who have some."""
    trusted, phones = table("customer_trusted"), table("accelerometer_trusted")
    return trusted.join(phones, trusted.email == phones.user, "leftsemi")


def step_trainer_trusted() -> DataFrame:
    """Their trainers' readings."""
    return landing("step_trainer", TRAINER).join(table("customer_curated"), "serialNumber", "leftsemi")


def machine_learning_curated() -> DataFrame:
    """Both, by time."""
    trainers, phones = table("step_trainer_trusted"), table("accelerometer_trusted")
    return trainers.join(phones, trainers.sensorReadingTime == phones.timestamp)


STEPS = (customer_trusted, accelerometer_trusted, customer_curated, step_trainer_trusted, machine_learning_curated)
for step in STEPS:
    if not steps or step.__name__ in steps:
        step().write.mode("overwrite").option("compression", "zstd").parquet(f"{target}/{step.__name__}")
