"""Frames: a data frame of Spark's, whose JSON columns may be of several types until they are resolved."""

from pyspark.sql import functions


class DynamicFrame:
    """As much of it as is used."""

    def __init__(self, frame):
        self._frame = frame

    @classmethod
    def fromDF(cls, frame, context, name: str) -> "DynamicFrame":
        return cls(frame)

    def resolveChoice(self, specs: list[tuple[str, str]]) -> "DynamicFrame":
        """Cast columns; one that no record has is absent on Glue as well, and is left out."""
        frame = self._frame
        for name, action in specs:
            verb, _, kind = action.partition(":")
            assert verb == "cast"
            if name in frame.columns:
                frame = frame.withColumn(name, functions.col(f"`{name}`").cast(kind))
        return DynamicFrame(frame)

    def toDF(self):
        return self._frame
