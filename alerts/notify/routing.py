"""Which addresses an audience has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from alerts.classes import Audience
from netmon.config import Settings


@dataclass(frozen=True, slots=True)
class Routing:
    """The table of recipients; an address stands in a list once."""

    service: tuple[str, ...]
    noc: tuple[str, ...]
    district: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, settings: Settings) -> Routing:
        """Return the table of the settings; `mail.recipients` are service as well."""
        told = settings.alerts.recipients
        service = (*told.service, *settings.mail.recipients)
        return cls(tuple(dict.fromkeys(service)), told.noc, told.district)

    def everybody(self) -> tuple[str, ...]:
        """Return all addresses there are, each once."""
        return self.addresses(Audience, self.district)

    def addresses(
        self, audiences: Iterable[Audience], districts: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """Return the addresses of audiences in their order, each once."""
        found: list[str] = []
        for audience in audiences:
            if audience is Audience.SERVICE:
                found += self.service
            elif audience is Audience.NOC:
                found += self.noc
            else:
                for name in sorted(set(districts)):
                    found += self.district.get(name, ())
        return tuple(dict.fromkeys(found))
