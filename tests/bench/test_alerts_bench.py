"""A part of the city fails at once: few mails, by a real mail server, and their end."""

from __future__ import annotations

from bench.alerts_engine import run


def test_a_storm_is_a_handful_of_mails_and_each_thread_has_its_end() -> None:
    found = run(buildings=17, points=170, ports=48)
    assert 1 <= found["storm_mails"] <= 10
    assert found["recovery_mails"] >= 1
