"""Why an action is refused, told in the words of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from netmon.errors import NetmonError
from netmon.texts import Texts


class Refusal(StrEnum):
    """How an action can be refused: bad input, nothing there, no longer possible."""

    INVALID = "invalid"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong; ``code`` ends the keys of its text and fix.

    ``field`` is as the API calls it; None where the whole action is meant.
    """

    code: str
    field: str | None = None
    values: tuple[tuple[str, str], ...] = ()

    def text(self, texts: Texts) -> str:
        """Return what is wrong."""
        return texts(f"actions.fault.{self.code}.text", **dict(self.values))

    def fix(self, texts: Texts) -> str:
        """Return what helps."""
        return texts(f"actions.fault.{self.code}.fix", **dict(self.values))


def fault(code: str, field: str | None = None, **values: object) -> Fault:
    """Return a fault with what its text names."""
    told = tuple((name, str(value)) for name, value in values.items())
    return Fault(code, field, told)


class ActionError(NetmonError):
    """An action was refused and nothing was written; ``faults`` has every reason."""

    def __init__(self, kind: Refusal, faults: list[Fault]) -> None:
        super().__init__("; ".join(one.code for one in faults))
        self.kind = kind
        self.faults = faults
