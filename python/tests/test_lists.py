"""Lists, including from a server whose pages do not advance."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from itertools import islice
from pathlib import Path
from typing import Callable, Iterator
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import pytest
from conftest import Responder, client_of

import osslive
from osslive.testing import LocalEndpoint

#: More than any of these lists contains: an iteration that gets this far does not end.
MANY = 50


def page(name: str, next_marker: str) -> bytes:
    return f"""<ListLiveChannelResult><Prefix></Prefix><Marker></Marker><MaxKeys>1</MaxKeys>
      <IsTruncated>true</IsTruncated><NextMarker>{next_marker}</NextMarker>
      <LiveChannel><Name>{name}</Name><Description></Description><Status>enabled</Status>
      <LastModified>2026-11-22T12:00:00.000Z</LastModified><PublishUrls></PublishUrls>
      <PlayUrls></PlayUrls></LiveChannel></ListLiveChannelResult>""".encode()


def pages(markers: list[str]) -> Responder:
    """Responds with these markers in turn, then always with the last one."""
    left: Iterator[str] = iter(markers)
    state = {"marker": ""}

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        state["marker"] = next(left, state["marker"])
        query = parse_qs(urlsplit(request.path).query, keep_blank_values=True)
        return 200, page(f"after-{query.get('marker', [''])[0]}", state["marker"])

    return respond


@pytest.mark.parametrize(
    ("markers", "listed"),
    [
        (["b", "c", "c"], ["after-", "after-b", "after-c"]),
        (["b", "c", "a"], ["after-", "after-b", "after-c"]),
        (["b", "c", "b", "c", "b", "c"], ["after-", "after-b", "after-c"]),
        (["é", "z"], ["after-", "after-é"]),
        (["\uffee", "\U0001f600", "\uffee"], ["after-", "after-\uffee", "after-\U0001f600"]),
    ],
)
def test_a_marker_that_does_not_advance_ends_the_iteration(
    markers: list[str], listed: list[str], serve: Callable[[Responder], str]
) -> None:
    found: list[str] = []
    with client_of(serve(pages(markers))) as client:
        with pytest.raises(osslive.BadReply, match="does not advance") as caught:
            for channel in islice(client.channels(), MANY):
                found.append(channel.name)
    assert found == listed
    assert caught.value.kind is osslive.ErrorKind.BAD_REPLY


def test_an_endless_list_without_channels_ends_with_an_error(
    serve: Callable[[Responder], str],
) -> None:
    markers: list[str] = []

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        markers.append("a" * (len(markers) + 1))
        return 200, (
            "<ListLiveChannelResult><IsTruncated>true</IsTruncated>"
            f"<NextMarker>{markers[-1]}</NextMarker></ListLiveChannelResult>"
        ).encode()

    with client_of(serve(respond)) as client:
        with pytest.raises(osslive.BadReply, match="does not advance"):
            next(client.channels())
    assert len(markers) == 100


def test_a_monitor_of_a_prefix_does_not_hang_on_an_endless_list(
    serve: Callable[[Responder], str],
) -> None:
    with client_of(serve(pages(["b", "b"]))) as client:
        with pytest.raises(osslive.BadReply, match="does not advance"):
            client.monitor(prefix="a")


DATA = Path(__file__).parents[2] / "tests" / "data"
NAMES = json.loads((DATA / "names.json").read_text(encoding="utf-8"))

#: Names that the local endpoint rejects but another service might list, sorted.
FOREIGN = json.loads((DATA / "foreign-names.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def all_names() -> Iterator[osslive.Client]:
    """A client for an endpoint with one channel of each name, and no others."""
    with LocalEndpoint() as endpoint, endpoint.client() as client:
        for name in NAMES:
            client.put_channel(name, osslive.ChannelConfig(name))
        yield client


def test_every_name_is_listed_unchanged(all_names: osslive.Client) -> None:
    assert [channel.name for channel in all_names.channels()] == NAMES


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_each_page_continues_after_the_previous_one(all_names: osslive.Client, size: int) -> None:
    found: list[str] = []
    marker = ""
    for _ in range(len(NAMES) + 1):
        listed = all_names.list_channels(marker=marker, max_keys=size)
        found += [channel.name for channel in listed.channels]
        if listed.next_marker is None:
            break
        marker = listed.next_marker
    assert found == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_listed_channels_can_be_requested(all_names: osslive.Client, name: str) -> None:
    channel = all_names.get_channel(name)
    assert (channel.name, channel.description) == (name, name)


def foreign_page(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
    """Responds with the names after the marker, up to the requested number."""
    query = parse_qs(urlsplit(request.path).query, keep_blank_values=True)
    marker, size = query.get("marker", [""])[0], int(query.get("max-keys", ["100"])[0])
    names = [name for name in FOREIGN if name.encode() > marker.encode()]
    listed = [escape(name, {"\r": "&#13;"}) for name in names[:size]]
    channels = [
        f"<LiveChannel><Name>{name}</Name><Description>{name}</Description>"
        "<Status>enabled</Status></LiveChannel>"
        for name in listed
    ]
    more = f"<NextMarker>{listed[-1]}</NextMarker>" if names[size:] else ""
    truncated = f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>"
    root = "ListLiveChannelResult"
    return 200, f"<{root}>{truncated}{more}{''.join(channels)}</{root}>".encode()


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_names_of_another_service_are_listed_unchanged(
    size: int, serve: Callable[[Responder], str]
) -> None:
    found: list[osslive.ChannelSummary] = []
    marker = ""
    with client_of(serve(foreign_page)) as client:
        for _ in range(len(FOREIGN) + 1):
            listed = client.list_channels(marker=marker, max_keys=size)
            found += listed.channels
            if listed.next_marker is None:
                break
            marker = listed.next_marker
    assert [channel.name for channel in found] == FOREIGN
    assert [channel.description for channel in found] == FOREIGN


def test_an_iteration_over_names_of_another_service_ends(serve: Callable[[Responder], str]) -> None:
    with client_of(serve(foreign_page)) as client:
        listed = islice(client.channels(), len(FOREIGN) + MANY)
        assert [channel.name for channel in listed] == FOREIGN
