"""Which incidents are shown: filters of the page *Störungen*, pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dashboards.views import IncidentView
from netmon.alarm_classes import RuleName, Severity

PAGE_SIZE = 100


class IncidentState(StrEnum):
    """What people look for; ``incidents.state.<state>`` names it."""

    OPEN = "open"
    UNSEEN = "unseen"
    ACKNOWLEDGED = "acknowledged"
    MUTED = "muted"
    OVER = "over"
    FALSE = "false"


def _empty_is_none(value: object) -> object:
    # A form sends every field; an untouched one arrives as an empty text.
    return None if value == "" else value


_Optional = BeforeValidator(_empty_is_none)


class IncidentFilter(BaseModel):
    """The page's query: every field is optional, empty means all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Annotated[RuleName | None, _Optional] = None
    severity: Annotated[Severity | None, _Optional] = None
    campus_district: Annotated[
        Annotated[str, Field(max_length=100)] | None, _Optional
    ] = None
    state: Annotated[IncidentState | None, _Optional] = None
    page: Annotated[int, Field(ge=1, le=1000)] = 1

    def query(self) -> dict[str, str]:
        """Return the parameters that differ from their defaults, for links."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        return {name: str(value) for name, value in fields.items()}

    @property
    def wants_open(self) -> bool:
        """Whether open incidents may be among what is asked for."""
        return self.state is not IncidentState.OVER

    @property
    def wants_past(self) -> bool:
        """Whether past incidents may be among what is asked for."""
        return self.state in {None, IncidentState.OVER, IncidentState.FALSE}

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return not (self.rule or self.severity or self.campus_district or self.state)

    def takes(self, view: IncidentView) -> bool:
        """Say whether an incident is asked for."""
        return (
            self.rule in {None, view.rule}
            and self.severity in {None, view.severity}
            and self.campus_district in {None, view.campus_district}
            and (self.state is None or _is_in(view, self.state))
        )


def _is_in(view: IncidentView, state: IncidentState) -> bool:
    is_open, decided = view.ended_ms is None, view.decided
    match state:
        case IncidentState.OPEN:
            return is_open
        case IncidentState.OVER:
            return not is_open
        case IncidentState.UNSEEN:
            return is_open and decided.acknowledged is None and decided.muted is None
        case IncidentState.ACKNOWLEDGED:
            return is_open and decided.acknowledged is not None
        case IncidentState.MUTED:
            return decided.muted is not None
        case IncidentState.FALSE:
            return decided.marked_false is not None
