"""Who may see the status site: local accounts, the city's own login, or everybody."""

from __future__ import annotations

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
