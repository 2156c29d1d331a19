// Tests the page of the local endpoint in headless Chromium: live channels are
// shown and played, ended sessions are in the history, names do not become markup,
// and there are no requests to other hosts.
//
// PAGE is the page's address with its token. CHANNEL is a channel that is live at
// 640x360 with 30 frames per second and has a VOD playlist. After enough playback,
// the script writes the file PLAYED; the publisher must then disconnect. HOSTILE
// and HOSTILE_DESCRIPTION are the name and description of another channel.
//
// With the argument "again", the publisher must reconnect at once at 960x540, and
// only that is tested.
"use strict";

const fs = require("node:fs");
const { chromium } = require("playwright-core");
const { FLAGS, check } = require("./browser.cjs");

const { PAGE, CHANNEL, PLAYED, HOSTILE, HOSTILE_DESCRIPTION, CHROMIUM } = process.env;
const ORIGIN = new URL(PAGE).origin;
// The page that the address opens; further parameters follow the token.
const TOKEN = new URL(PAGE).searchParams.get("token");
const HOME = `${ORIGIN}/_osslive/${TOKEN}/`;
const SOON = 45_000;

// Unexpected events on any page.
const incidents = [];

async function open(browser, options, address) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(SOON);
  page.on("dialog", async (dialog) => {
    incidents.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) incidents.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => incidents.push(`page error: ${error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== ORIGIN && url.protocol !== "blob:") incidents.push(`request: ${url}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) incidents.push(`${response.status()}: ${response.url()}`);
  });
  await page.goto(address);
  return page;
}

const playback = (page) =>
  page.evaluate(() => {
    const video = document.querySelector("video");
    return {
      time: video.currentTime,
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      width: video.videoWidth,
      height: video.videoHeight,
      engine: document.querySelector(".screen").dataset.engine,
    };
  });

// Waits until the time advances and frames are decoded.
async function plays(page, what, engine) {
  await page.waitForFunction(() => document.querySelector("video")?.getVideoPlaybackQuality().totalVideoFrames > 5);
  const before = await playback(page);
  await page.waitForFunction(
    ({ time, frames }) => {
      const video = document.querySelector("video");
      return video.currentTime > time + 1.5 && video.getVideoPlaybackQuality().totalVideoFrames > frames + 15;
    },
    before,
  );
  const after = await playback(page);
  check(`${what}: time advances and frames are decoded`, after.frames > before.frames, { before, after });
  check(`${what}: the picture is 640x360`, after.width === 640 && after.height === 360, after);
  check(`${what}: played by ${engine}`, after.engine === engine, after);
}

const textOf = (page, selector) => page.locator(selector).first().innerText();

async function hasText(page, selector, text) {
  await page.locator(selector, { hasText: text }).first().waitFor();
  check(`${selector} says ${text}`, true);
}

async function fits(page, what) {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  check(`${what}: nothing is wider than the window`, content <= window, { content, window });
}

const brightness = (page) =>
  page.evaluate(() => {
    const parts = getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3);
    return parts.reduce((sum, part) => sum + Number(part), 0) / 3;
  });

async function showsLiveChannels(page) {
  await hasText(page, ".row[data-status=Live]", CHANNEL);
  await hasText(page, "main h2", CHANNEL);
  await hasText(page, ".faults", "GetBucketStat: status 500 (applied 0 times)");
  await hasText(page, ".badge", "Live");
  await hasText(page, ".facts", "640 × 360");
  await hasText(page, ".facts", "30 frames/s");
  await hasText(page, ".facts", "H264");
  await hasText(page, ".facts", "AAC, 44.1 kHz");
  await hasText(page, ".facts", "127.0.0.1:");
  await page.waitForFunction(() => /\d (k|M)bit\/s/.test(document.querySelector(".figure").textContent));
  const line = () => page.locator(".chart .line").getAttribute("d");
  const before = await line();
  await page.waitForFunction((d) => document.querySelector(".chart .line").getAttribute("d") !== d, before);
  check("the chart moves", (await line()).startsWith("M"));
}

async function signsOnRequest(page) {
  check("no publish URL is shown without a request", !(await page.content()).includes("Signature="));
  await page.getByRole("button", { name: "Create a publish URL" }).click();
  await page.locator(".copyable").nth(2).waitFor();
  const [server, key, ffmpeg] = await page.locator(".copyable code").allInnerTexts();
  check("the server for OBS", server.endsWith("/live"), server);
  check("the stream key for OBS", key.startsWith(`${CHANNEL}?OSSAccessKeyId=`), key);
  check("the line for ffmpeg", ffmpeg.startsWith("ffmpeg ") && ffmpeg.includes(`'${server}/${key}'`), ffmpeg);
}

async function showsRejectedRequests(page) {
  await hasText(page, "#problems summary", "Recent problems");
  await page.locator("#problems summary").click();
  const item = page.locator("#problems li", { hasText: "AccessDenied" }).first();
  const text = await item.innerText();
  check("a rejected request is shown with its reason", text.includes("GetObject 403") && text.includes("Anonymous"), text);
  check("and its key is text", text.includes("<img src=x onerror=alert(4)>"), text);
}

