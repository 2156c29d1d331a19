// Plays recordings from start to end with hls.js in headless Chromium: all frames
// must be decoded, and almost none dropped.
//
// STREAMS is a list of name, URL of a playlist with an end, and number of frames;
// HOST is a host with a port, whose origin may play. HLS_JS is the file of hls.js.
"use strict";

const assert = require("node:assert/strict");
const { chromium } = require("playwright-core");
const { PLAYING, serve } = require("./browser.cjs");

const { HOST, HLS_JS, CHROMIUM } = process.env;
const STREAMS = JSON.parse(process.env.STREAMS);
const SOON = 90_000;
// A busy machine shows a few frames late; a broken stream drops a third or more.
const TOLERATED = 0.1;

// Runs in the page. Plays all streams at once, each to its end or a fatal error.
async function play({ streams, limit }) {
  const one = ([name, url]) =>
    new Promise((done) => {
      const video = document.createElement("video");
      video.muted = true;
      document.body.append(video);
      const player = new Hls({ enableWorker: false });
      const errors = [];
      const result = (outcome) => {
        const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
        done({ name, outcome, time: video.currentTime, frames: totalVideoFrames, dropped: droppedVideoFrames, errors });
      };
      setTimeout(() => result("late"), limit);
      player.on(Hls.Events.ERROR, (_, { details, fatal }) => {
        errors.push(details);
        if (fatal) result("failed");
      });
      video.addEventListener("ended", () => result("ended"), { once: true });
      player.on(Hls.Events.MANIFEST_PARSED, () => video.play().catch((error) => errors.push(error.message)));
      player.loadSource(url);
      player.attachMedia(video);
    });
  return Promise.all(streams.map(one));
}

// Returns the problem with the playback of a stream, if any.
function faultOf({ outcome, frames, dropped }, expectedFrames) {
  if (outcome !== "ended") return outcome;
  if (Math.abs(frames - expectedFrames) > 3) return `${frames} of ${expectedFrames} frames`;
  return dropped > expectedFrames * TOLERATED ? `${dropped} of ${expectedFrames} frames dropped` : null;
}

async function main() {
  const server = await serve(HOST, "player", HLS_JS);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: PLAYING });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(2 * SOON);
    await page.goto(`http://${HOST}/`);
    await page.addScriptTag({ url: "/hls.js" });
    // A few at a time, which one machine can decode easily.
    for (let at = 0; at < STREAMS.length; at += 4) {
      let streams = STREAMS.slice(at, at + 4);
      // Retry failed streams: problems of a stream happen every time.
      for (let tries = 1; streams.length > 0; tries += 1) {
        const played = await page.evaluate(play, { streams, limit: SOON });
        const wrong = played.map((seen, index) => faultOf(seen, streams[index][2]));
        played.forEach((seen, index) => {
          if (!wrong[index]) console.log(`ok ${JSON.stringify(seen)}`);
        });
        assert.ok(tries < 3 || !wrong.some(Boolean), JSON.stringify([wrong, played]));
        streams = streams.filter((_, index) => wrong[index]);
      }
    }
  } finally {
    await browser.close();
    server.close();
  }
}

main().catch((error) => {
  console.error(error.stack);
  process.exitCode = 1;
});
