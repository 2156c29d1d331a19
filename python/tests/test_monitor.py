"""Monitors, changes, samples and plots."""

from __future__ import annotations

import shutil
import sys
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from itertools import islice
from typing import Callable, Iterable, cast

import pytest
from conftest import Recording, Responder, client_of, run, until

import osslive
from osslive import ChangeKind, StreamState
from osslive.models import _time, changes_of
from osslive.testing import publish

NOW = datetime(2026, 5, 10, 12, tzinfo=timezone.utc)
RES = osslive.ResponseInfo(200, None, timedelta(), 1)


def status(state: StreamState) -> osslive.ChannelStatus:
    return osslive.ChannelStatus(state, None, None, None, None, RES)


IDLE_STATUS = status(StreamState.IDLE)


def change_of(**change: object) -> osslive.Change:
    json = {"id": "a", "time": "2026-05-10T12:00:00Z", **change}
    (read,) = changes_of({"changes": [json]})
    assert (read.id, read.time) == ("a", NOW)
    return read


def test_each_change_has_its_fields_and_a_readable_line() -> None:
    live = change_of(change="wentLive", remoteAddr="192.0.2.1:9")
    assert (live.kind, live.remote_addr) == (ChangeKind.WENT_LIVE, "192.0.2.1:9")
    assert str(live) == "a is live from 192.0.2.1:9"
    assert str(change_of(change="wentLive")) == "a is live"
    assert str(change_of(change="wentIdle")) == "a is idle"
    assert str(change_of(change="disabled")) == "a is disabled"
    assert str(change_of(change="enabled")) == "a is enabled"
    other = change_of(change="newPublisher", **{"from": "192.0.2.1:9", "to": "192.0.2.2:9"})
    assert (other.previous_addr, other.remote_addr) == ("192.0.2.1:9", "192.0.2.2:9")
    assert str(other) == "a has a new publisher: 192.0.2.2:9, previously 192.0.2.1:9"
    low = change_of(change="bandwidthLow", bandwidth=99, limit=100)
    assert (low.bandwidth, low.limit) == (99, 100)
    assert str(low) == "a has 99 bytes/s, below 100"
    enough = change_of(change="bandwidthRecovered", bandwidth=100, limit=100)
    assert str(enough) == "a has 100 bytes/s again"
    fell = change_of(change="frameRateFell", **{"from": 30, "to": 24})
    assert (fell.previous_frame_rate, fell.frame_rate) == (30, 24)
    assert (fell.previous_addr, fell.remote_addr) == (None, None)
    assert str(fell) == "a fell from 30 to 24 frames/s"
    failing = change_of(
        change="failing",
        error={"kind": "timeout", "message": "too late", "text": "too late", "attempts": 1},
    )
    assert isinstance(failing.error, osslive.CallTimeout)
    assert str(failing) == "a failed: too late"
    assert str(change_of(change="recovered")) == "a recovered"
    assert str(change_of(change="gone")) == "a does not exist"
    assert str(change_of(change="created")) == "a exists again"


def test_unknown_changes_are_ignored() -> None:
    json = {"id": "a", "time": "2026-05-10T12:00:00Z", "change": "somethingElse"}
    assert changes_of({"changes": [json]}) == ()


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not on PATH")
def test_a_monitor_reports_changes_of_channels(osslive_client: osslive.Client) -> None:
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
    assert (gone.id, gone.kind) == ("watched-2", ChangeKind.GONE)
    osslive_client.put_channel("watched-2")
    assert next(changes).kind is ChangeKind.CREATED


def service(states: dict[str, str]) -> Responder:
    """Returns the responses of a service whose channels have these states; others fail."""

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        id = request.path.split("?")[0].rsplit("/")[-1]
        if id not in states:
            return 500, b"<Error><Code>InternalError</Code></Error>"
        body = f"<LiveChannelStat><Status>{states[id]}</Status></LiveChannelStat>"
        return 200, body.encode()

    return respond


def test_a_monitor_reports_failures_once_and_continues(serve: Callable[[Responder], str]) -> None:
    states = {"a": "Idle", "b": "Disabled"}
    with client_of(serve(service(states)), attempts=1) as client:
        with client.monitor(["a", "b", "a"], interval=0.01) as monitor:
            assert repr(monitor) == "<osslive.Monitor of 3 channels>"
            assert monitor.last_sweep().total == 0
            assert (change := next(monitor)).kind is ChangeKind.DISABLED
            assert change.id == "b"
            assert monitor.last_sweep().total == 2
            del states["a"]
            failing = next(monitor)
            assert (failing.id, failing.kind) == ("a", ChangeKind.FAILING)
            assert isinstance(failing.error, osslive.InternalError)
            # More sweeps that fail in the same way.
            assert [monitor.next_changes() for _ in range(3)] == [()] * 3
            states["a"] = "Idle"
            assert next(monitor).kind is ChangeKind.RECOVERED


