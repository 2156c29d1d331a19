"""Every call, against the local endpoint."""

from __future__ import annotations

import time
import urllib.request
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from unittest.mock import ANY
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Recording

import osslive
from osslive import ChannelConfig, ChannelState, StreamState
from osslive.testing import LocalEndpoint


def test_a_channel_is_put_and_read_back(osslive_client: osslive.Client) -> None:
    config = ChannelConfig(
        "Main stage",
        status=ChannelState.DISABLED,
        frag_duration=2,
        frag_count=5,
        playlist_name="stage.m3u8",
    )
    urls = osslive_client.put_channel("a/b".replace("/", "-"), config)
    assert urls.publish_urls[0].startswith("rtmp://")
    assert urls.play_urls[0].endswith("/a-b/stage.m3u8")
    assert (urls.res.status, urls.res.attempts) == (200, 1)
    assert urls.res.request_id
    assert timedelta() < urls.res.elapsed < timedelta(minutes=1)

    channel = osslive_client.get_channel("a-b")
    assert (channel.name, channel.description, channel.type) == ("a-b", "Main stage", "HLS")
    assert (channel.frag_duration, channel.frag_count) == (2, 5)
    assert channel.playlist_name == "stage.m3u8"
    assert channel.status is ChannelState.DISABLED
    assert channel.publish_urls == urls.publish_urls
    assert channel.last_modified is not None
    assert abs(datetime.now(timezone.utc) - channel.last_modified) < timedelta(minutes=1)


def test_a_description_takes_precedence_over_the_name(osslive_client: osslive.Client) -> None:
    osslive_client.put_channel("described", ChannelConfig("name", description="直播 <&>"))
    assert osslive_client.get_channel("described").description == "直播 <&>"


def test_a_channel_is_created_once(osslive_client: osslive.Client) -> None:
    osslive_client.create_channel("created")
    with pytest.raises(osslive.ChannelAlreadyExists):
        osslive_client.create_channel("created")


def test_a_deleted_channel_is_gone(osslive_client: osslive.Client, channel: str) -> None:
    assert osslive_client.delete_channel(channel).res.status == 204
    with pytest.raises(osslive.NoSuchLiveChannel):
        osslive_client.get_channel(channel)
    osslive_client.delete_channel(channel)


def test_channels_are_listed_by_the_page_and_by_the_iterator(
    osslive_client: osslive.Client,
) -> None:
    names = [f"page-{number:02}" for number in range(7)]
    for name in names:
        osslive_client.put_channel(name)
    page = osslive_client.list_channels("page-", max_keys=3)
    assert [channel.name for channel in page.channels] == names[:3]
    assert (page.is_truncated, page.next_marker) == (True, names[2])
    rest = osslive_client.list_channels("page-", page.next_marker)
    assert [channel.name for channel in rest.channels] == names[3:]
    assert (rest.is_truncated, rest.next_marker) == (False, None)
    assert [c.name for c in osslive_client.channels(prefix="page-", max_keys=2)] == names
    assert list(osslive_client.channels(prefix="none of that")) == []


def test_a_channel_is_disabled_and_enabled(osslive_client: osslive.Client, channel: str) -> None:
    osslive_client.put_channel_status(channel, ChannelState.DISABLED)
    assert osslive_client.get_channel_status(channel).status is StreamState.DISABLED
    osslive_client.put_channel_status(channel, "enabled")
    status = osslive_client.get_channel_status(channel)
    assert (status.status, status.video, status.audio) == (StreamState.IDLE, None, None)
    assert not osslive_client.is_channel_live(channel)
    assert osslive_client.wait_until_idle(channel) == replace(status, res=ANY)
    with pytest.raises(osslive.WaitTimedOut, match="still Idle after 0.3 s") as caught:
        osslive_client.wait_until_live(channel, limit=0.3)
    assert isinstance(caught.value, TimeoutError)
    osslive_client.wait_until_deleted("never-made")
    with pytest.raises(osslive.ChannelNotLive):
        status.live()


