"""Accounts: passwords, guessing, sessions, and the commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from netmon.accounts.limiter import FREE_TRIES, LAST_WAIT_S, Limiter
from netmon.accounts.passwords import check_password, hash_password, is_outdated
from netmon.accounts.sessions import IDLE_MS, LONGEST_MS, is_over, may
from netmon.cli import main
from netmon.errors import InputError
from netmon.storage.account_records import Role, Session
from netmon.storage.sqlite import SqliteStore

GOOD = "apfel-tür-wolke-sieben"
NOW_MS = 1_795_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "state.sqlite3")
    yield opened
    opened.close()


def session(account_id: int | None = None, used_ms: int = NOW_MS) -> Session:
    return Session(
        name="ada",
        role=Role.OPERATE,
        campus_district="Campusbezirk 3",
        account_id=account_id,
        csrf="c",
        created_ms=NOW_MS,
        used_ms=used_ms,
    )


def test_a_password_is_checked_and_nobody_has_one() -> None:
    hashed = hash_password(GOOD, "ada")
    assert GOOD not in hashed
    assert check_password(hashed, GOOD)
    assert not check_password(hashed, GOOD + "x")
    assert not check_password(None, GOOD)
    assert not check_password("no hash at all", GOOD)
    assert not is_outdated(hashed)
    assert is_outdated("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$q6PJx1Gr7Cc")


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("kurz", "shorter"),
        ("x" * 300, "longer"),
        ("ada-lovelace-1815", "name"),
        ("aaaaaaaaaaaaaaaa", "few"),
    ],
)
def test_a_weak_password_is_refused_and_not_repeated(password: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        hash_password(password, "ada")
    assert says in str(caught.value)
    assert password not in str(caught.value)


def test_guessing_gets_slower_and_a_right_password_forgives() -> None:
    limiter = Limiter()
    for _ in range(FREE_TRIES):
        assert limiter.wait_s("ada", 0.0) == 0.0
        limiter.failed("ada", 0.0)
    assert limiter.wait_s("ada", 0.0) == 5.0
    assert limiter.wait_s("ada", 4.0) == 1.0
    assert limiter.wait_s("ada", 5.0) == 0.0
    assert limiter.wait_s("bob", 0.0) == 0.0
    for _ in range(30):
        limiter.failed("ada", 10.0)
    assert limiter.wait_s("ada", 10.0) == LAST_WAIT_S
    assert limiter.wait_s("ada", 10.0 + 3600) == 0.0
    limiter.succeeded("ada")
    assert limiter.wait_s("ada", 10.0) == 0.0


def test_names_that_do_not_exist_fill_no_memory() -> None:
    limiter = Limiter()
    for number in range(10_050):
        limiter.failed(f"nobody-{number}", 0.0)
    assert len(limiter._tries) == 10_000


@pytest.mark.parametrize(
    ("age_ms", "idle_ms", "over"),
    [
        (0, 0, False),
        (LONGEST_MS - 1, 0, False),
        (LONGEST_MS, 0, True),
        (IDLE_MS, IDLE_MS - 1, False),
        (IDLE_MS, IDLE_MS, True),
    ],
)
def test_a_session_ends(age_ms: int, idle_ms: int, over: bool) -> None:
    now_ms = NOW_MS + age_ms
    assert is_over(session(used_ms=now_ms - idle_ms), now_ms) is over


def test_each_role_includes_the_one_before() -> None:
    assert [[may(role, needed) for needed in Role] for role in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_a_changed_or_disabled_account_is_logged_out(store: SqliteStore) -> None:
    first = store.accounts.save("Ada", Role.READ, None, "h1", NOW_MS)
    store.accounts.begin("t1", session(first.id), 0)
    store.accounts.begin("t2", session(None), 0)
    store.accounts.touch("t1", NOW_MS + 5)
    found = store.accounts.session("t1")
    assert found is not None
    assert found.used_ms == NOW_MS + 5
    again = store.accounts.save("ada", Role.ADMIN, None, "h2", NOW_MS + 1)
    assert (again.id, again.name, again.role) == (first.id, "Ada", Role.ADMIN)
    assert store.accounts.session("t1") is None
    # Who came by the city's own login is not concerned.
    assert store.accounts.session("t2") is not None
    store.accounts.begin("t3", session(first.id), 0)
    assert store.accounts.disable("ADA", NOW_MS + 2)
    assert not store.accounts.disable("ADA", NOW_MS + 3)
    assert store.accounts.session("t3") is None
    account = store.accounts.by_name("ada")
    assert account is not None
    assert account.disabled_ms == NOW_MS + 2
    assert "h2" not in repr(account)


def test_ended_sessions_are_forgotten_with_the_next_one(store: SqliteStore) -> None:
    store.accounts.begin("old", session(), 0)
    store.accounts.begin("new", session(used_ms=NOW_MS + 9), NOW_MS + 1)
    assert store.accounts.session("old") is None
    assert store.accounts.session("new") is not None
    store.accounts.end("new")
    assert store.accounts.session("new") is None


def test_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NETMON_DATA", str(tmp_path))
    file = tmp_path / "password"
    file.write_text(GOOD + "\n")
    assert main(["accounts", "list"]) == 0
    assert "Noch kein Konto" in capsys.readouterr().out
    add = ["accounts", "add", "ada", "--password-file", str(file)]
    assert main([*add, "--role", "bedienen", "--campus-district", "Bezirk 3"]) == 0
    assert main(["accounts", "list"]) == 0
    out = capsys.readouterr().out
    assert "ada  bedienen  Bezirk 3" in out
    assert GOOD not in out
    store = SqliteStore(tmp_path / "state.sqlite3")
    account = store.accounts.by_name("ada")
    store.close()
    assert account is not None
    assert check_password(account.password_hash, GOOD)
    file.write_text("kurz")
    assert main(add) == 1
    assert "kurz\n" not in capsys.readouterr().err
    assert main(["accounts", "disable", "ada"]) == 0
    assert main(["accounts", "disable", "ada"]) == 1
    assert main(["accounts", "list"]) == 0
    assert "gesperrt" in capsys.readouterr().out
    assert main(["accounts", "add", "\x07", "--password-file", str(file)]) == 1
