"""Settings are strict and speak; secrets hide."""

from __future__ import annotations

import pickle

import msgspec
import pytest

from netmon.config import Secret, Settings, load_settings, read_secret
from netmon.errors import ConfigError


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    monkeypatch.delenv("NETMON_DATA", raising=False)


def test_defaults_need_no_file():
    settings = load_settings(None)
    assert settings == Settings()
    assert settings.state_path.name == "state.sqlite3"


def test_a_file_and_the_environment(tmp_path, monkeypatch):
    file = tmp_path / "netmon.toml"
    file.write_text('data_dir = "a"\n[gateway]\nport = 9000\n', encoding="utf-8")
    assert load_settings(file).gateway.port == 9000
    assert load_settings(file).data_dir == "a"
    monkeypatch.setenv("NETMON_DATA", "b")
    assert load_settings(file).data_dir == "b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datadir = 1", "[datadir]: there is no such key -> did you mean 'data_dir'?"),
        ("zzz = 1", "[zzz]: there is no such key -> see docs/"),
        ("[gateway]\nprot = 1", "[gateway.prot]: there is no such key -> did you mean"),
        ('[gateway]\nport = "x"', "[gateway.port]: is no whole number"),
        ("[gateway]\nport = 99999", "[gateway.port]: 99999 is outside 0 to 65535"),
        ("[gateway]\npublic_url = 'x.de'", "[gateway.public_url]: is no web address"),
        ("[mail]\nport = 65536", "[mail.port]: 65536 is outside"),
        ("[mail]\nsender = 'netmon'", "[mail.sender]: 'netmon' is no address"),
        ("[mail]\nrecipients = ['x']", "[mail.recipients]: 'x' is no address"),
        ("[mail]\nrecipients = 'a@b'", "[mail.recipients]: is no list"),
        ('[mail]\nsecurity = "ssl"', "-> use one of none, starttls, tls"),
        ("mail = 1", "[mail]: is no table"),
        ("[login]\nrequired = 1", "[login.required]: is neither true nor false"),
        ("[login.oidc.roles]\nx = 'y'", "use one of bedienen, lesen, verwalten"),
        ("[[measure.servers]]\nid = 'm'", "[measure.servers[0].address]: is missing"),
        ("[gateway]\nport 1", "netmon.toml:2: no TOML: "),
        ("gateway = [", "no TOML: "),
        (
            "[alerts]\nline_confirm_count = 0",
            "[alerts.line_confirm_count]: is 0 -> use more than 0",
        ),
        (
            "[store]\nkeep_polled_days = 0",
            "[store.keep_polled_days]: 0 is outside 1 to",
        ),
        ("[store]\nkeep_lines_days = 1", "[store.keep_lines_days]: 1 is outside 2 to"),
        ("[store]\nmin_free_mb = -1", "[store.min_free_mb]: -1 is outside 0 to"),
        ("[store]\nkeep_tests_days = 1.5", "[store.keep_tests_days]: is no whole"),
        (
            "[store]\nkeep_tests_days = 30",
            "[store.keep_tests_days]: is 30, shorter than keep_lines_days (35) -> write 35",
        ),
        (
            "[store]\nkeep_polled_days = 40",
            "[store.keep_lines_days]: is 35, shorter than keep_polled_days (40)",
        ),
        ("[collector]\ninterval_s = -1", "[collector.interval_s]: is -1"),
        ('[metrics]\nallowed_nets = ["all"]', "[metrics.allowed_nets]: "),
        *(
            (f'[site]\nmap_tiles_url = "{url}"', f"[site.{message}")
            for url, message in {
                "tiles.example/{z}/{x}/{y}": "map_tiles_url]: is no web address",
                "https://{s}.example/{z}/{x}/{y}": "map_tiles_url]: must name one host",
                "https://a.example; img-src *": "map_tiles_url]: must name one host",
                "https://a.example/{z}/{x}": "map_tiles_url]: lacks {y}",
                "https://a.example/{z}/{x}/{y}": "map_attribution]: is missing, but map_tiles_url",
            }.items()
        ),
    ],
)
def test_bad_files_are_refused_with_field_and_fix(tmp_path, text, message):
    file = tmp_path / "netmon.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    assert message in str(caught.value)
    assert " -> " in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.toml: No such file"):
        load_settings(tmp_path / "gone.toml")


def test_a_secret_shows_itself_to_nobody():
    secret = Secret("hunter2")
    assert secret.reveal() == "hunter2"
    shown = (repr(secret), str(secret), f"{secret}", f"{[secret]}")
    assert not any("hunter2" in text for text in shown)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_secrets_come_from_files(tmp_path):
    file = tmp_path / "token"
    file.write_text("abc\n", encoding="utf-8")
    assert read_secret(str(file), setting="x") == Secret("abc")
    assert read_secret("", setting="x") is None
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="is empty"):
        read_secret(str(file), setting="x")
    with pytest.raises(ConfigError, match=r"\[mail.password_file\]"):
        read_secret(str(tmp_path / "gone"), setting="mail.password_file")
