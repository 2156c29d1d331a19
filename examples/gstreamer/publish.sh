#!/bin/sh
# Publishes GStreamer's moving test picture and a tone to a live channel that
# exists, until Ctrl-C.
#
#   examples/gstreamer/publish.sh CHANNEL
#
# `osslive publish-url` signs the URL; region or endpoint, bucket and access key
# come from the environment, as for every osslive command. gst-launch shows the
# URL to whoever can list the machine's processes: a program of your own sets
# the property `location` instead.
set -eu

url=$(osslive publish-url "$1")

# -e: Ctrl-C sends the end of the stream through the pipeline.
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
