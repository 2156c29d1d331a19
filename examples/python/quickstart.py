"""Creates a channel, prints where to publish, waits until somebody does, and
prints what is seen of the stream.

    python3 quickstart.py [CHANNEL]

Region or endpoint, bucket and access key come from OSS_REGION, OSS_ENDPOINT,
OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET.
"""

import sys
import time

import osslive

channel = sys.argv[1] if len(sys.argv) > 1 else "quickstart"

try:
    with osslive.Client.from_env() as client:
        client.put_channel(channel, osslive.ChannelConfig("Quickstart"))
        print("publish to", client.get_rtmp_url(channel), flush=True)

        deadline = time.monotonic() + 120
        while not client.is_channel_live(channel) and time.monotonic() < deadline:
            time.sleep(1)
        print(client.get_channel_status(channel))
except osslive.OssLiveError as error:
    sys.exit(str(error))
