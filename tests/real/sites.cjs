// Pages of other sites in headless Chromium attack an endpoint in every way that a
// page can: all requests must be rejected, and no page may read anything.
//
// ENDPOINT is the endpoint's URL, PAGE its page's address with the token. URLS is
// a list of the owner's operations: method, URL, and the URL for a body of type
// text/plain, all with valid signatures. PLAY is the signed URL of a playlist.
// Pages are served on HOSTS, a list of hosts with ports; the origin
// http://ALLOWED, if set, may play.
"use strict";

const { chromium } = require("playwright-core");
const { PLAYING, check, serve } = require("./browser.cjs");

const { ENDPOINT, PAGE, PLAY, ALLOWED, HLS_JS, CHROMIUM } = process.env;
const URLS = JSON.parse(process.env.URLS);
const HOSTS = JSON.parse(process.env.HOSTS);
const TOKEN = new URL(PAGE).searchParams.get("token");
const SOON = 30_000;

// Collects the endpoint's responses to a page and the frames and windows it opens.
// The page itself cannot see them all; the browser's log can.
async function watch(context, tab) {
  const answers = [];
  const note = (url, kind, status) => {
    if (url?.startsWith(ENDPOINT)) answers.push({ url, kind, status });
  };
  context.on("response", (response) => {
    const kind = response.request().resourceType();
    if (kind === "document") note(response.url(), kind, response.status());
  });
  const log = await context.newCDPSession(tab);
  const requests = new Map();
  log.on("Network.requestWillBeSent", ({ requestId, request, type }) => requests.set(requestId, { url: request.url, type }));
  log.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode }) => {
    const { url, type } = requests.get(requestId) ?? {};
    if (type !== "Document") note(url, type, statusCode);
  });
  await log.send("Network.enable");
  return answers;
}

// Runs in the page: every request with fetch, with and without reading the response.
async function fetches({ urls, page }) {
  const seen = [];
  const attempt = async (what, url, options) => {
    try {
      const reply = await fetch(url, options);
      // The page cannot read an opaque response.
      seen.push({ what, type: reply.type, text: await reply.text() });
    } catch (error) {
      seen.push({ what, error: error.name });
    }
  };
  for (const [method, url] of urls) {
    // Without a type, which would have to be signed.
    const body = method === "PUT" || method === "POST" ? new Blob(["from elsewhere"]) : undefined;
    await attempt(`${method} ${url}`, url, { method, body });
    await attempt(`${method} ${url} with headers`, url, { method, body, headers: { "x-oss-test": "1" } });
    if (method === "GET" || method === "POST") {
      await attempt(`${method} ${url} unread`, url, { method, body, mode: "no-cors", credentials: "include" });
    }
  }
  for (const url of page) {
    await attempt(`the page ${url}`, url, { credentials: "include" });
    await attempt(`the page ${url} unread`, url, { mode: "no-cors", credentials: "include" });
  }
  return seen;
}

// Runs in the page: requests by HTML elements. Returns the elements that loaded.
async function elements({ urls, page }) {
  const loaded = [];
  const targets = [...urls.filter(([method]) => method === "GET").map(([, url]) => url), ...page];
  const add = (name, attribute, url, more = {}) =>
    new Promise((done) => {
      const element = Object.assign(document.createElement(name), more);
      const ends = (happened) => () => {
        if (happened) loaded.push(`${name} ${url}`);
        element.remove();
        done();
      };
      for (const event of ["load", "loadeddata", "loadedmetadata"]) element.addEventListener(event, ends(true));
      element.addEventListener("error", ends(false));
      setTimeout(ends(false), 10_000);
      element[attribute] = url;
      document.body.append(element);
    });
  const all = targets.flatMap((url) => [
    add("img", "src", url),
    add("script", "src", url),
    add("script", "src", url, { type: "module" }),
    add("link", "href", url, { rel: "stylesheet" }),
    add("link", "href", url, { rel: "prefetch" }),
    add("video", "src", url),
    add("audio", "src", url),
  ]);
  await Promise.all(all);
  return loaded;
}

