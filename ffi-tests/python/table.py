"""The API table, once, with ctypes directly on the library; then 50,000 calls that
return strings, with flat memory.

usage: table.py LIBRARY
"""

import ctypes
import importlib.util
import json
import os
import sys
import time
from ctypes import byref, c_char_p, c_int, c_void_p
from pathlib import Path

# The Python package's declarations from the header, without the package.
DECLARATIONS = Path(__file__).parents[2] / "python" / "src" / "osslive" / "_declarations.py"
spec = importlib.util.spec_from_file_location("declarations", DECLARATIONS)
declarations = importlib.util.module_from_spec(spec)
spec.loader.exec_module(declarations)

CLIENT = declarations.ClientPointer
CHANNEL = declarations.ChannelConfigPointer
MONITOR = declarations.ChannelMonitorPointer
Param, Highlight = declarations.Param, declarations.Highlight
LOG_CALLBACK, PROGRESS = declarations.LogCallback, declarations.ProgressCallback
STATUS = declarations.StatusCallback

library = ctypes.CDLL(sys.argv[1])
for name, (result, arguments) in declarations.FUNCTIONS.items():
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments


class Failure(Exception):
    pass


def check(name, *arguments):
    """Makes a call, and raises its error."""
    error = declarations.ErrorPointer()
    status = getattr(library, name)(*arguments, byref(error))
    try:
        if status != 0:
            assert library.osslive_error_status(error) == status
            code = library.osslive_error_code(error)
            raise Failure(status, code, library.osslive_error_message(error).decode())
        assert not error
    finally:
        library.osslive_error_free(error)


def text(name, *arguments):
    """Makes a call that returns a string, which is copied and freed."""
    out = declarations.OwnedString()
    try:
        check(name, *arguments, byref(out))
        return ctypes.string_at(out).decode()
    finally:
        library.osslive_string_free(out)


def result(name, *arguments):
    return json.loads(text(name, *arguments))


def new(kind, name, *arguments):
    handle = kind()
    check(name, *arguments, byref(handle))
    return handle


def new_client():
    config = library.osslive_config_new()
    check("osslive_config_load_env", config)
    check("osslive_config_set_proxy", config, None)
    client = new(CLIENT, "osslive_client_new", config)
    library.osslive_config_free(config)
    return client


def failure(name, *arguments):
    try:
        text(name, *arguments)
    except Failure as found:
        return found.args
    raise AssertionError(f"{name} did not fail")


def every_operation_works(client):
    channel = new(CHANNEL, "osslive_channel_config_new", "直播".encode())
    check("osslive_channel_config_set_frag_duration", channel, 2)
    made = result("osslive_create_channel", client, b"snake", channel)
    assert set(made) == {"publishUrls", "playUrls", "res"}, made
    assert set(made["res"]) == {"status", "requestId", "elapsedMs", "attempts"}, made
    assert result("osslive_put_channel", client, b"snake", channel)["res"]["status"] == 200
    library.osslive_channel_config_free(channel)

    got = result("osslive_get_channel", client, b"snake")
    assert got["name"] == "snake" and got["description"] == "直播", got
    assert (got["fragDuration"], got["fragCount"], got["type"]) == (2, 3, "HLS"), got
    listed = result("osslive_list_channels", client, b"sna", None, 0)
    assert [c["name"] for c in listed["channels"]] == ["snake"] and not listed["isTruncated"]
    result("osslive_put_channel_status", client, b"snake", b"disabled")
    assert result("osslive_get_channel_status", client, b"snake")["status"] == "Disabled"

    live = result("osslive_get_channel_status", client, b"on-air")
    assert live["status"] == "Live" and live["video"]["width"] == 320, live
    assert live["audio"]["codec"] == "AAC", live
    is_live = c_int(-1)
    check("osslive_is_channel_live", client, b"on-air", byref(is_live))
    assert is_live.value == 1
    history = result("osslive_get_channel_history", client, b"on-air")
    assert set(history["records"][0]) == {"startTime", "endTime", "remoteAddr"}, history
    now = int(time.time())
    result("osslive_create_vod", client, b"on-air", b"vod", now - 3600, now + 60)
    vod = text("osslive_get_vod", client, b"on-air", now - 3600, now + 60)
    assert vod.startswith("#EXTM3U") and "#EXT-X-ENDLIST" in vod, vod

    params = (Param * 1)(Param(b"playlistName", b"late.m3u8"))
    url = text("osslive_get_rtmp_url", client, b"snake", 60, params, 1)
    assert url.startswith("rtmp://") and "playlistName=late.m3u8" in url, url
    assert "/snake/playlist.m3u8?" in text("osslive_get_play_url", client, b"snake", None, 60)
    assert result("osslive_delete_channel", client, b"snake")["res"]["attempts"] == 1


