"""What all parts of the results have in common."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0)]
Number = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
RunOutcome = Literal["passed", "failed", "stopped"]


class Part(BaseModel):
    """A part of the results. A field that is missing, unknown or of another type is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
