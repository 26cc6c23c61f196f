"""Settings: one TOML file, strict; defaults stand here and nowhere else.

Unknown keys are refused, each problem names the field and the fix. Secrets
come from files and never appear in ``repr`` or a dump.
"""

from __future__ import annotations

import os
from math import inf
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from netmon.errors import ConfigError, WrongValueError
from netmon.login_settings import LoginSettings, MetricsSettings, refuse_nets
from netmon.notify_settings import (
    ContactSettings,
    NotifySettings,
    RecipientSettings,
    ReminderSettings,
    refuse_addresses,
)
from netmon.refused import refused
from netmon.rule_overrides import MAX_COUNT, RuleOverride, refuse_doubles
from netmon.sink_settings import SinkSettings
from netmon.site_settings import SiteSettings
from netmon.store_settings import StoreSettings
from netmon.strict_files import as_struct, read_toml
from netmon.units import named_rate_bps, parse_rate_bps


class Secret:
    """A text that hides itself from ``repr``, ``str`` and encoders."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the secret itself, for the one call that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is never pickled")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def _outside(name: str, value: float, low: float, high: float) -> WrongValueError:
    return WrongValueError("outside", name=name, value=value, low=low, high=high)


def _port(port: int) -> None:
    if not 0 <= port <= 65535:
        raise _outside("port", port, 0, 65535)


def _more_than_0(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < inf:
            raise WrongValueError("not_more_than_0", name=name, value=value)


class GatewaySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the gateway and the status site listen, and how links to it begin."""

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = "http://127.0.0.1:8080"

    def __post_init__(self) -> None:
        """Refuse values that make no sense; msgspec names the field's path."""
        _port(self.port)
        parts = urlsplit(self.public_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise WrongValueError("no_web_address", name="public_url")


class TsdbSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The time-series database: VictoriaMetrics or InfluxDB 2.x, by v2 write API.

    The relay is off while ``url`` is empty. ``token_file`` holds the API token.
    """

    url: str = ""
    bucket: str = "netmon"
    org: str = "netmon"
    token_file: str = ""


class MailSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """SMTP; nothing is sent while ``host`` is empty, mails wait in the store."""

    host: str = ""
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_file: str = ""
    ca_file: str = ""
    sender: str = "netmon@localhost"
    recipients: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse values that make no sense; msgspec names the field's path."""
        _port(self.port)
        # "netmon <netmon@…>" is an address too.
        refuse_addresses("sender", (self.sender.rpartition("<")[2].rstrip(">"),))
        refuse_addresses("recipients", self.recipients)


class AlertSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How alarms are confirmed and told; ``rules`` says what differs somewhere."""

    interval_s: float = 15.0
    line_confirm_count: int = 3
    line_clear_count: int = 2
    line_breaks_count: int = 4
    ap_confirm_count: int = 2
    ap_clear_count: int = 1
    no_data_after_s: float = 3 * 3600.0
    device_confirm_count: int = 3
    device_clear_count: int = 1
    line_down_after_s: float = 600.0
    blind_after_s: float = 300.0
    blind_share: float = 0.3
    rules: tuple[RuleOverride, ...] = ()
    notify: NotifySettings = NotifySettings()
    recipients: RecipientSettings = RecipientSettings()
    contacts: ContactSettings = ContactSettings()
    reminders: ReminderSettings = ReminderSettings()

    def __post_init__(self) -> None:
        """Refuse values that make no sense; msgspec names the field's path."""
        values = msgspec.structs.asdict(self).items()
        _more_than_0(**{k: v for k, v in values if isinstance(v, int | float)})
        if self.blind_share >= 1:
            # More than all can't fall silent.
            raise WrongValueError(
                "not_below_1", name="blind_share", value=self.blind_share
            )
        if self.line_breaks_count > MAX_COUNT:
            raise _outside("line_breaks_count", self.line_breaks_count, 1, MAX_COUNT)
        refuse_doubles(self.rules)


class CollectorSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """SNMP polling. ``credentials_file`` is TOML, readable by netmon only.

    Values are asked every ``interval_s``, names and what else hardly ever changes
    every ``structure_s`` or when a device shows that it has changed. ``source`` is
    the name the token was made for (``netmon sources add``). ``traps_listen`` is
    ``host:port`` where devices send traps and informs, empty for nowhere.
    ``known_hosts_file`` holds the keys of devices asked by SSH. ``management_nets``
    are networks in which SNMPv2c may be spoken, for ``netmon collect check``.
    """

    source: str = "collector"
    interval_s: float = 300.0
    structure_s: float = 3600.0
    concurrency: int = 100
    credentials_file: str = ""
    gateway_url: str = "http://127.0.0.1:8080"
    token_file: str = ""
    traps_listen: str = ""
    known_hosts_file: str = ""
    management_nets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse values that make no sense; msgspec names the field's path."""
        if self.traps_listen:
            host, _, port = self.traps_listen.rpartition(":")
            if not host or not port.isdecimal() or not 0 <= int(port) <= 65535:
                raise WrongValueError("no_listen_address", name="traps_listen")
        refuse_nets("management_nets", self.management_nets)
        _more_than_0(
            interval_s=self.interval_s,
            structure_s=self.structure_s,
            concurrency=self.concurrency,
        )


class MeasureServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A measurement server that slots are given out for.

    ``address`` is ``host:port`` as the probes reach it, ``capacity`` the rate of its
    network with unit, ``max_tests`` what it is told by ``--max-tests``.
    """

    id: str
    address: str
    capacity: str
    max_tests: int = 8

    def __post_init__(self) -> None:
        """Refuse values that make no sense; msgspec names the field's path."""
        host, _, port = self.address.rpartition(":")
        if not self.id or not self.id.isprintable() or len(self.id) > 64:
            raise WrongValueError("no_name", name="id", longest=64)
        if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
            raise WrongValueError("no_address", name="address", value=self.address)
        if not 1 <= self.max_tests <= 1000:
            raise _outside("max_tests", self.max_tests, 1, 1000)
        named_rate_bps("capacity", self.capacity)

    @property
    def capacity_bps(self) -> int:
        """The capacity in bit/s each way."""
        return parse_rate_bps(self.capacity)


# A day's budget above this would be load, not measurement.
MAX_BUDGET_SHARE = 0.1


class MeasureSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Slots of the measurement servers, best server first; none: no slots.

    ``key_file`` holds the key that signs leases; the servers have the same one.
    The rest is what probes are told: the city's ``calendar_file``, one
    ``<building>.toml`` in ``calendar_dir`` for each that differs, ``budget_share`` of
    what the contract could carry in a day (0: no test loads a line but to confirm an
    alarm), full tests outside lessons, and how long a slot of lesson time, which owes
    a statement, may be.
    """

    key_file: str = ""
    servers: tuple[MeasureServerSettings, ...] = ()
    calendar_file: str = ""
    calendar_dir: str = ""
    budget_share: float = 0.001
    full_tests_per_day: int = 2
    slot_s: float = 3600.0

    def __post_init__(self) -> None:
        """Refuse servers without a key, two of one name, and plans out of bounds."""
        if not 0 <= self.budget_share <= MAX_BUDGET_SHARE:
            raise _outside("budget_share", self.budget_share, 0, MAX_BUDGET_SHARE)
        if not 0 <= self.full_tests_per_day <= 24:
            raise _outside("full_tests_per_day", self.full_tests_per_day, 0, 24)
        if not 1 <= self.slot_s <= 3600:
            raise _outside("slot_s", self.slot_s, 1, 3600)
        names = [server.id for server in self.servers]
        if len(set(names)) != len(names):
            raise WrongValueError("two_servers", name="servers")
        if names and not self.key_file:
            raise WrongValueError("key_file_needed", name="key_file")


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings. ``data_dir`` holds the state store and the spools."""

    data_dir: str = "var"
    language: Literal["de", "en"] = "de"
    gateway: GatewaySettings = GatewaySettings()
    store: StoreSettings = StoreSettings()
    tsdb: TsdbSettings = TsdbSettings()
    mail: MailSettings = MailSettings()
    alerts: AlertSettings = AlertSettings()
    collector: CollectorSettings = CollectorSettings()
    measure: MeasureSettings = MeasureSettings()
    sinks: SinkSettings = SinkSettings()
    login: LoginSettings = LoginSettings()
    site: SiteSettings = SiteSettings()
    metrics: MetricsSettings = MetricsSettings()

    @property
    def state_path(self) -> Path:
        """The state store's file."""
        return Path(self.data_dir) / "state.sqlite3"


def load_settings(path: Path | None) -> Settings:
    """Return the settings of a file, or the defaults for None.

    ``NETMON_DATA`` overrides ``data_dir``.

    Raises:
        ConfigError: the file is missing, no TOML, or a key or value is wrong.
    """
    raw = {} if path is None else read_toml(path)
    if data_dir := os.environ.get("NETMON_DATA"):
        raw["data_dir"] = data_dir
    return as_struct(
        raw,
        Settings,
        source=str(path or "environment"),
        see="docs/betrieb/einstellungen.md",
    )


def read_secret(file: str, *, setting: str) -> Secret | None:
    """Return the secret in a file, stripped; None where no file is set.

    Raises:
        ConfigError: the file cannot be read, is empty or no text.
    """
    if not file:
        return None
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        wrong = refused(file, setting, "secret_unreadable", why=error)
        raise ConfigError([wrong]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([refused(file, setting, "no_utf8")]) from error
    if not text:
        raise ConfigError([refused(file, setting, "secret_empty")])
    return Secret(text)
