"""Where incidents go beside mail; a sink without an address is off."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct

from netmon.errors import WrongValueError


def _web_address(url: str) -> None:
    parts = urlsplit(url)
    if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise WrongValueError("no_web_address", name="url")
    if parts.username or parts.password:
        raise WrongValueError("password_in_url", name="url")


class AlertmanagerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Prometheus Alertmanager: posted again every ``repeat_s`` while firing.

    An alert that is not posted again ends there after ``resolve_after_s``: what is
    left of netmon if netmon itself is gone. ``labels`` are added to every alert.
    """

    url: str = ""
    user: str = ""
    password_file: str = ""
    ca_file: str = ""
    repeat_s: float = 60.0
    resolve_after_s: float = 240.0
    labels: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Refuse values that make no sense; msgspec names the field's path."""
        _web_address(self.url)
        if not 0 < self.repeat_s < self.resolve_after_s:
            raise WrongValueError("resolve_after", name="resolve_after_s")


class WebhookSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket system that takes signed JSON; ``secret_file`` is what signs it."""

    url: str = ""
    secret_file: str = ""
    ca_file: str = ""

    def __post_init__(self) -> None:
        """Refuse values that make no sense; msgspec names the field's path."""
        _web_address(self.url)
        if self.url and not self.secret_file:
            raise WrongValueError("needed_with", name="secret_file", other="url")


class SinkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """All sinks."""

    alertmanager: AlertmanagerSettings = AlertmanagerSettings()
    webhook: WebhookSettings = WebhookSettings()
