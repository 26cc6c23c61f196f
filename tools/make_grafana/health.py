"""Probes, collectors and netmon's own parts: can what is shown be relied on?"""

from __future__ import annotations

from make_grafana.ask import Values, kept_i, newest, over, rows_i, selector
from make_grafana.model import GREEN, GREY, RED, YELLOW, Board, Look, Panel, Query
from make_grafana.shared import each_course, silent_probes, stat

_SENDER_LABELS = {"building": "Gebäude", "sender": "Sonde", "agent": "Version"}
_PROBE = {"sender_kind": "probe"}
_FLAG_STEPS = ((None, GREY), (0, GREEN), (1, RED))


def _senders(field: str) -> Values:
    return newest(f"sender_{field}", *_SENDER_LABELS, where=_PROBE)


def _spool(field: str) -> Values:
    return newest(f"probe_health_{field}", "building", "probe")


def _stats() -> tuple[Panel, ...]:
    return (
        silent_probes(),
        stat(
            "Wartende Messwerte der Sonden",
            "Messwerte, die Sonden noch nicht übergeben konnten.",
            over("Messwerte", "sum", _spool("spool_records_count")),
        ),
        stat(
            "Verworfene Messwerte der Sonden",
            "Messwerte, die Sonden verwerfen mussten, weil ihr Speicher voll war.",
            over("Messwerte", "sum", _spool("spool_dropped_total")),
            (1, RED),
            good=True,
        ),
        stat(
            "Messwerte in Quarantäne",
            "Messwerte, die nicht anzunehmen waren und beiseitegelegt wurden.",
            over("Messwerte", "max", newest("system_quarantined_count", "site")),
            (1, YELLOW),
            good=True,
        ),
        stat(
            "Teile von netmon ohne Lebenszeichen",
            "Prozesse von netmon, die laufen sollten und sich nicht melden.",
            over("Prozesse", "sum", newest("process_silent", "process")),
            (1, RED),
            good=True,
        ),
        stat(
            "Geräte ohne Antwort beim Sammler",
            "Geräte, von denen ein Sammler zuletzt keine Antwort bekam.",
            over(
                "Geräte",
                "sum",
                newest("collector_health_silent_devices_count", "collector"),
            ),
            (1, YELLOW),
            good=True,
        ),
    )


def _probes() -> tuple[Panel, Panel]:
    silent = _senders("silent")
    silence = _senders("silence_s")
    return (
        Panel(
            title="Sonden ohne Meldung: welche",
            description="Wie lange die Sonden schweigen, die seit über einer Stunde nichts meldeten.",
            queries=[Query("stumm seit", f"{silence.promql} and {silent.promql} == 1")],
            influxql=kept_i(
                {"stumm seit": "silence_s"},
                silent,
                list(_SENDER_LABELS),
                '"silent" = 1',
                {"silent": "silent"},
            ),
            look=Look.TABLE,
            unit="s",
            headings=_SENDER_LABELS,
        ),
        Panel(
            title="Sonden",
            description=(
                "Letzter Kontakt, Abweichung der Uhr (Zentrale minus Sonde) und Version "
                "jeder Sonde."
            ),
            queries=[
                Query("Letzter Kontakt vor", silence.promql),
                Query("Abweichung der Uhr", _senders("clock_offset_s").promql),
            ],
            influxql=rows_i(
                {
                    "Letzter Kontakt vor": "silence_s",
                    "Abweichung der Uhr": "clock_offset_s",
                },
                silent,
            ),
            look=Look.TABLE,
            unit="s",
            headings=_SENDER_LABELS,
        ),
    )


def _failures() -> Panel:
    failures = "throughput_failures"
    where = newest("throughput_rate_down_bps", "reason").where
    return Panel(
        title="Fehlgeschlagene Messungen",
        description="Durchsatzmessungen ohne Ergebnis je Stunde, nach Grund.",
        queries=[
            Query(
                "{{reason}}",
                f"sum by (reason) (count_over_time({selector(failures)}[60m]))",
                f'SELECT count("failures") AS "v" FROM "throughput" WHERE $timeFilter AND {where} '
                'GROUP BY time($__interval, now()), "reason" fill(none)',
            )
        ],
        step_s=3600,
    )


def _load() -> Panel:
    return Panel(
        title="Auslastung der Sonden",
        description="Anteil der Rechenzeit, die während eines Tests belegt war.",
        unit="percentunit",
        queries=[
            over(
                "höchste",
                "max",
                newest("throughput_cpu_busy_ratio", "building", "line"),
                course=True,
            )
        ],
        high=1,
        step_s=10_800,
    )


def _processes() -> tuple[Panel, Panel]:
    silent = newest("process_silent", "process")
    columns = {
        "ohne Lebenszeichen": "silent",
        "letztes vor": "silence_s",
        "wartend": "waiting_count",
        "Fehler": "errors_count",
    }
    of = {
        name: newest(f"process_{field}", "process") for name, field in columns.items()
    }
    return (
        Panel(
            title="Teile von netmon",
            description=(
                "Lebenszeichen der Prozesse, was bei ihnen wartet (Blöcke von Messwerten "
                "oder Mails) und wie oft Senden misslang, seit sie laufen."
            ),
            queries=[Query(name, values.promql) for name, values in of.items()],
            influxql=rows_i(columns, silent),
            look=Look.TABLE,
            headings={"process": "Prozess"},
            units={"letztes vor": "s"},
            colors={"ohne Lebenszeichen": _FLAG_STEPS},
            texts={"ohne Lebenszeichen": {0: "nein", 1: "ja"}},
        ),
        Panel(
            title="Rückstand",
            description="Was bei den Prozessen wartet: Blöcke von Messwerten oder Mails.",
            queries=[each_course("process_waiting_count", "{{process}}", "process")],
            step_s=300,
        ),
    )


def _collectors() -> Panel:
    columns = {
        "Geräte": "devices_count",
        "ohne Antwort": "silent_devices_count",
        "Zeitüberschreitungen": "timeouts_total",
    }
    of = {n: newest(f"collector_health_{f}", "collector") for n, f in columns.items()}
    return Panel(
        title="Sammler",
        description=(
            "Geräte, die ein Sammler abfragt, die nicht antworten, und Zeitüberschreitungen "
            "seit seinem Start."
        ),
        queries=[Query(name, values.promql) for name, values in of.items()],
        influxql=rows_i(columns, of["Geräte"]),
        look=Look.TABLE,
        headings={"collector": "Sammler"},
    )


BOARD = Board(
    uid="netmon-health",
    title="netmon: Sonden und Betrieb",
    description="Sonden, Sammler und der Weg der Messwerte bis hierher.",
    rows=(
        _stats(),
        _probes(),
        (_failures(), _load()),
        _processes(),
        (_collectors(),),
    ),
)
