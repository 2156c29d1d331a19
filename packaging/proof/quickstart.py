"""Runs quickstart.py from this directory against a local endpoint and publishes clip.flv to it,
using only the contents of a wheel."""

import os
import subprocess
import sys

import osslive
from osslive.testing import LocalEndpoint

with LocalEndpoint() as endpoint:
    environment = {
        "OSS_ENDPOINT": endpoint.url,
        "OSS_REGION": endpoint.region,
        "OSS_BUCKET": endpoint.bucket,
        "OSS_ACCESS_KEY_ID": endpoint.access_key_id,
        "OSS_ACCESS_KEY_SECRET": endpoint.access_key_secret,
    }
    quickstart = subprocess.Popen(
        [sys.executable, "quickstart.py", "main-stage"],
        env=environment,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    print(quickstart.stdout.readline().split("?")[0])
    command = os.path.join(os.path.dirname(sys.executable), "osslive")
    publish = [command, "publish", "clip.flv", "main-stage", "--repeat", "--for", "60s"]
    publisher = subprocess.Popen(publish, env=environment)
    output, _ = quickstart.communicate(timeout=150)
    publisher.terminate()
    publisher.wait(20)
    print(output.strip())
    if quickstart.returncode or "StreamState.LIVE" not in output:
        sys.exit("the quick start saw no stream")
    with endpoint.client() as client:
        try:
            client.get_channel_status("nowhere")
        except osslive.OssLiveError as error:
            print("an error:", error)
