// Plays HLS, natively if the browser supports it, or else with hls.js.

import { el } from "./text.js";

const MEDIA_TYPE = "application/vnd.apple.mpegurl";
// "?player=hls.js" or "?player=native" in the page's address selects one.
const chosen = new URLSearchParams(location.search).get("player");
const RETRY_MS = 2000;
// How many checks in a row may find live video stalled.
const MAX_STALLED = 6;

let library;
const loadLibrary = () => (library ??= import("./hls.js").then((module) => module.default ?? globalThis.Hls));

export class Player {
  constructor(hasLibrary) {
    this.hasLibrary = hasLibrary;
    this.prefersScript = chosen === "hls.js";
    this.video = el("video", { controls: true, playsinline: true, preload: "auto" });
    this.video.muted = true;
    this.note = el("p", { class: "note", role: "status" });
    this.node = el("div", { class: "screen" }, this.video, this.note);
    this.video.addEventListener("error", () => this.failed());
    this.video.addEventListener("playing", () => this.showNote(""));
    this.stop("");
  }

  // Starts a playlist, unless it is already playing.
  play(url, isLive) {
    if (this.url === url) return;
    this.stop("");
    this.url = url;
    this.isLive = isLive;
    this.video.hidden = false;
    this.showNote("Loading…");
    this.stalled = 0;
    const native = this.video.canPlayType(MEDIA_TYPE) !== "";
    if (native && !(this.prefersScript && this.hasLibrary)) this.playNatively();
    else if (this.hasLibrary) this.playByScript();
    else this.showNote("This browser does not support HLS. Restart the endpoint with hls.js: osslive local --hls-js FILE");
  }

  stop(note) {
    clearTimeout(this.retry);
    this.url = null;
    this.script?.destroy();
    this.script = null;
    if (this.video.hasAttribute("src")) {
      this.video.removeAttribute("src");
      this.video.load();
    }
    this.video.hidden = true;
    this.showNote(note);
  }

  showNote(text) {
    this.note.textContent = text;
    this.note.hidden = text === "";
  }

  start() {
    // Browsers that require a user gesture show their own button.
    this.video.play().catch(() => this.showNote(""));
  }

  playNatively() {
    this.node.dataset.engine = "native";
    this.video.src = this.url;
    this.start();
  }

  async playByScript() {
    const url = this.url;
    this.node.dataset.engine = "hls.js";
    const Hls = await loadLibrary().catch(() => null);
    if (this.url !== url) return;
    if (!Hls?.isSupported()) return this.showNote("This browser supports neither HLS nor hls.js.");
    // Its worker would require a policy that allows scripts from blobs.
    this.script = new Hls({ enableWorker: false });
    this.script.on(Hls.Events.ERROR, (_, error) => error.fatal && this.failed());
    this.script.loadSource(url);
    this.script.attachMedia(this.video);
    this.start();
  }

  // To be called each second. Chromium's native player stalls, without an error,
  // when a stream changes its size.
  checkProgress() {
    const { currentTime, paused } = this.video;
    const isStalled = this.url && this.isLive && !paused && currentTime === this.lastTime;
    this.stalled = isStalled ? this.stalled + 1 : 0;
    this.lastTime = currentTime;
    if (this.stalled === MAX_STALLED) this.failed();
  }

  // A live playlist may be interrupted and return: it is retried, with hls.js if
  // the native player failed.
  failed() {
    if (!this.url) return;
    const { url, isLive } = this;
    this.prefersScript = chosen !== "native";
    if (!isLive) return this.stop("This recording has been deleted.");
    this.showNote("Waiting for the stream…");
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      this.stop("");
      this.play(url, isLive);
    }, RETRY_MS);
  }
}
