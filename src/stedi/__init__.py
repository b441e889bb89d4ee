"""The STEDI lakehouse: landing JSON to a training table that holds only what customers agreed to share."""

from stedi.runs.lakehouse import Lakehouse
from stedi.runs.run import Run

__version__ = "0.1.0"
__all__ = ["Lakehouse", "Run"]
