#!/bin/sh
# Publishes GStreamer's test video and a tone to an existing live channel, until
# Ctrl-C.
#
#   examples/gstreamer/publish.sh CHANNEL
#
# `osslive publish-url` signs the URL; region or endpoint, bucket and access key
# come from the environment, as for every osslive command. The URL is visible to
# everyone who can list the machine's processes: in your own program, set the
# property `location` instead.
set -eu

url=$(osslive publish-url "$1")

# -e: Ctrl-C ends the stream cleanly.
exec gst-launch-1.0 -e \
  flvmux name=flv streamable=true ! rtmp2sink location="$url" \
  videotestsrc is-live=true pattern=ball \
    ! video/x-raw,width=640,height=360,framerate=30/1 \
    ! x264enc tune=zerolatency speed-preset=veryfast bitrate=1500 key-int-max=60 \
    ! h264parse ! queue ! flv. \
  audiotestsrc is-live=true volume=0.1 \
    ! audio/x-raw,rate=44100,channels=2 \
    ! voaacenc bitrate=128000 \
    ! aacparse ! queue ! flv.
