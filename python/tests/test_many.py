"""Operations on many channels: results, progress, and how to stop them."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple, Type

import pytest
from conftest import IDLE, Recording, Responder, client_of, run

import osslive
from osslive import ChannelConfig, ChannelState, Highlight

IDS = [f"channel-{number:03}" for number in range(100)]

HISTORY = b"<LiveChannelHistory></LiveChannelHistory>"


def test_one_sweep_finds_every_state(
    osslive_client: osslive.Client, recorded: Recording, channel: str
) -> None:
    osslive_client.put_channel("off", ChannelConfig(status=ChannelState.DISABLED))
    sweep = osslive_client.monitor_channels([channel, "off", "missing", channel], max_parallel=2)
    (idle,) = sweep.idle
    assert (idle.id, idle.status.status) == (channel, osslive.StreamState.IDLE)
    assert [report.id for report in sweep.disabled] == ["off"]
    (failed,) = sweep.failed
    assert failed.id == "missing"
    assert isinstance(failed.error, osslive.NoSuchLiveChannel)
    assert (failed.error.http_status, failed.error.kind) == (404, osslive.ErrorKind.SERVICE)
    assert (sweep.live, sweep.total) == ((), 3)
    assert osslive_client.monitor_channels([]).total == 0


def test_an_error_in_a_batch_equals_that_of_a_single_call(osslive_client: osslive.Client) -> None:
    (of_many,) = osslive_client.monitor_channels(["missing"]).failed
    with pytest.raises(osslive.NoSuchLiveChannel) as single:
        osslive_client.get_channel_status("missing")
    assert type(of_many.error) is type(single.value)
    lines = [str(error) for error in (of_many.error, single.value)]
    requests = [error.request_id or "" for error in (of_many.error, single.value)]
    assert requests[0] != requests[1]
    assert lines[0].replace(requests[0], requests[1]) == lines[1]
    assert (of_many.error.code, of_many.error.ec) == (single.value.code, single.value.ec)


def test_a_sweep_waits_for_many_channels_at_the_same_time(
    serve: Callable[[Responder], str],
) -> None:
    everybody = threading.Barrier(8)

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        everybody.wait(20)
        return 200, IDLE

    with client_of(serve(respond)) as client:
        assert len(client.monitor_channels(IDS[:8]).idle) == 8


def test_channels_not_reached_in_time_are_reported(serve: Callable[[Responder], str]) -> None:
    over = threading.Event()

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        over.wait(20)
        return 200, IDLE

    with client_of(serve(respond)) as client:
        sweep = client.monitor_channels(IDS, max_parallel=1, time_limit=0.3)
    over.set()
    assert len(sweep.failed) == len(IDS)
    assert isinstance(sweep.failed[-1].error, osslive.Stopped)
    assert isinstance(sweep.failed[-1].error, osslive.OssLiveError)


def test_many_channels_are_put_and_failures_have_a_reason(osslive_client: osslive.Client) -> None:
    same = ChannelConfig("One of many", frag_duration=2)
    wrong = ChannelConfig(frag_count=1000)
    put = osslive_client.put_channels(
        [("put-1", same), ("put-2", same), ("put-3", wrong), ("put-1", same)], max_parallel=2
    )
    assert [result.id for result in put] == ["put-1", "put-2", "put-3", "put-1"]
    assert put[0].urls is not None
    assert put[0].urls.publish_urls[0].endswith("/put-1")
    assert put[0].error is None
    assert [type(result.error) for result in put[2:]] == [osslive.InvalidArgument] * 2
    assert [result.urls for result in put[2:]] == [None, None]
    assert osslive_client.get_channel("put-2").frag_duration == 2
    (by_mapping,) = osslive_client.put_channels({"put-4": same}.items())
    assert by_mapping.error is None


def test_highlights_are_parts_of_a_session_or_between_times(
    osslive_client: osslive.Client, recorded: Recording
) -> None:
    (record,) = osslive_client.get_channel_history(recorded.name).records
    second = timedelta(seconds=1)
    cut = osslive_client.create_highlights(
        recorded.name,
        [
            Highlight("whole"),
            Highlight("opening", end=second),
            Highlight("closing.m3u8", -second),
            Highlight("middle", second, 2 * second, session=record.start_time),
            Highlight("times", record.start_time, record.end_time),
            Highlight("nothing", 1_000_000, 1_000_060),
            Highlight("unknown", session=1_000_000),
        ],
    )
    assert [result.playlist for result in cut[:3]] == [
        "whole.m3u8",
        "opening.m3u8",
        "closing.m3u8",
    ]
    # Whether such a short stream has a fragment there is a matter of chance.
    assert [cut[0].error, cut[4].error] == [None, None]
    spans = [(result.start, result.end) for result in cut[:5]]
    start, end = record.start_time, record.end_time
    assert spans[0] == spans[4] == (start, end)
    assert spans[1] == (start, start + second)
    assert spans[2] == (end - second, end)
    assert spans[3] == (start + second, start + 2 * second)
    assert all(isinstance(result.error, osslive.NothingRecorded) for result in cut[5:])
    assert all(isinstance(result.error, osslive.InvalidArgument) for result in cut[5:])
    assert (cut[5].start, cut[5].end) == (None, None)
    assert cut[0].highlight.name == "whole"
    assert osslive_client.get_play_url(recorded.name, cut[0].playlist)


def test_highlights_of_a_missing_channel(osslive_client: osslive.Client) -> None:
    with pytest.raises(osslive.NoSuchLiveChannel):
        osslive_client.create_highlights("missing", [Highlight("whole")])


@pytest.mark.parametrize(
    ("highlight", "message"),
    [
        (Highlight("h", 1_000_000), "needs both times"),
        (Highlight("h", end=1_000_000), "needs both times"),
        (Highlight("h", 1_000_000, timedelta(1)), "needs both times"),
        (
            Highlight("h", 1_000_000, 1_000_060, session=1_000_000),
            "cannot have both times and a session",
        ),
        (Highlight("h", 0, 0), "end 0: must"),
        (Highlight("h", session=0), "session 0: must"),
        (Highlight("h", datetime(2026, 1, 1), 1_000_060), "start has no time zone"),
    ],
)
def test_a_contradictory_highlight_is_rejected(highlight: Highlight, message: str) -> None:
    with client_of("http://127.0.0.1:1", attempts=1) as client:
        with pytest.raises(osslive.InvalidArgument, match=message):
            client.create_highlights("a", [highlight])


def test_a_recording_is_downloaded_and_resumed(
    osslive_client: osslive.Client, recorded: Recording, tmp_path: Path
) -> None:
    path = tmp_path / "show.ts"
    observed: List[Tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        osslive_client.download_recording(recorded.name, path, progress=stop)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "show.ts.part",
        "show.ts.progress",
    ]
    done = osslive_client.download_recording(
        recorded.name, path, progress=lambda *sizes: observed.append(sizes)
    )
    assert path.stat().st_size == done.bytes == observed[-1][0] == observed[-1][1]
    assert path.read_bytes()[::188] == b"\x47" * (done.bytes // 188)
    (record,) = osslive_client.get_channel_history(recorded.name).records
    assert (done.start_time - record.start_time) < timedelta(seconds=5)
    assert not done.gaps
    assert [entry.name for entry in tmp_path.iterdir()] == ["show.ts"]
    with pytest.raises(osslive.FileFailed, match="already exists") as exists:
        osslive_client.download_recording(recorded.name, path)
    assert isinstance(exists.value, OSError)
    middle = record.start_time + timedelta(seconds=1)
    parts: Tuple[Dict[str, Any], ...] = (
        {"session": middle},
        {"start": record.start_time, "end": record.end_time + timedelta(seconds=1)},
        {"last": timedelta(hours=1)},
    )
    for part in parts:
        again = osslive_client.download_recording(
            recorded.name, str(path), overwrite=True, max_parallel=1, **part
        )
        assert again.bytes == done.bytes, part


def test_an_impossible_download_leaves_no_file(
    osslive_client: osslive.Client, channel: str, tmp_path: Path
) -> None:
    path = tmp_path / "show.ts"
    with pytest.raises(osslive.NothingRecorded):
        osslive_client.download_recording(channel, path)
    with pytest.raises(osslive.NoSuchLiveChannel):
        osslive_client.download_recording("missing", path)
    cases: Tuple[Tuple[Dict[str, Any], str], ...] = (
        ({"start": 1_000_000}, "needs both start and end"),
        ({"start": 1_000_000, "end": 1_000_060, "session": 1_000_000}, "set only one of"),
        ({"last": timedelta(0)}, "last 0: must"),
        ({"max_parallel": 65}, "max_parallel 65: must"),
    )
    for part, message in cases:
        with pytest.raises(osslive.InvalidArgument, match=message):
            osslive_client.download_recording(channel, path, **part)
    assert not list(tmp_path.iterdir())


def test_a_history_is_summarized(osslive_client: osslive.Client, recorded: Recording) -> None:
    week = osslive_client.analyze_history(recorded.name, days=7)
    (record,) = osslive_client.get_channel_history(recorded.name).records
    assert (week.session_count, week.unique_ips, week.is_truncated) == (1, ("127.0.0.1",), False)
    assert week.average_duration_minutes == pytest.approx(week.total_duration_hours * 60)
    assert week.sessions == (record,)
    assert week.longest_session == record
    assert week.end_time - week.start_time == timedelta(days=7)
    with pytest.raises(osslive.InvalidArgument):
        osslive_client.analyze_history(recorded.name, days=0)


def test_gaps_and_averages_are_read() -> None:
    from osslive.models import HistoryAnalysis

    json: dict[str, Any] = {
        "startTime": "2026-05-03T12:00:00.5Z",
        "endTime": "2026-05-10T12:00:00.5Z",
        "sessionCount": 0,
        "totalDurationHours": 0.0,
        "averageDurationMinutes": 0.0,
        "uniqueIps": [],
        "gaps": [{"startTime": "2026-05-04T00:00:00Z", "endTime": "2026-05-05T00:00:00Z"}],
        "sessions": [],
        "isTruncated": True,
    }
    week = HistoryAnalysis.of(json)
    assert week.longest_session is None
    assert week.gaps[0].start_time == datetime(2026, 5, 4, tzinfo=timezone.utc)
    assert week.gaps[0].duration == timedelta(days=1)
    assert week.is_truncated


def test_a_sweep_passes_on_each_channel(
    osslive_client: osslive.Client, recorded: Recording, channel: str
) -> None:
    read: list[osslive.ChannelReport | osslive.FailedChannel] = []
    thread = threading.get_ident()

    def on_status(channel: osslive.ChannelReport | osslive.FailedChannel) -> None:
        assert threading.get_ident() == thread
        read.append(channel)

    osslive_client.sweep_channels([channel, "missing", channel], on_status, max_parallel=2)
    assert sorted(each.id for each in read) == sorted([channel, "missing", channel])
    (failed,) = (each for each in read if isinstance(each, osslive.FailedChannel))
    assert isinstance(failed.error, osslive.NoSuchLiveChannel)
    (first, _) = (each for each in read if isinstance(each, osslive.ChannelReport))
    assert first.status.status == osslive.StreamState.IDLE
    osslive_client.sweep_channels([], read.append)
    assert len(read) == 3


# Progress, and stopping.

Work = Callable[[osslive.Client, Callable[[int, int], object]], object]


def sweep_with(client: osslive.Client, progress: Callable[[int, int], object]) -> None:
    done = count(1)
    client.sweep_channels(IDS, lambda _: progress(next(done), len(IDS)), 1)


WORK: list[Work] = [
    lambda client, progress: client.monitor_channels(IDS, 1, progress=progress),
    lambda client, progress: client.put_channels(
        [(id, ChannelConfig()) for id in IDS], 1, progress=progress
    ),
    lambda client, progress: client.create_highlights("a", list(map(Highlight, IDS)), progress),
    sweep_with,
]
EACH = pytest.mark.parametrize("work", WORK, ids=["sweep", "put", "highlights", "each"])

PUT = b"<CreateLiveChannelResult><PublishUrls/><PlayUrls/></CreateLiveChannelResult>"


def counted(requests: list[str]) -> Responder:
    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        request.rfile.read(int(request.headers.get("Content-Length") or 0))
        requests.append(request.path)
        if "comp=history" in request.path:
            return 200, HISTORY
        return 200, PUT if request.command == "PUT" else IDLE

    return respond


@EACH
def test_progress_is_reported_on_the_callers_thread(
    work: Work, serve: Callable[[Responder], str]
) -> None:
    reported: list[tuple[int, int, int]] = []
    with client_of(serve(counted([]))) as client:
        work(client, lambda done, total: reported.append((done, total, threading.get_ident())))
    here = threading.get_ident()
    assert reported == [(number + 1, len(IDS), here) for number in range(len(IDS))]


@EACH
@pytest.mark.parametrize("error", [ValueError, RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_exception_from_progress_stops_the_operation_and_is_raised(
    work: Work, error: Type[BaseException], serve: Callable[[Responder], str]
) -> None:
    requests: list[str] = []
    reported: list[int] = []

    def progress(done: int, total: int) -> None:
        reported.append(done)
        if done == 3:
            raise error("enough")

    with client_of(serve(counted(requests))) as client:
        with pytest.raises(error, match="enough"):
            work(client, progress)
        assert reported == [1, 2, 3]
        # No request is sent for a highlight that is certainly empty; one of the other requests
        # may be in flight.
        assert len(requests) <= 6
        # The client still works.
        assert not client.is_channel_live("a")


def test_a_progress_callback_may_make_calls_itself(serve: Callable[[Responder], str]) -> None:
    totals: list[int] = []
    with client_of(serve(counted([]))) as client:

        def progress(done: int, total: int) -> None:
            totals.append(client.monitor_channels(["x", "y"], progress=lambda *_: None).total)

        client.monitor_channels(["a", "b"], progress=progress)
    assert totals == [2, 2]


def test_a_shutdown_ends_a_sweep(serve: Callable[[Responder], str]) -> None:
    arrived, over = threading.Event(), threading.Event()

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        arrived.set()
        over.wait(20)
        return 200, IDLE

    swept: list[osslive.Sweep] = []
    with client_of(serve(respond)) as client:
        sweeping = threading.Thread(target=lambda: swept.append(client.monitor_channels(IDS)))
        sweeping.start()
        assert arrived.wait(20)
        client.shutdown()
        sweeping.join(20)
    over.set()
    assert {type(failed.error) for failed in swept[0].failed} == {osslive.Stopped}


# A program started in the background ignores SIGINT, and so do its child processes,
# unless they restore the default.
INTERRUPTED = """
import osslive, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
client = osslive.Client(endpoint=sys.argv[1], region="cn-hangzhou", bucket="bucket",
                        access_key_id="id", access_key_secret="secret", timeout=600, attempts=1)
