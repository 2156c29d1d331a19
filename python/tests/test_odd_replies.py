"""Responses with invalid values: an invalid optional value does not fail the call."""

from __future__ import annotations

from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler
from typing import Callable

import pytest
from conftest import Responder, client_of

import osslive

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


def client(body: str, serve: Callable[[Responder], str]) -> osslive.Client:
    return client_of(serve(lambda _: (200, body.encode())))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1280", 1280),
        (" 1280\n", 1280),
        ("1279.5", 1280),
        ("", 0),
        ("wide", 0),
        ("-1", 0),
        ("99999999999999999999", 0),
    ],
)
def test_an_invalid_number_in_a_status_is_0(
    text: str, read: int, serve: Callable[[Responder], str]
) -> None:
    body = (
        "<LiveChannelStat><Status>Live</Status><New/><Video>"
        f"<Width>{text}</Width><Height>720</Height><New>1</New></Video></LiveChannelStat>"
    )
    with client(body, serve) as of:
        status = of.get_channel_status("cam")
    assert status.video is not None
    assert (status.video.width, status.video.height, status.video.codec) == (read, 720, "")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-11-22T12:00:00.000Z", NOON),
        ("2026-11-22T20:00:00+0800", NOON),
        ("2026-11-22 12:00:00", NOON),
        ("", None),
        ("soon", None),
    ],
)
def test_an_invalid_optional_time_is_absent(
    text: str, read: datetime | None, serve: Callable[[Responder], str]
) -> None:
    status = (
        "<LiveChannelStat><Status>Live</Status>"
        f"<ConnectedTime>{text}</ConnectedTime></LiveChannelStat>"
    )
    with client(status, serve) as of:
        assert of.get_channel_status("cam").connected_time == read
    listed = (
        "<ListLiveChannelResult><IsTruncated>false</IsTruncated><LiveChannel><Name>cam</Name>"
        f"<Status>enabled</Status><LastModified>{text}</LastModified></LiveChannel>"
        "</ListLiveChannelResult>"
    )
    with client(listed, serve) as of:
        (channel,) = of.list_channels().channels
    assert channel.last_modified == read


@pytest.mark.parametrize("text", ["", "many", "-3"])
def test_invalid_counts_do_not_hide_the_rest_of_a_target(
    text: str, serve: Callable[[Responder], str]
) -> None:
    configuration = (
        "<LiveChannelConfiguration><Status>enabled</Status><Target>"
        f"<FragDuration>2</FragDuration><FragCount>{text}</FragCount></Target>"
        "</LiveChannelConfiguration>"
    )
    listed = "<ListLiveChannelResult><IsTruncated>false</IsTruncated></ListLiveChannelResult>"

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        is_of_channel = request.path.split("?")[0].endswith("/cam")
        return 200, (configuration if is_of_channel else listed).encode()

    with client_of(serve(respond)) as of:
        channel = of.get_channel("cam")
    assert (channel.frag_duration, channel.frag_count) == (2, 0)


def test_an_invalid_time_in_a_history_is_an_error_that_names_it(
    serve: Callable[[Responder], str],
) -> None:
    body = (
        "<LiveChannelHistory><LiveRecord><StartTime>soon</StartTime>"
        "<EndTime>2026-11-22T12:00:00.000Z</EndTime></LiveRecord></LiveChannelHistory>"
    )
    with client(body, serve) as of:
        with pytest.raises(osslive.BadReply, match='StartTime "soon"'):
            of.get_channel_history("cam")


def test_an_error_locates_a_name_that_xml_forbids(serve: Callable[[Responder], str]) -> None:
    names = ["cam", "ca&#x1;m", "other"]
    channels = [
        f"<LiveChannel><Name>{name}</Name><Status>enabled</Status></LiveChannel>" for name in names
    ]
    body = (
        "<ListLiveChannelResult><IsTruncated>false</IsTruncated>"
        f"{''.join(channels)}</ListLiveChannelResult>"
    )
    with client(body, serve) as of:
        with pytest.raises(osslive.BadReply, match=r"&#x1;.*LiveChannel\[2\]/Name"):
            of.list_channels()