// Runs in the page: navigation of frames and windows to the endpoint.
async function navigations({ urls, page }) {
  const targets = [...urls.filter(([method]) => method === "GET").map(([, url]) => url), ...page];
  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  for (const url of targets) {
    const frame = document.createElement("iframe");
    frame.src = url;
    document.body.append(frame);
    const sandboxed = document.createElement("iframe");
    sandboxed.sandbox = "allow-scripts";
    sandboxed.srcdoc = `<script>fetch(${JSON.stringify(url)}, { mode: "no-cors" })</script>`;
    document.body.append(sandboxed);
    document.body.append(Object.assign(document.createElement("embed"), { src: url }));
    document.body.append(Object.assign(document.createElement("object"), { data: url }));
    window.open(url, "_blank");
  }
  for (const [method, url, textUrl] of urls) {
    if (method === "GET") continue;
    for (const enctype of ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]) {
      const frame = document.createElement("iframe");
      frame.name = `frame-${Math.random()}`;
      const form = document.createElement("form");
      const action = enctype === "text/plain" ? textUrl : url;
      Object.assign(form, { method: "post", action, enctype, target: frame.name });
      document.body.append(frame, form);
      form.submit();
    }
    navigator.sendBeacon(url, new Blob(["from elsewhere"]));
  }
  const socket = new WebSocket(urls[0][1].replace("http:", "ws:"));
  const opened = await Promise.race([
    new Promise((done) => socket.addEventListener("open", () => done(true))),
    new Promise((done) => socket.addEventListener("error", () => done(false))),
  ]);
  await wait(1500);
  return opened;
}

async function attack(browser, host, page) {
  const context = await browser.newContext();
  context.setDefaultTimeout(SOON);
  const tab = await context.newPage();
  const answers = await watch(context, tab);
  await tab.goto(`http://${host}/`);
  const requests = { urls: URLS, page };
  const seen = await tab.evaluate(fetches, requests);
  const read = seen.filter(({ type, text }) => type !== undefined && (type !== "opaque" || text !== ""));
  check(`${host}: none of ${seen.length} responses can be read`, seen.length > 20 && read.length === 0, read);
  const loaded = await tab.evaluate(elements, requests);
  // A prefetch succeeds with any response.
  const shown = loaded.filter((what) => !what.startsWith("link"));
  check(`${host}: nothing is shown`, shown.length === 0, shown);
  check(`${host}: no WebSocket opens`, (await tab.evaluate(navigations, requests)) === false);
  const served = answers.filter(({ status }) => status !== 403);
  const kinds = [...new Set(answers.map(({ kind }) => kind))];
  check(`${host}: requests of ${kinds.length} kinds`, answers.length > 100 && kinds.length >= 5, { count: answers.length, kinds });
  check(`${host}: each of ${answers.length} requests is rejected`, served.length === 0, served);
  await context.close();
}

// Runs in a page that may play: hls.js, with a playlist of signed URLs.
async function plays(url) {
  await new Promise((done, failed) => {
    const script = Object.assign(document.createElement("script"), { src: "/hls.js", onload: done, onerror: failed });
    document.body.append(script);
  });
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const player = new Hls({ enableWorker: false });
  const errors = [];
  player.on(Hls.Events.ERROR, (_, error) => errors.push(error.details));
  player.loadSource(url);
  player.attachMedia(video);
  await video.play().catch((error) => errors.push(error.message));
  for (let tries = 0; tries < 100 && video.currentTime < 1; tries += 1) {
    await new Promise((done) => setTimeout(done, 100));
  }
  const frames = video.getVideoPlaybackQuality().totalVideoFrames;
  const length = (await (await fetch(url)).text()).length;
  return { time: video.currentTime, frames, length, errors };
}

async function playsIfAllowed(browser) {
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(`http://${ALLOWED}/`);
  const played = await tab.evaluate(plays, PLAY);
  check("an allowed origin plays", played.time >= 1 && played.frames > 10 && played.length > 0, played);
  check("without an error", played.errors.length === 0, played.errors);
  const seen = await tab.evaluate(fetches, { urls: URLS, page: [`${ENDPOINT}/_osslive/${TOKEN}/api/channels`] });
  const read = seen.filter(({ type, text }) => type !== undefined && (type !== "opaque" || text !== ""));
  check("and reads and changes nothing else", seen.length > 20 && read.length === 0, read);
  await context.close();
}

async function main() {
  const servers = await Promise.all(HOSTS.map((host) => serve(host, "elsewhere", HLS_JS)));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: PLAYING });
  try {
    // The browser has visited the page before, as its user would have.
    const page = [
      `${ENDPOINT}/_osslive/`,
      PAGE,
      ...["", "app.js", "icon.svg", "style.css", "api/channels", "api/publish-url?bucket=live-demo&channel=cam"].map(
        (path) => `${ENDPOINT}/_osslive/${TOKEN}/${path}`,
      ),
    ];
    const own = await browser.newPage();
    await own.goto(PAGE);
    await own.locator(".row").first().waitFor({ timeout: SOON });
    check("the page itself works", (await own.locator(".row").count()) > 0);
    await own.close();
    if (ALLOWED) await playsIfAllowed(browser);
    for (const host of HOSTS.filter((host) => host !== ALLOWED)) await attack(browser, host, page);
  } finally {
    await browser.close();
    servers.forEach((server) => server.close());
  }
}

main().catch((error) => {
  console.error(error.stack);
  process.exitCode = 1;
});