def test_a_live_channel_has_video_and_audio(recorded: Recording) -> None:
    live = recorded.live.live()
    assert live.is_live
    assert live.video is not None
    assert live.audio is not None
    assert (live.video.width, live.video.height, live.video.codec) == (320, 180, "H264")
    assert 20 <= live.video.frame_rate <= 30
    assert (live.audio.codec, live.audio.sample_rate) == ("AAC", 44100)
    assert live.bandwidth == live.video.bandwidth + live.audio.bandwidth > 1000
    assert live.remote_addr is not None
    assert live.remote_addr.startswith("127.0.0.1:")
    assert live.connected_time is not None
    assert live.connected_time.tzinfo is timezone.utc
    assert isinstance(recorded.refused, osslive.ChannelStillLive)


def test_a_session_is_in_the_history_and_its_playlist_plays(
    osslive_client: osslive.Client, recorded: Recording
) -> None:
    (record,) = osslive_client.get_channel_history(recorded.name).records
    assert timedelta(seconds=2) < record.duration < timedelta(minutes=1)
    start, end = record.start_time, record.end_time
    playlist = osslive_client.get_vod(recorded.name, start, end)
    assert playlist.startswith("#EXTM3U")
    assert playlist.count("#EXTINF") >= 2

    osslive_client.create_vod(recorded.name, "vod", int(start.timestamp()), end)
    url = osslive_client.get_play_url(recorded.name, "vod.m3u8", timedelta(minutes=5))
    with urllib.request.urlopen(url) as reply:
        assert b"#EXT-X-ENDLIST" in reply.read()


def test_a_vod_of_an_unrecorded_time_is_an_error(
    osslive_client: osslive.Client, recorded: Recording
) -> None:
    with pytest.raises(osslive.InvalidArgument) as caught:
        osslive_client.create_vod(recorded.name, "none", 1_000_000, 1_000_060)
    assert caught.value.kind is osslive.ErrorKind.SERVICE
    assert isinstance(caught.value, osslive.ServiceError)


def test_times_need_a_zone(osslive_client: osslive.Client, channel: str) -> None:
    with pytest.raises(osslive.InvalidArgument, match="start has no time zone"):
        osslive_client.get_vod(channel, datetime(2026, 1, 1), 1)


def test_a_publish_url_is_signed_with_its_parameters(osslive_client: osslive.Client) -> None:
    before = int(time.time())
    url = osslive_client.get_rtmp_url(
        "main", timedelta(hours=1), playlist_name="x.m3u8", params={"take": "1 & 2"}
    )
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert parts.scheme == "rtmp"
    assert parts.path.endswith("/live/main")
    assert set(query) == {"OSSAccessKeyId", "Expires", "Signature", "playlistName", "take"}
    assert query["take"] == "1 & 2"
    assert before + 3600 <= int(query["Expires"]) <= int(time.time()) + 3600


def test_a_publish_url_has_parts_and_an_expiry(osslive_client: osslive.Client) -> None:
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    made = osslive_client.get_publish_url("main", timedelta(hours=1), params={"a": "b/c"})
    assert made.url == str(made) == f"{made.server}/{made.stream_key}"
    assert made.server.endswith("/live")
    assert made.stream_key.startswith("main?")
    assert before < made.expires_at - timedelta(hours=1) < datetime.now(timezone.utc)
    assert f"Expires={int(made.expires_at.timestamp())}&" in made.url
    assert "Signature" not in repr(made)


def test_a_parameter_used_by_the_signature_is_rejected(osslive_client: osslive.Client) -> None:
    with pytest.raises(osslive.InvalidArgument):
        osslive_client.get_rtmp_url("main", params={"Signature": "mine"})


def test_a_play_url_has_defaults(osslive_client: osslive.Client) -> None:
    assert "/main/playlist.m3u8?" in osslive_client.get_play_url("main")


