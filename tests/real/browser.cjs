// What the scripts that drive headless Chromium share.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");

// Of a browser that is to request nothing from anybody, and may run as root.
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
// Videos play without anybody clicking.
const PLAYING = [...FLAGS, "--autoplay-policy=no-user-gesture-required"];

function check(what, holds, seen) {
  assert.ok(holds, seen === undefined ? what : `${what}; seen: ${JSON.stringify(seen)}`);
  console.log(`ok ${what}`);
}

// Serves an empty page and, as /hls.js, the file `script` at a host with a port.
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
