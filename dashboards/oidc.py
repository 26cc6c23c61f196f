"""Logging in at the city's own identity provider: OpenID Connect, code flow with PKCE.

Done by authlib; what it leaves to the caller is here: where the provider is (discovery),
that the answer belongs to the question (state, nonce, PKCE), and what its word is
worth (issuer, audience, signature, expiry: OpenID Connect Core 1.0, 3.1.3.7).
"""

from __future__ import annotations

import logging
import secrets
import ssl
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2 import OAuth2Error
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from dashboards.visitors import Entry
from netmon.accounts.sessions import may
from netmon.config import Secret, read_secret
from netmon.errors import ConfigError
from netmon.login_settings import OidcSettings
from netmon.refused import refused
from netmon.storage.account_records import Role

_log = logging.getLogger(__name__)

ROLES: Mapping[str, Role] = {
    "lesen": Role.READ,
    "bedienen": Role.OPERATE,
    "verwalten": Role.ADMIN,
}
# Who does not come back in this time begins anew.
WAIT_S = 600.0
# Nobody may fill the memory by beginning and never coming back.
_MOST_WAITING = 1000
_TIMEOUT_S = 10.0
_LEEWAY_S = 60
# Signatures that a provider makes; "none" and those with a shared secret are not.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"]


class ProviderError(Exception):
    """The provider did not answer, or its answer does not hold; for the log."""


class NoRoleError(Exception):
    """Somebody is known to the provider, but has no role here."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    nonce: str
    verifier: str
    next_path: str
    since_s: float


class Provider:
    """One provider; keeps who is on the way to it and back."""

    def __init__(self, settings: OidcSettings, public_url: str) -> None:
        """Read the secret.

        Raises:
            ConfigError: a file cannot be read.
        """
        self._settings = settings
        self._redirect_uri = f"{public_url.rstrip('/')}/anmelden/oidc"
        where = "login.oidc"
        secret = read_secret(
            settings.client_secret_file, setting=f"{where}.client_secret_file"
        )
        self._secret = secret or Secret("")
        try:
            self._tls = ssl.create_default_context(cafile=settings.ca_file or None)
        except (OSError, ssl.SSLError) as error:
            field = f"{where}.ca_file"
            wrong = refused(settings.ca_file, field, "no_certificates", why=error)
            raise ConfigError([wrong]) from error
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()

    async def begin(self, next_path: str) -> tuple[str, str]:
        """Return the provider's address to go to, and the state that comes back.

        Raises:
            ProviderError: it does not say where it is.
        """
        async with self._client() as client:
            found = await self._discover(client)
            waiting = _Waiting(
                nonce=secrets.token_urlsafe(24),
                verifier=secrets.token_urlsafe(48),
                next_path=next_path,
                since_s=time.monotonic(),
            )
            url, state = client.create_authorization_url(
                found["authorization_endpoint"],
                nonce=waiting.nonce,
                code_verifier=waiting.verifier,
            )
        self._waiting[state] = waiting
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.popitem(last=False)
        return str(url), str(state)

    async def finish(self, url: str, state: str) -> tuple[Entry, str]:
        """Return who came back, and the page they wanted.

        ``url`` is the whole address the provider led to.

        Raises:
            ProviderError: nobody waits for that, or the answer does not hold.
            NoRoleError: the person has no role here.
        """
        waiting = self._waiting.pop(state, None)
        if waiting is None or time.monotonic() - waiting.since_s > WAIT_S:
            raise ProviderError("nobody waits for this answer, or no longer")
        async with self._client() as client:
            found = await self._discover(client)
            try:
                token = await client.fetch_token(
                    found["token_endpoint"],
                    authorization_response=url,
                    state=state,
                    code_verifier=waiting.verifier,
                )
            except (OAuth2Error, OAuthError, httpx.HTTPError) as error:
                raise ProviderError(f"no token: {error}") from None
            keys = await self._get(client, found["jwks_uri"])
        claims = self._claims(token, keys, found["issuer"], waiting.nonce)
        return self._entry(claims), waiting.next_path

    def _client(self) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=self._settings.client_id,
            client_secret=self._secret.reveal(),
            redirect_uri=self._redirect_uri,
            scope=" ".join(self._settings.scopes),
            code_challenge_method="S256",
            verify=self._tls,
            timeout=_TIMEOUT_S,
            trust_env=False,
        )

    async def _discover(self, client: AsyncOAuth2Client) -> Mapping[str, str]:
        issuer = self._settings.issuer.rstrip("/")
        found = await self._get(client, f"{issuer}/.well-known/openid-configuration")
        if str(found.get("issuer", "")).rstrip("/") != issuer:
            raise ProviderError("the provider calls itself by another issuer")
        return found

    async def _get(self, client: AsyncOAuth2Client, url: str) -> dict[str, Any]:
        try:
            answer = await client.request("GET", url, withhold_token=True)
            answer.raise_for_status()
            said = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderError(f"{url}: {type(error).__name__}: {error}") from None
        if not isinstance(said, dict):
            raise ProviderError(f"{url}: no JSON object")
        return said

    def _claims(
        self,
        token: Mapping[str, Any],
        keys: dict[str, Any],
        issuer: str,
        nonce: str,
    ) -> Mapping[str, Any]:
        checks = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": self._settings.client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            key_set = KeySet.import_key_set(keys)  # type: ignore[arg-type]
            said = jwt.decode(str(token["id_token"]), key_set, algorithms=_ALGORITHMS)
            checks.validate(said.claims)
        except (KeyError, ValueError, JoseError) as error:
            raise ProviderError(f"ID token: {type(error).__name__}: {error}") from None
        return said.claims

    def _entry(self, claims: Mapping[str, Any]) -> Entry:
        settings = self._settings
        groups = _texts(claims.get(settings.role_claim))
        roles = [ROLES[settings.roles[g]] for g in groups if g in settings.roles]
        name = str(claims.get(settings.name_claim) or claims.get("sub") or "")
        if not roles or not name:
            raise NoRoleError
        highest = roles[0]
        for role in roles:
            highest = role if may(role, highest) else highest
        districts = [settings.districts[g] for g in groups if g in settings.districts]
        return Entry(name, highest, districts[0] if districts else None)


def _texts(value: object) -> Sequence[str]:
    if isinstance(value, str):
        return [value]
    return [str(each) for each in value] if isinstance(value, list) else []