def test_keys_are_rotated_for_a_client_and_those_created_from_it(
    osslive_endpoint: LocalEndpoint, channel: str
) -> None:
    with osslive_endpoint.client() as client, client.with_timeout(5) as other:
        client.set_credentials("somebody", "else")
        with pytest.raises(osslive.InvalidAccessKeyId):
            other.get_channel(channel)
        other.set_credentials(osslive_endpoint.access_key_id, osslive_endpoint.access_key_secret)
        client.get_channel(channel)
        with pytest.raises(osslive.CredentialsError):
            client.set_credentials("", "")
        client.get_channel(channel)


def test_a_provider_is_called_before_every_call(
    osslive_endpoint: LocalEndpoint, channel: str
) -> None:
    good = osslive.Credentials(osslive_endpoint.access_key_id, osslive_endpoint.access_key_secret)
    keys = [good, good, osslive.Credentials("somebody", "else"), good]
    with osslive_endpoint.client(credentials=lambda: keys.pop(0)) as client:
        client.get_channel(channel)
        with pytest.raises(osslive.InvalidAccessKeyId):
            client.get_channel(channel)
        client.get_channel(channel)
    assert keys == []


def test_credentials_come_from_the_environment(
    osslive_endpoint: LocalEndpoint, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OSS_ACCESS_KEY_ID", raising=False)
    with pytest.raises(osslive.CredentialsError, match="OSS_ACCESS_KEY_ID"):
        osslive.Client.from_env(region="cn-hangzhou", bucket="b")
    monkeypatch.setenv("OSS_ACCESS_KEY_ID", osslive_endpoint.access_key_id)
    monkeypatch.setenv("OSS_ACCESS_KEY_SECRET", osslive_endpoint.access_key_secret)
    monkeypatch.setenv("OSS_BUCKET", osslive_endpoint.bucket)
    monkeypatch.setenv("OSS_REGION", osslive_endpoint.region)
    with osslive.Client.from_env(endpoint=osslive_endpoint.url) as client:
        assert client.get_channel(channel).name == channel


def test_credentials_come_from_a_profile_of_ossutil(
    osslive_endpoint: LocalEndpoint, channel: str, tmp_path: object
) -> None:
    from pathlib import Path

    file = Path(str(tmp_path), "config")
    file.write_text(
        "[profile stage]\n"
        f"accessKeyID={osslive_endpoint.access_key_id}\n"
        f"accessKeySecret={osslive_endpoint.access_key_secret}\n"
        f"region={osslive_endpoint.region}\n"
    )
    with osslive.Client.from_profile(
        file, "stage", endpoint=osslive_endpoint.url, bucket=osslive_endpoint.bucket
    ) as client:
        assert client.get_channel(channel).name == channel
    with pytest.raises(osslive.CredentialsError):
        osslive.Client.from_profile(file, "other", bucket="b")


def test_a_closed_client_raises_an_error(osslive_endpoint: LocalEndpoint) -> None:
    client = osslive_endpoint.client()
    client.close()
    client.close()
    with pytest.raises(osslive.OssLiveError, match="the client is closed"):
        client.get_channel("any")
    assert "(closed)" in repr(client)


def test_every_setting_is_accepted(osslive_endpoint: LocalEndpoint, channel: str) -> None:
    with osslive_endpoint.client(
        internal=False,
        secure=False,
        addressing_style="path",
        signature_version=1,
        connect_timeout=1.5,
        timeout=10,
        attempts=1,
        pool_size=2,
        proxy="",
        user_agent="test/1",
        sign_security_token=False,
    ) as client:
        assert client.get_channel(channel).name == channel


def test_repr_shows_no_secrets(osslive_endpoint: LocalEndpoint) -> None:
    with osslive_endpoint.client() as client:
        shown = repr(client) + repr(osslive.Credentials("id", "hush", "quiet"))
    assert osslive_endpoint.access_key_secret not in shown
    assert "hush" not in shown
    assert "quiet" not in shown
