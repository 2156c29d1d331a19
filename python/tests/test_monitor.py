"""What is told about channels over time."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from itertools import islice
from typing import Callable, Iterable, Optional, Union, cast

import pytest
from conftest import Answer, Recording, client_of

import osslive
from osslive import ChangeKind, StreamState
from osslive.models import _time
from osslive.monitor import Watch
from osslive.testing import publish

NOW = datetime(2026, 5, 10, 12, tzinfo=timezone.utc)
RES = osslive.ResponseInfo(200, None, timedelta(), 1)


def status(state: StreamState, address: Optional[str] = None) -> osslive.ChannelStatus:
    return osslive.ChannelStatus(state, None, address, None, None, RES)


LIVE, IDLE = status(StreamState.LIVE, "192.0.2.1:9"), status(StreamState.IDLE)
DISABLED = status(StreamState.DISABLED)
OTHER = status(StreamState.LIVE, "192.0.2.2:9")
FAILURE = osslive.OssLiveError("gone")


@pytest.mark.parametrize(
    ("outcomes", "kinds"),
    [
        ([IDLE, IDLE], []),
        ([LIVE], ["wentLive"]),
        ([LIVE, LIVE, IDLE], ["wentLive", "wentIdle"]),
        ([LIVE, OTHER], ["wentLive", "newPublisher"]),
        ([LIVE, DISABLED, IDLE], ["wentLive", "disabled", "enabled"]),
        ([DISABLED, LIVE], ["disabled", "enabled", "wentLive"]),
        ([LIVE, FAILURE, FAILURE, LIVE], ["wentLive", "failing", "recovered"]),
        ([FAILURE, LIVE], ["failing", "recovered", "wentLive"]),
    ],
)
def test_a_watch_tells_what_changed(
    outcomes: list[Union[osslive.ChannelStatus, osslive.OssLiveError]], kinds: list[str]
) -> None:
    watch = Watch("a")
    told = [change for outcome in outcomes for change in watch.changes(outcome, NOW)]
    assert [change.kind.value for change in told] == kinds
    assert all((change.id, change.time) == ("a", NOW) for change in told)


def test_a_change_is_a_line_for_people() -> None:
    assert str(osslive.Change("a", NOW, ChangeKind.WENT_LIVE, LIVE)) == "a is live from 192.0.2.1:9"
    assert str(osslive.Change("a", NOW, ChangeKind.WENT_IDLE, IDLE)) == "a is idle"
    assert str(osslive.Change("a", NOW, ChangeKind.FAILING, error=FAILURE)) == "a fails: gone"


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not on PATH")
def test_a_monitor_tells_what_happens_to_channels(osslive_client: osslive.Client) -> None:
    for name in ("watched-1", "watched-2"):
        osslive_client.put_channel(name)
    changes = osslive_client.monitor(prefix="watched-", interval=0.2)
    with publish(osslive_client.get_rtmp_url("watched-1")):
        live = next(changes)
        assert (live.id, live.kind) == ("watched-1", ChangeKind.WENT_LIVE)
        sample = next(osslive_client.samples("watched-1"))
        assert sample.status.is_live
        assert abs(sample.time - live.time) < timedelta(minutes=1)
    assert next(changes).kind is ChangeKind.WENT_IDLE
    osslive_client.put_channel_status("watched-2", "disabled")
    assert next(changes).kind is ChangeKind.DISABLED
    osslive_client.delete_channel("watched-2")
    gone = next(changes)
    assert (gone.id, gone.kind) == ("watched-2", ChangeKind.FAILING)
    assert isinstance(gone.error, osslive.NoSuchLiveChannel)
    osslive_client.put_channel("watched-2")
    assert [change.kind for change in islice(changes, 2)] == [
        ChangeKind.RECOVERED,
        ChangeKind.ENABLED,
    ]


def test_a_monitor_outlives_failures_of_the_service(serve: Callable[[Answer], str]) -> None:
    page = (
        b"<ListLiveChannelResult><IsTruncated>false</IsTruncated><LiveChannel><Name>a</Name>"
        b"<Description/><Status>enabled</Status>"
        b"<LastModified>2026-05-10T12:00:00.000Z</LastModified>"
        b"<PublishUrls/><PlayUrls/></LiveChannel></ListLiveChannelResult>"
    )
    disabled = b"<LiveChannelStat><Status>Disabled</Status></LiveChannelStat>"
    is_down = [False]

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        if is_down[0]:
            return 500, b"<Error><Code>InternalError</Code></Error>"
        return 200, disabled if "comp=stat" in request.path else page

    with client_of(serve(answer), attempts=1) as client:
        changes = client.monitor(interval=0.01)
        assert next(changes).kind is ChangeKind.DISABLED
        is_down[0] = True
        failing = next(changes)
        assert (failing.id, failing.kind) == ("a", ChangeKind.FAILING)
        is_down[0] = False
        assert next(changes).kind is ChangeKind.RECOVERED
        is_down[0] = True
        with pytest.raises(osslive.InternalError):
            next(client.monitor(interval=0.01))


def session(start: datetime, minutes: float, address: str) -> osslive.SessionRecord:
    return osslive.SessionRecord(start, start + timedelta(minutes=minutes), address)


def test_a_summary_counts_what_lies_in_its_window() -> None:
    week = osslive.HistoryAnalysis.over(
        [
            session(NOW - timedelta(days=1), 90, "203.0.113.9:1"),
            session(NOW - timedelta(days=2), 30, "[2001:db8::1]:2"),
            session(NOW - timedelta(days=7, minutes=10), 20, "203.0.113.9:3"),
            session(NOW - timedelta(days=8), 60, "198.51.100.1:4"),
        ],
        NOW,
        7,
    )
    assert week.session_count == 3
    assert week.total_duration_hours == pytest.approx((90 + 30 + 10) / 60)
    assert week.average_duration_minutes == pytest.approx(130 / 3)
    assert week.unique_ips == ("2001:db8::1", "203.0.113.9")
    assert not week.is_truncated


def test_a_summary_of_nothing_has_an_average_of_nought() -> None:
    empty = osslive.HistoryAnalysis.over([], NOW, 1)
    assert (empty.session_count, empty.average_duration_minutes) == (0, 0.0)


def test_a_summary_says_when_sessions_may_be_forgotten() -> None:
    ten = [session(NOW - timedelta(hours=hours), 1, "a:1") for hours in range(10)]
    assert osslive.HistoryAnalysis.over(ten, NOW, 1).is_truncated
    assert not osslive.HistoryAnalysis.over(ten[:9], NOW, 1).is_truncated


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-05-10T12:00:00Z", NOW),
        ("2026-05-10T12:00:00.5Z", NOW + timedelta(milliseconds=500)),
        ("2026-05-10T20:00:00.123456789+08:00", NOW + timedelta(microseconds=123456)),
    ],
)
def test_times_are_read_whatever_their_fraction_and_zone(text: str, time: datetime) -> None:
    assert _time(text) == time
    assert _time(text).tzinfo is timezone.utc


def test_results_show_themselves_as_tables(
    osslive_client: osslive.Client, recorded: Recording
) -> None:
    osslive_client.put_channel("html", osslive.ChannelConfig("<b>&</b>"))
    page = osslive_client.list_channels("html")._repr_html_()
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "320" in recorded.live._repr_html_()
    for shown in (
        osslive_client.get_channel("html"),
        osslive_client.get_channel_history(recorded.name),
        osslive_client.analyze_history(recorded.name),
        osslive_client.monitor_channels(["html", "missing"]),
    ):
        html = shown._repr_html_()
        assert html.count("<table>") == html.count("</table>") >= 1
        assert html.count("<tr>") == html.count("</tr>") >= 2


def test_a_history_and_a_bit_rate_are_plotted(
    osslive_client: osslive.Client, recorded: Recording
) -> None:
    matplotlib = pytest.importorskip("matplotlib", exc_type=ImportError)
    matplotlib.use("Agg")
    from matplotlib import pyplot

    from osslive import plot

    axes = plot.history(osslive_client.get_channel_history(recorded.name))
    assert len(axes.patches) == 1
    assert axes.get_yticklabels()[0].get_text().startswith("127.0.0.1:")
    samples = [osslive.Sample(NOW, recorded.live), osslive.Sample(NOW + timedelta(seconds=1), IDLE)]
    axes = plot.bit_rate(samples)
    picture, _sound = axes.get_lines()
    live, idle = list(cast("Iterable[float]", picture.get_ydata()))
    assert live > idle == 0
    axes.figure.canvas.draw()
    pyplot.close("all")
