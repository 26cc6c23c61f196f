"""Who may see what: the status site by accounts, netmon's own figures by network."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from netmon.errors import WrongValueError

RoleName = Literal["lesen", "bedienen", "verwalten"]


class OidcSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """OpenID Connect; off while ``issuer`` is empty.

    ``roles`` says which value of the claim ``role_claim`` gives which role, the
    highest counts; somebody without any may not log in. ``districts`` does the same
    for people who shall see one Campusbezirk only.
    """

    issuer: str = ""
    client_id: str = ""
    client_secret_file: str = ""
    ca_file: str = ""
    scopes: tuple[str, ...] = ("openid", "profile")
    name_claim: str = "preferred_username"
    role_claim: str = "groups"
    roles: dict[str, RoleName] = {}
    districts: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Refuse values that make no sense; msgspec names the field's path."""
        if not self.issuer:
            return
        parts = urlsplit(self.issuer)
        here = parts.hostname in {"127.0.0.1", "::1", "localhost"}
        if parts.scheme != "https" and not (parts.scheme == "http" and here):
            raise WrongValueError("issuer", name="issuer")
        if not self.client_id:
            raise WrongValueError("needed_with", name="client_id", other="issuer")
        if not self.client_secret_file:
            raise WrongValueError(
                "needed_with", name="client_secret_file", other="issuer"
            )
        if not self.roles:
            raise WrongValueError("no_roles", name="roles")
        if "openid" not in self.scopes:
            raise WrongValueError("no_openid", name="scopes")


class LoginSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``required`` False shows all pages to everybody who reaches them, to read."""

    required: bool = True
    oidc: OidcSettings = OidcSettings()


def refuse_nets(name: str, nets: Iterable[str]) -> None:
    """Refuse what is no network.

    Raises:
        WrongValueError: one of them is none.
    """
    for net in nets:
        try:
            ip_network(net)
        except ValueError:
            raise WrongValueError("no_network", name=name, value=net) from None


class MetricsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may read ``/metrics``: it names buildings and senders by their ids.

    Who asks from one of ``allowed_nets`` may, and who sends the token in ``token_file``;
    without such a file networks alone decide.
    """

    allowed_nets: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    token_file: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no network; msgspec names the field's path."""
        refuse_nets("allowed_nets", self.allowed_nets)

    def allows(self, host: str) -> bool:
        """Say whether an address is in one of the networks; no address is in none."""
        try:
            address = ip_address(host)
        except ValueError:
            return False
        # What a socket of both families calls an IPv4 address.
        mapped = getattr(address, "ipv4_mapped", None)
        nets = [ip_network(net) for net in self.allowed_nets]
        return any((mapped or address) in net for net in nets)
