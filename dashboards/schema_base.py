"""What all answers of the JSON API share: units in the names, times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


Moment = Annotated[
    datetime, PlainSerializer(_iso, return_type=str), Field(description="UTC")
]
Generated = Annotated[
    bool, Field(description="True for made-up data of the demo, never for measured")
]
Stale = Annotated[
    bool, Field(description="The value is too old to say something about now")
]


class Reply(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(frozen=True)
