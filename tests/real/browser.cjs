// Shared by the scripts that drive headless Chromium.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");

// For a browser that makes no requests of its own, and may run as root.
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-proxy-server",
];
// Videos play without a click.
const PLAYING = [...FLAGS, "--autoplay-policy=no-user-gesture-required"];

function check(what, holds, seen) {
  assert.ok(holds, seen === undefined ? what : `${what}; seen: ${JSON.stringify(seen)}`);
  console.log(`ok ${what}`);
}

// Serves an empty page, and the file `script` as /hls.js, on a host and port.
function serve(host, title, script) {
  const { hostname, port } = new URL(`http://${host}`);
  const server = http.createServer((request, response) => {
    const isScript = request.url === "/hls.js";
    response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? fs.readFileSync(script) : `<!doctype html><title>${title}</title><body>`);
  });
  return new Promise((done) => server.listen(Number(port), hostname, () => done(server)));
}

module.exports = { FLAGS, PLAYING, check, serve };
