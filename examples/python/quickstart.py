"""Creates a channel, prints the publish URL, waits for a stream, and prints the
status of the channel.

    python3 quickstart.py [CHANNEL]

Region, endpoint, bucket and access key come from OSS_REGION, OSS_ENDPOINT,
OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET.
"""

import sys

import osslive

channel = sys.argv[1] if len(sys.argv) > 1 else "quickstart"

try:
    with osslive.Client.from_env() as client:
        client.put_channel(channel, osslive.ChannelConfig("Quickstart"))
        print("publish to", client.get_rtmp_url(channel), flush=True)

        print(client.wait_until_live(channel, limit=120))
except osslive.OssLiveError as error:
    sys.exit(str(error))
