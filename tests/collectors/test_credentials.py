"""The file of secrets: strict, and it never says what a secret is."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from collectors.credentials import load_credentials
from netmon.errors import ConfigError

V3 = """\
[default]
version = "v3"
user = "netmon"
auth_protocol = "sha256"
auth_secret = "hidden-auth-1"
priv_protocol = "aes128"
priv_secret = "hidden-priv-1"
"""


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "snmp.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_credentials(path)
    text = str(caught.value)
    assert "hidden" not in text
    return [str(problem).removeprefix(f"{path}") for problem in caught.value.problems]


def test_v3_with_authentication_and_privacy(tmp_path: Path) -> None:
    found = load_credentials(written(tmp_path, V3)).get("default")
    assert (found.version, found.user, found.driver) == ("v3", "netmon", "gufo")
    assert found.auth_secret is not None
    assert found.auth_secret.reveal() == "hidden-auth-1"


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "community"
    secret.write_text("hidden-word\n", encoding="utf-8")
    secret.chmod(0o640)
    text = f'[old]\nversion = "v2c"\ncommunity_file = "{secret}"\ndriver = "pysnmp"\n'
    found = load_credentials(written(tmp_path, text)).get("old")
    assert found.driver == "pysnmp"
    assert found.community is not None
    assert found.community.reveal() == "hidden-word"


def test_no_way_of_looking_at_credentials_shows_a_secret(tmp_path: Path) -> None:
    loaded = load_credentials(written(tmp_path, V3))
    entry = loaded.get("default")
    shown = [repr(loaded), repr(entry), str(entry), f"{entry!s:>5}"]
    with pytest.raises(TypeError) as caught:
        msgspec.json.encode(entry)
    shown.append(str(caught.value))
    assert not [text for text in shown if "hidden" in text]


def test_a_missing_name_is_named(tmp_path: Path) -> None:
    loaded = load_credentials(written(tmp_path, V3))
    with pytest.raises(ConfigError, match="no credential called 'radio-links'"):
        loaded.get("radio-links")
    with pytest.raises(ConfigError) as caught:
        loaded.require({"default", "one", "two"})
    assert [problem.field for problem in caught.value.problems] == ["one", "two"]


@pytest.mark.parametrize("mode", [0o644, 0o602, 0o660, 0o777])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    assert problems(written(tmp_path, V3, mode)) == [
        ": holds secrets and is open to others -> chmod 600, or 640 with a group of"
        " its own"
    ]


@pytest.mark.parametrize(
    "entry",
    [
        'version = "v2c"\ncommunity_file = "{}"',
        'kind = "ssh"\nuser = "n"\npassword_file = "{}"',
        'kind = "ssh"\nuser = "n"\nkey_file = "{}"',
    ],
)
def test_so_is_a_secrets_own_file(tmp_path: Path, entry: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden-word", encoding="utf-8")
    secret.chmod(0o644)
    path = written(tmp_path, f"[a]\n{entry.format(secret)}\n")
    with pytest.raises(ConfigError, match=f"{secret} .*is open to others"):
        load_credentials(path)
    secret.chmod(0o600)
    assert load_credentials(path).names == ["a"]


def test_a_file_in_latin1_is_refused_in_words(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_bytes(V3.replace("hidden-auth", "hidden-\xe4").encode("latin-1"))
    assert problems(path) == [": is no UTF-8 -> store the file as UTF-8"]


def test_a_group_of_its_own_may_read(tmp_path: Path) -> None:
    assert load_credentials(written(tmp_path, V3, 0o640)).names == ["default"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'version = "v3"',
            'version = "hidden"',
            " [default.version]: is none of the values that can be chosen"
            " -> use one of v2c, v3",
        ),
        (
            'user = "netmon"',
            'usr = "netmon"',
            " [default.usr]: there is no such key"
            " -> did you mean 'user'? see docs/betrieb/sammler.md",
        ),
        (
            'user = "netmon"\n',
            "",
            " [default.user]: is missing -> add the user",
        ),
        (
            'auth_secret = "hidden-auth-1"',
            "",
            " [default.auth_secret]: is missing, v3 needs it"
            " -> add auth_secret, auth_secret_file or auth_secret_env",
        ),
        (
            "hidden-priv-1",
            "hidden",
            " [default.priv_secret]: has under 8 characters"
            " -> use the secret that is set on the device",
        ),
        (
            '"hidden-auth-1"',
            "hidden-auth-1",
            ": is no TOML -> mend the syntax; the place is not told because the file"
            " holds secrets",
        ),
        (
            "[default]",
            '[default]\nauth_secret_file = "x"',
            " [default.auth_secret]: is given twice"
            " -> keep one of auth_secret, auth_secret_file and auth_secret_env",
        ),
    ],
)
def test_a_wrong_entry_is_refused_in_words(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in V3
    assert problems(written(tmp_path, V3.replace(old, new, 1))) == [message]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.toml") == [
        ": No such file or directory -> name a readable file"
    ]


def test_secrets_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_COMMUNITY", "aus-der-umgebung")
    path = written(tmp_path, '[a]\nversion = "v2c"\ncommunity_env = "TEST_COMMUNITY"\n')
    community = load_credentials(path).get("a").community
    assert community is not None
    assert community.reveal() == "aus-der-umgebung"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('version = "v2c"\ncommunity_env = "TEST_NOT_SET"', "no environment variable"),
        ('version = "v2c"\ncommunity = "x"\ncommunity_env = "Y"', "is given twice"),
        ('kind = "ssh"\nuser = "netmon"', "either a password or a key"),
        ('kind = "ssh"\nuser = ""\npassword = "x"', "is missing"),
        ('kind = "ssh"\nuser = "n"\nkey_file = "/nowhere/key"', "is no file"),
        ('kind = "ssh"\nuser = "n"\npassword = "geheim"\nport = 1', "port"),
    ],
)
def test_what_ssh_and_the_environment_need(
    tmp_path: Path, text: str, wrong: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load_credentials(written(tmp_path, f"[a]\n{text}\n"))
    assert wrong in str(refused.value)
    assert "geheim" not in str(refused.value)


def test_ssh_has_a_section_of_its_own_kind(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("wort-eins\n")
    secret.chmod(0o600)
    path = written(
        tmp_path,
        f'[s]\nkind = "ssh"\nuser = "netmon"\npassword_file = "{secret}"\n'
        'enable_secret = "wort-zwei"\n',
    )
    credentials = load_credentials(path)
    found = credentials.get_ssh("s")
    assert found.password is not None
    assert found.password.reveal() == "wort-eins"
    assert found.enable_secret is not None
    assert credentials.names == ["s"]
    assert "wort" not in repr(found)
    with pytest.raises(ConfigError, match="is a credential for SSH"):
        credentials.get("s")