try:
    {work}
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a child on Windows")
@pytest.mark.parametrize(
    "work",
    [
        "client.monitor_channels(['a', 'b'])",
        "client.monitor_channels(['a', 'b'], progress=print)",
        "next(client.monitor(['a', 'b']))",
        # The first sweep is done; it waits for the second.
        "next(client.monitor(['idle'], interval=600))",
    ],
)
def test_ctrl_c_ends_a_batch_at_once(work: str, serve: Callable[[Responder], str]) -> None:
    arrived, over = threading.Event(), threading.Event()

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        arrived.set()
        if "idle" not in request.path:
            over.wait(120)
        return 200, IDLE

    program = textwrap.dedent(INTERRUPTED).format(work=work)
    process = subprocess.Popen(
        [sys.executable, "-c", program, serve(respond)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert arrived.wait(60)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        over.set()
        process.kill()
        process.wait()
    assert (output, errors, process.returncode) == ("interrupted\n", "", 0)


def test_an_interpreter_exits_while_daemon_threads_report_progress(
    serve: Callable[[Responder], str],
) -> None:
    program = """
        import builtins, osslive, sys, threading, time
        def client():
            return osslive.Client(endpoint=sys.argv[1], region="cn-hangzhou", bucket="bucket",
                                  access_key_id="id", access_key_secret="secret")
        def sweep(client=client()):
            while True:
                client.monitor_channels(map(str, range(50)), progress=lambda done, total: None)
        def watch(client=client()):
            for change in client.monitor(["a", "b"], interval=0.001):
                print(change)
        class Slow:  # The shutdown is slow, so that a callback would run during it.
            def __del__(self, sleep=time.sleep):
                sleep(0.3)
        builtins.slow = Slow()
        for work in [sweep, sweep, sweep, watch]:
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.3)
        """
    for _ in range(5):
        assert run(program, serve(counted([]))) == ""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")
def test_a_child_does_not_wait_for_the_work_of_its_parent(
    serve: Callable[[Responder], str],
) -> None:
    arrived, over = threading.Event(), threading.Event()

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        arrived.set()
        over.wait(60)
        return 200, IDLE

    output = run(
        """
        import os, osslive, sys, threading, time, warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads
        from osslive import _work
        client = osslive.Client(endpoint=sys.argv[1], region="cn-hangzhou", bucket="bucket",
                                access_key_id="id", access_key_secret="secret", attempts=1)
        sweeping = threading.Thread(target=client.monitor_channels, args=[["a"]], daemon=True)
        sweeping.start()
        while not _work._spread:
            time.sleep(0.01)
        child = os.fork()
        if child:
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
        serve(respond),
    )
    over.set()
    assert output == "0\n"
