"""What a plot is drawn of: columns with gaps, small, and not sent twice."""

from __future__ import annotations

import json
from math import sin

import pytest

from dashboards.history import Span
from dashboards.plot_schemas import PlotReply
from dashboards.plots import PLOT_METRICS, PlotName
from netmon.model import FailureReason, LineRole
from netmon.texts import Texts

HOUR_S, DAY_S = 3600, 86_400
PATH = "/api/v1/buildings/b-ost/history"
LIGHT = {"device": "sw-1", "line": "b-ost-main", "port": "25"}


async def plot(client, name: str, span: str = "24h", **more: str) -> PlotReply:
    answer = await client.get(f"{PATH}/{name}", params={"span": span, **more})
    assert answer.status_code == 200, answer.text
    return PlotReply.model_validate_json(answer.content)


async def test_rates_have_contract_and_target_beside_them(city, client):
    city.throughput("b-ost", (7200, (180.5, 40)), (3600, (190, 41)))
    found = await plot(client, "rates")
    down, up = found.series
    assert (found.unit, found.grain, found.step_s) == ("bit/s", "raw", 0)
    assert down.mean == [180.5e6, 190e6]
    assert down.low is None
    assert up.mean == [40e6, 41e6]
    assert [b - a for a, b in zip(down.at_s, down.at_s[1:], strict=False)] == [3600]
    marks = {mark.name: mark.value for mark in found.marks}
    line = city.inventory.lines_of["b-ost"][0]
    assert marks["contract"] == line.contracted_down_bps == 250e6
    assert marks["contract_up"] == line.contracted_up_bps
    assert marks["target"] == 100e6


async def test_no_data_is_a_gap_and_a_failure_no_number(city, client):
    minutes = [*range(30, 40), *range(90, 100)]
    city.latency("b-ost", *((60.0 * n, 12.0) for n in minutes))
    city.write(
        "latency",
        "b-ost",
        {"line": "b-ost-main"},
        (60.0 * 35 + 1, FailureReason.TIMEOUT),
    )
    found = await plot(client, "loss")
    (loss,) = found.series
    # Older ones, the pause, newer ones up to the failure, the rest.
    assert loss.mean.count(None) == 2
    assert [x for x in loss.mean if x is not None] == [0.0] * 20
    assert len(found.failed_at_s) == 1
    assert loss.at_s == sorted(set(loss.at_s))


async def test_latency_idle_and_under_load_stand_beside_the_echoes(city, client):
    city.latency("b-ost", (600, 9.0))
    city.test(
        "b-ost",
        (900, {"rate_down_bps": 90.0, "rtt_idle_s": 0.011, "rtt_loaded_s": 0.085}),
    )
    series = {s.metric: s.mean for s in (await plot(client, "delays")).series}
    assert series["rtt_s"] == [0.009]
    assert series["rtt_idle_s"] == [0.011]
    assert series["rtt_loaded_s"] == [0.085]


async def test_light_has_the_modules_limits_as_marks(city, client):
    told = {"rx_dbm": -12.25, "rx_low_warn_dbm": -21.0, "rx_low_alarm_dbm": -24.0}
    city.write("line_optics", "b-ost", LIGHT, (60, told))
    found = await plot(client, "light")
    assert found.unit == "dBm"
    assert found.series[0].mean == [-12.25]
    assert {m.name: m.value for m in found.marks} == {
        "rx_low_warn": -21.0,
        "rx_low_alarm": -24.0,
    }


async def test_means_of_a_day_have_a_range_and_say_how_long_they_last(city, client):
    city.throughput("b-ost", (DAY_S, (100, 10)), (DAY_S + 600, (200, 10)))
    found = await plot(client, "rates", "30d")
    down, up = found.series
    assert (found.grain, found.step_s) == ("day", DAY_S)
    assert (down.mean, down.low, down.high) == ([150e6], [100e6], [200e6])
    assert up.low is None


async def test_a_backup_line_has_plots_of_its_own(city, client):
    city.throughput("b-oest", (600, (70, 20)), role=LineRole.BACKUP)
    path = "/api/v1/buildings/b-oest/history/rates"
    own = (await client.get(path, params={"line": "b-oest-backup"})).json()
    main = (await client.get(path)).json()
    assert own["series"][0]["mean"] == [70e6]
    assert main["series"][0]["mean"] == []


@pytest.fixture
def busy_line(city):
    """A year by the hour, a day by the minute, numbers of many digits."""
    hours = range(600, 370 * DAY_S, 6 * HOUR_S)
    minutes = range(30, DAY_S, 60)
    city.test(
        "b-ost",
        *(
            (
                age_s,
                {
                    "rate_down_bps": 200 + 40 * sin(age_s),
                    "rate_up_bps": 40 + 9 * sin(age_s),
                    "rtt_idle_s": 0.011 + 0.002 * sin(age_s),
                    "rtt_loaded_s": 0.05 + 0.02 * sin(age_s),
                },
            )
            for age_s in [*minutes, *hours]
        ),
    )
    city.latency("b-ost", *((age_s, 12 + sin(age_s)) for age_s in [*minutes, *hours]))
    light = [(age_s, {"rx_dbm": -12 + sin(age_s), "tx_dbm": -3.0}) for age_s in hours]
    city.write("line_optics", "b-ost", LIGHT, *light)


async def test_every_plot_of_every_span_is_under_100_kb(busy_line, client):
    sizes = {}
    for span in Span:
        for name in PlotName:
            answer = await client.get(f"{PATH}/{name}?span={span}")
            sizes[span, name] = len(answer.content)
    assert max(sizes.values()) < 100_000, sizes
    # The measure is of something: hundreds of points, and a year of days.
    assert sizes[Span.DAY, PlotName.DELAYS] > 20_000
    assert sizes[Span.YEAR, PlotName.RATES] > 15_000


async def test_what_the_browser_has_is_not_sent_again(city, client, clock):
    city.throughput("b-ost", (600, (180, 40)))
    first = await client.get(f"{PATH}/rates")
    assert first.headers["cache-control"] == "private, no-cache"
    tag = {"If-None-Match": first.headers["etag"]}
    clock.advance(5)
    again = await client.get(f"{PATH}/rates", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    city.throughput("b-ost", (1, (90, 40)))
    new = await client.get(f"{PATH}/rates", headers=tag)
    assert new.status_code == 200
    assert new.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/buildings/nichts/history/rates", 404),
        (f"{PATH}/rates?line=nichts", 404),
        (f"{PATH}/nichts", 422),
        (f"{PATH}/rates?span=2d", 422),
    ],
)
async def test_what_is_not_there_has_the_one_shape_of_errors(
    city, client, path, status
):
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_every_metric_of_a_plot_has_the_plots_unit_and_a_name():
    texts = Texts()
    for name, metrics in PLOT_METRICS.items():
        assert texts.has(f"site.plot.{name}")
        assert len({metric.rpartition("_")[2] for metric in metrics}) == 1
        assert all(texts.has(f"site.metric.{metric}") for metric in metrics)


async def test_columns_are_json_numbers_of_six_digits(city, client):
    city.throughput("b-ost", (600, (123.456789, 40)))
    body = json.loads((await client.get(f"{PATH}/rates")).content)
    assert body["series"][0]["mean"] == [123457000.0]
