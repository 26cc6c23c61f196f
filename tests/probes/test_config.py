"""A probe's settings are strict, speak, and show no secret."""

from __future__ import annotations

import pytest

from netmon.errors import ConfigError
from probes.config import (
    gateway_token,
    load_probe_settings,
    measure_address,
    parse_address,
)
from probes.settings import MethodSettings

WHOLE = """
probe = "gs-07-p1"
building = "gs-07"
line = "gs-07-main"
spool = "data/spool.sqlite3"
[gateway]
url = "https://netmon.example.org"
token_file = "gateway.token"
[server]
address = "messserver.example.org:5201"
token_file = "server.token"
[throughput]
interval_s = 1800
[dns]
name = "www.dortmund.de"
"""


@pytest.fixture
def load(tmp_path):
    def write_and_load(text=WHOLE):
        (tmp_path / "probe.toml").write_text(text, encoding="utf-8")
        return load_probe_settings(tmp_path / "probe.toml")

    return write_and_load


def test_whole_file(load, tmp_path):
    settings = load()
    assert settings.probe == "gs-07-p1"
    assert settings.throughput.interval_s == 1800
    assert settings.latency == MethodSettings().latency
    assert settings.spool == str(tmp_path / "data/spool.sqlite3")
    assert settings.gateway.token_file == str(tmp_path / "gateway.token")
    assert settings.gateway.ca_file == ""


def test_absolute_paths_stay(load):
    settings = load(WHOLE.replace("data/spool", "/srv/spool"))
    assert settings.spool == "/srv/spool.sqlite3"


def test_secrets_come_from_files_and_hide(load, tmp_path):
    (tmp_path / "gateway.token").write_text("gateway-secret\n")
    (tmp_path / "server.token").write_text("server-secret\n")
    settings = load()
    address = measure_address(settings)
    assert (address.host, address.port) == ("messserver.example.org", 5201)
    assert address.token.reveal() == "server-secret"
    assert gateway_token(settings).reveal() == "gateway-secret"
    shown = repr(settings) + repr(address)
    assert "gateway-secret" not in shown
    assert "server-secret" not in shown


def test_missing_token_file_names_its_setting(load):
    with pytest.raises(ConfigError, match=r"gateway\.token \[gateway\.token_file\]"):
        gateway_token(load())


@pytest.mark.parametrize(
    ("old", "new", "field", "text"),
    [
        ('probe = "gs-07-p1"', "", "probe", "is missing"),
        ("interval_s", "intervall_s", "throughput.intervall_s", "there is no such key"),
        ("1800", '"often"', "throughput.interval_s", "is no number"),
        ("1800", "-5", "throughput.interval_s", "-5 is outside 0 to 604800"),
        ("1800", "1800\nmax_bytes = 5", "throughput.max_bytes", "5 is outside"),
        ("https://", "ftp://", "gateway.url", "is no web address"),
        (":5201", "", "server.address", "is no address"),
        ('"gateway.token"', '""', "gateway.token_file", "is empty"),
        ('"gs-07"', '"gs\\n07"', "building", "is no name"),
        ("[dns]", '[dns]\nserver = "ns1"', "dns.server", "'ns1' is no IP address"),
        ("[dns]", "[latency]\ncount = 0\n[dns]", "latency.count", "0 is outside"),
        ("[dns]", "[latency]\nsize_bytes = 9\n[dns]", "latency.size_bytes", "9 is out"),
        ("[gateway]", "spool_max_records = 0\n[gateway]", "spool_max_records", "is 0"),
        ("[gateway]", "[gateway", None, "no TOML"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_field(load, old, new, field, text):
    with pytest.raises(ConfigError) as caught:
        load(WHOLE.replace(old, new, 1))
    (problem,) = caught.value.problems
    assert problem.field == field
    assert text in problem.text
    assert problem.fix
    assert problem.source.endswith("probe.toml")


def test_all_senseless_values_are_named_at_once(load):
    text = WHOLE.replace("1800", "-1").replace("https", "ftp").replace(":5201", "")
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert len(caught.value.problems) == 3


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml: No such file"):
        load_probe_settings(tmp_path / "nowhere.toml")


def test_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "p.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is no UTF-8"):
        load_probe_settings(tmp_path / "p.toml")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("host:5201", ("host", 5201)),
        ("192.0.2.1:1", ("192.0.2.1", 1)),
        ("[2001:db8::1]:65535", ("2001:db8::1", 65535)),
    ],
)
def test_addresses(text, address):
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "host", "host:", ":5", "host:0", "h:65536", "h:x"]
)
def test_no_addresses(text):
    with pytest.raises(ValueError, match="is no address"):
        parse_address(text)
