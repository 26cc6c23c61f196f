"""``/metrics`` names ids: this machine may read it, others by network or token."""

from __future__ import annotations

import httpx
import pytest

from dashboards.app import create_app
from netmon.config import Settings
from netmon.errors import ConfigError
from netmon.login_settings import LoginSettings, MetricsSettings

TOKEN = "a token that is long enough"


async def ask(app, host: str, token: str = "") -> httpx.Response:
    transport = httpx.ASGITransport(app=app, client=(host, 4711))
    headers = {"Authorization": f"Bearer {token}".encode()} if token else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://n") as client:
        return await client.get("/metrics", headers=headers)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.8.8.8", 200),
        ("::1", 200),
        ("::ffff:127.0.0.1", 200),
        ("10.1.2.3", 403),
        ("::ffff:10.1.2.3", 403),
        ("2001:db8::1", 403),
        ("testclient", 403),
        ("", 403),
    ],
)
async def test_without_a_setting_this_machine_alone(app, host, status):
    answer = await ask(app, host, "some token")
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["error"]["code"] == "forbidden_address"
        assert "netmon_" not in answer.text


class TestWithNetworkAndToken:
    @pytest.fixture
    def settings(self, tmp_path) -> Settings:
        token_file = tmp_path / "metrics.token"
        token_file.write_text(f"{TOKEN}\n")
        metrics = MetricsSettings(("10.1.2.0/24",), str(token_file))
        return Settings(login=LoginSettings(required=False), metrics=metrics)

    async def test_either_opens(self, app):
        assert (await ask(app, "10.1.2.3")).status_code == 200
        assert (await ask(app, "192.0.2.1", TOKEN)).status_code == 200

    @pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], "ü"])
    async def test_neither_does_not(self, app, token):
        answer = await ask(app, "127.0.0.1", token)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert TOKEN not in answer.text


def test_a_token_that_cannot_be_read_is_told_at_once(store, clock):
    settings = Settings(metrics=MetricsSettings(token_file="/nowhere/metrics.token"))
    with pytest.raises(ConfigError, match=r"metrics\.token_file"):
        create_app(settings, store, clock)