async function doesNotUseNamesAsMarkup(page) {
  const row = page.locator(".row .name", { hasText: HOSTILE });
  await row.waitFor();
  check("the hostile name is text in the list", (await row.innerText()) === HOSTILE);
  await row.click();
  await hasText(page, "main h2", HOSTILE);
  await hasText(page, ".about", HOSTILE_DESCRIPTION);
  const made = await page.evaluate(() => document.querySelectorAll("img[src=x], b, script:not([src])").length);
  check("it creates no elements", made === 0, made);
  await page.reload();
  await hasText(page, "main h2", HOSTILE);
  check("the address opens it", true);
}

// The policy in case a name is used as markup. The browser reports an error, so
// this is the last check.
async function hasPolicyAgainstMarkup(page) {
  const isRefused = await page.evaluate(() => {
    try {
      document.createElement("p").innerHTML = "<b></b>";
      return false;
    } catch {
      return true;
    }
  });
  check("the policy prevents scripts from using text as markup", isRefused);
}

async function worksByKeyboard(page) {
  await page.locator("#search").focus();
  await page.keyboard.press("Tab");
  const focus = await page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    return { row: document.activeElement.className, outlineStyle, outlineWidth };
  });
  check("Tab reaches the list", focus.row === "row", focus);
  check("the focus is visible", focus.outlineStyle === "solid" && parseFloat(focus.outlineWidth) >= 2, focus);
  const name = await page.evaluate(() => document.activeElement.querySelector(".name").textContent);
  await page.waitForTimeout(1500);
  const still = await page.evaluate(() => document.activeElement.querySelector(".name")?.textContent);
  check("it stays when the list is redrawn", still === name, still);
  await page.keyboard.press("Enter");
  await hasText(page, "main h2", name);
  const unnamed = await page.evaluate(() =>
    [...document.querySelectorAll("button, input, a")].filter((control) => {
      const label = control.getAttribute("aria-label") ?? control.labels?.[0]?.textContent;
      return !(label ?? control.textContent).trim();
    }).length);
  check("every control has a name", unnamed === 0, unnamed);
}

async function showsEndedSessions(page) {
  await hasText(page, ".row[data-status=Idle]", CHANNEL);
  check("the change is announced", (await textOf(page, "#news")) === `${CHANNEL} is idle`);
  await hasText(page, ".badge", "Idle");
  await page.locator("tbody tr").first().waitFor();
  check("the session is in the history", (await page.locator("tbody tr").count()) === 1);
  check("and on the timeline", (await page.locator(".timeline .session").count()) === 1);
  check("as ended", (await page.locator(".timeline .live").count()) === 0);
  await page.locator("tbody button").click();
  await plays(page, "the session's recording", "native");
  await page.locator(".playlists li", { hasText: "all.m3u8" }).getByRole("button").click();
  await hasText(page, ".source", "all.m3u8");
  await plays(page, "the VOD playlist", "native");
}

async function playsAfterReconnect(browser) {
  const page = await open(browser, {}, `${PAGE}&player=native#/live-demo/${CHANNEL}`);
  await plays(page, "live", "native");
  fs.writeFileSync(PLAYED, "");
  await page.waitForFunction(() => document.querySelector("video").videoWidth === 960);
  const { time } = await playback(page);
  await page.waitForFunction((time) => document.querySelector("video").currentTime > time + 1.5, time);
  check("it plays at its new size", true);
}

async function main() {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  try {
    if (process.argv[2] === "again") return await playsAfterReconnect(browser);
    const live = `${PAGE}#/live-demo/${CHANNEL}`;
    const desk = { viewport: { width: 1280, height: 900 }, colorScheme: "light" };
    const phone = { viewport: { width: 360, height: 740 }, colorScheme: "dark", reducedMotion: "reduce" };

    const page = await open(browser, desk, PAGE);
    check("the address with the token opens the page", page.url() === HOME, page.url());
    await page.goto(`${PAGE}&player=native`);
    check("further parameters are kept", page.url() === `${HOME}?player=native`, page.url());
    await showsLiveChannels(page);
    await plays(page, "live", "native");
    await signsOnRequest(page);
    await fits(page, "on a desktop");
    check("light if light is preferred", (await brightness(page)) > 200);
    await worksByKeyboard(page);
    await showsRejectedRequests(page);
    await doesNotUseNamesAsMarkup(page);
    await page.evaluate((hash) => (location.hash = hash), new URL(live).hash);
    await hasText(page, "main h2", CHANNEL);

    const small = await open(browser, phone, live.replace("#", "&player=hls.js#"));
    await plays(small, "live on a phone", "hls.js");
    await signsOnRequest(small);
    await fits(small, "on a phone");
    check("dark if dark is preferred", (await brightness(small)) < 60);
    await small.locator(".row .name", { hasText: HOSTILE }).click();
    await hasText(small, "main h2", HOSTILE);
    await fits(small, "on a phone, with the hostile name");
    await small.close();

    await page.bringToFront();
    fs.writeFileSync(PLAYED, "");
    await showsEndedSessions(page);
    check("no dialog, no error, no request to any other host", incidents.length === 0, incidents);
    await hasPolicyAgainstMarkup(page);
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error.stack);
  if (incidents.length > 0) console.error(incidents.join("\n"));
  process.exitCode = 1;
});
