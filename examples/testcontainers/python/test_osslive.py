"""A test with the local endpoint in a container, built by ``make container``."""

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import wait_for_logs

import osslive

SECRET = "a-secret-of-these-tests"


def test_a_status_request_that_fails() -> None:
    container = (
        DockerContainer("osslive")
        .with_exposed_ports(9000)
        .with_env("OSSLIVE_LOCAL_ACCESS_KEY_SECRET", SECRET)
        .with_env("OSSLIVE_LOCAL_CONTROL", "true")
    )
    with container:
        wait_for_logs(container, "listening on")
        client = osslive.Client(
            endpoint=f"http://127.0.0.1:{container.get_exposed_port(9000)}",
            region="cn-hangzhou",
            bucket="live-demo",
            access_key_id="osslive-local",
            access_key_secret=SECRET,
            attempts=1,
        )
        client.put_channel("cam")
        # Add faults inside the container: control is not available from outside.
        container.exec("/osslive control fault add GetLiveChannelStat --status 503")
        with pytest.raises(osslive.ServiceUnavailable):
            client.get_channel_status("cam")