def batch_operations_work(client):
    reports = []

    def on_progress(done, total, _):
        reports.append((done, total))
        return 0

    progress = PROGRESS(on_progress)
    channel = new(CHANNEL, "osslive_channel_config_new", b"Batch")
    ids = (c_char_p * 2)(b"batch-1", b"batch-2")
    channels = (CHANNEL * 2)(channel, channel)
    put = result("osslive_put_channels", client, ids, channels, 2, None, progress, None)
    assert [p["id"] for p in put["results"]] == ["batch-1", "batch-2"], put
    assert (put["failed"], put["total"]) == (0, 2) and "publishUrls" in put["results"][0], put
    assert reports == [(1, 2), (2, 2)], reports
    library.osslive_channel_config_free(channel)

    options = library.osslive_sweep_options_new()
    check("osslive_sweep_options_set_max_parallel", options, 2)
    check("osslive_sweep_options_set_rate", options, 1000.0)
    check("osslive_sweep_options_set_time_limit_ms", options, 20_000)
    check("osslive_sweep_options_set_interval_ms", options, 20)
    check("osslive_sweep_options_set_min_bandwidth", options, 1 << 40)
    check("osslive_sweep_options_set_frame_rate_drop", options, 1.0)
    ids = (c_char_p * 3)(b"on-air", b"batch-1", b"nobody")
    sweep = result("osslive_monitor_channels", client, ids, 3, options, PROGRESS(), None)
    assert set(sweep) == {"live", "idle", "disabled", "failed", "total"}, sweep
    assert sweep["live"][0]["id"] == "on-air" and sweep["live"][0]["video"]["width"] == 320, sweep
    assert sweep["failed"][0]["error"]["code"] == "NoSuchLiveChannel" and sweep["total"] == 3

    read = []

    def on_status(json_of_channel, _):
        read.append(json.loads(json_of_channel))
        return 0

    check("osslive_sweep_channels", client, ids, 3, options, STATUS(on_status), None)
    assert sorted(channel["id"] for channel in read) == ["batch-1", "nobody", "on-air"], read
    assert [channel["id"] for channel in read if "error" in channel] == ["nobody"], read

    monitor = new(MONITOR, "osslive_channel_monitor_new", client, ids, 3, options)
    library.osslive_sweep_options_free(options)
    changes = result("osslive_channel_monitor_next_changes", monitor)["changes"]
    reported = [(c["id"], c["change"]) for c in changes]
    assert reported == [("on-air", "wentLive"), ("on-air", "bandwidthLow"), ("nobody", "gone")], reported
    assert changes[1]["limit"] == 1 << 40, changes
    assert result("osslive_channel_monitor_next_changes", monitor) == {"changes": []}
    assert result("osslive_channel_monitor_last_sweep", monitor)["total"] == 3
    check("osslive_channel_monitor_stop", monitor)
    assert failure("osslive_channel_monitor_next_changes", monitor)[0] == 9
    library.osslive_channel_monitor_free(monitor)

    week = result("osslive_analyze_history", client, b"on-air", 7)
    assert week["sessionCount"] == 1 and week["uniqueIps"] == ["127.0.0.1"], week
    assert not week["isTruncated"] and len(week["sessions"]) == 1, week
    now = int(time.time())
    highlights = (Highlight * 2)(
        Highlight(name=b"hour", start_time=now - 3600, end_time=now + 60),
        Highlight(name=b"never", from_ms=86_400_000),
    )
    stop = PROGRESS(lambda done, total, _: 1)
    arguments = (client, b"on-air", highlights, 2)
    cut = result("osslive_create_highlights", *arguments, progress, None)
    assert [("error" in r, r["playlist"]) for r in cut["results"]] == [
        (False, "hour.m3u8"),
        (True, "never.m3u8"),
    ], cut
    cut = result("osslive_create_highlights", *arguments, stop, None)
    assert cut["failed"] == 1 and cut["results"][1]["error"]["kind"] == "stopped", cut


def failures_have_a_reason(client):
    status, code, message = failure("osslive_get_channel", client, b"nobody")
    assert (status, code) == (6, b"NoSuchLiveChannel") and "HTTP 404" in message, message
    assert failure("osslive_get_channel", client, b"\xff")[2].startswith("id is not UTF-8")
    assert failure("osslive_get_channel", None, b"a")[2] == "client is NULL"
    try:
        library.osslive_get_channel(library.osslive_config_new(), b"a", None, None)
    except ctypes.ArgumentError:
        return
    raise AssertionError("a config passed for a client")


def the_log_callback_is_called(client):
    lines = []
    callback = LOG_CALLBACK(lambda level, message, _: lines.append((level, message.decode())))
    check("osslive_set_log_callback", callback, None, 4)
    result("osslive_get_channel_status", client, b"on-air")
    check("osslive_set_log_callback", LOG_CALLBACK(), None, 4)
    assert len(lines) == 1 and lines[0][0] == 4 and "HTTP 200" in lines[0][1], lines


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory_stays_flat(client, calls):
    def some(count):
        for _ in range(count):
            text("osslive_get_rtmp_url", client, b"snake", 60, None, 0)

    some(calls // 5)
    before = resident()
    some(calls - calls // 5)
    for _ in range(100):
        failure("osslive_get_channel", client, b"")
    grown = resident() - before
    assert grown < 256 * 1024, f"grew by {grown} bytes"


def the_client_is_shared(client):
    other = new(CLIENT, "osslive_client_with_timeout_ms", client, 5000)
    check("osslive_client_set_credentials", other, b"nobody", b"knows", None)
    assert failure("osslive_get_channel_status", client, b"on-air")[1] == b"InvalidAccessKeyId"
    library.osslive_client_free(other)


def the_client_can_be_stopped(client):
    check("osslive_client_shutdown", client)
    assert failure("osslive_get_channel", client, b"on-air")[0] == 9


assert library.osslive_abi_version() == declarations.ABI_VERSION
client = new_client()
every_operation_works(client)
batch_operations_work(client)
failures_have_a_reason(client)
the_log_callback_is_called(client)
memory_stays_flat(client, 50_000)
the_client_is_shared(client)
the_client_can_be_stopped(client)
library.osslive_client_free(client)