@pytest.mark.parametrize("waits_for", ["interval", "response"])
def test_a_monitor_is_stopped_from_another_thread_at_once(
    waits_for: str, serve: Callable[[Responder], str]
) -> None:
    arrived, over = threading.Event(), threading.Event()

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        arrived.set()
        if waits_for == "response":
            over.wait(60)
        return 200, b"<LiveChannelStat><Status>Disabled</Status></LiveChannelStat>"

    seen: list[ChangeKind] = []

    def watch() -> None:
        for change in monitor:
            seen.append(change.kind)

    with client_of(serve(respond), timeout=60) as client:
        monitor = client.monitor(["a"], interval=3600)
        watching = threading.Thread(target=watch)
        watching.start()
        assert arrived.wait(20)
        if waits_for == "interval":
            until(lambda: seen)
        with pytest.raises(osslive.InvalidArgument, match="in use on another thread"):
            until(lambda: monitor.last_sweep() and False)
        monitor.stop()
        watching.join(20)
        assert not watching.is_alive()
        assert seen == ([ChangeKind.DISABLED] if waits_for == "interval" else [])
        assert list(monitor) == []
        with pytest.raises(osslive.Stopped):
            monitor.next_changes()
    over.set()


def test_a_monitor_reports_streams_below_the_limits(serve: Callable[[Responder], str]) -> None:
    def live(rate: int, bandwidth: int) -> tuple[int, bytes]:
        body = (
            "<LiveChannelStat><Status>Live</Status><RemoteAddr>192.0.2.1:9</RemoteAddr><Video>"
            f"<Width>16</Width><Height>16</Height><FrameRate>{rate}</FrameRate>"
            f"<Bandwidth>{bandwidth}</Bandwidth><Codec>H264</Codec></Video></LiveChannelStat>"
        )
        return 200, body.encode()

    answers = iter([live(30, 1000), live(30, 99), live(20, 1000)])
    with client_of(serve(lambda request: next(answers))) as client:
        monitor = client.monitor(["a"], interval=0.01, min_bandwidth=100, frame_rate_drop=0.2)
        assert [str(change) for change in islice(monitor, 4)] == [
            "a is live from 192.0.2.1:9",
            "a has 99 bytes/s, below 100",
            "a fell from 30 to 20 frames/s",
            "a has 1000 bytes/s again",
        ]


def test_a_monitor_calls_a_provider_before_each_sweep(serve: Callable[[Responder], str]) -> None:
    provided: list[int] = []

    def provide() -> osslive.Credentials:
        provided.append(len(provided))
        return osslive.Credentials("id", "secret")

    url = serve(service({"a": "Idle"}))
    client = osslive.Client(
        endpoint=url, region="cn-hangzhou", bucket="bucket", credentials=provide
    )
    monitor = client.monitor(["a"], interval=0.01)
    before = len(provided)
    monitor.next_changes()
    monitor.next_changes()
    assert len(provided) == before + 2
    client.close()
    with pytest.raises(osslive.OssLiveError, match="the client is closed"):
        monitor.next_changes()


def test_a_monitor_of_a_prefix_watches_the_channels_that_exist_at_the_start(
    osslive_client: osslive.Client,
) -> None:
    for name in ("there-1", "there-2"):
        osslive_client.put_channel(name)
    monitor = osslive_client.monitor(prefix="there-", interval=0.01)
    osslive_client.put_channel("there-3")
    assert monitor.next_changes() == ()
    assert [report.id for report in monitor.last_sweep().idle] == ["there-1", "there-2"]
    with pytest.raises(osslive.InvalidArgument, match="at least one channel"):
        osslive_client.monitor(prefix="none of that")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")
def test_a_monitor_works_in_a_child_process(serve: Callable[[Responder], str]) -> None:
    output = run(
        """
        import os, osslive, sys
        client = osslive.Client(endpoint=sys.argv[1], region="cn-hangzhou", bucket="bucket",
                                access_key_id="id", access_key_secret="secret")
        monitor = client.monitor(["a"], interval=0.01)
        assert next(monitor).kind == "disabled"
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
            print(monitor.next_changes())
        else:
            # Its own monitor, which reports everything from the start.
            assert next(monitor).kind == "disabled"
        """,
        serve(service({"a": "Disabled"})),
    )
    assert output == "()\n"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-05-10T12:00:00Z", NOW),
        ("2026-05-10T12:00:00.5Z", NOW + timedelta(milliseconds=500)),
        ("2026-05-10T20:00:00.123456789+08:00", NOW + timedelta(microseconds=123456)),
    ],
)
def test_times_with_any_fraction_and_zone_are_parsed(text: str, time: datetime) -> None:
    assert _time(text) == time
    assert _time(text).tzinfo is timezone.utc


def test_results_are_displayed_as_tables(
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
    later = NOW + timedelta(seconds=1)
    samples = [osslive.Sample(NOW, recorded.live), osslive.Sample(later, IDLE_STATUS)]
    axes = plot.bit_rate(samples)
    picture, _sound = axes.get_lines()
    live, idle = list(cast("Iterable[float]", picture.get_ydata()))
    assert live > idle == 0
    axes.figure.canvas.draw()
    pyplot.close("all")
