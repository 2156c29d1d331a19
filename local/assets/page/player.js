// Plays HLS: the browser itself where it can, else through hls.js.

import { el } from "./text.js";

const MEDIA_TYPE = "application/vnd.apple.mpegurl";
// "?player=hls.js" or "?player=native" in the page's address chooses one.
const chosen = new URLSearchParams(location.search).get("player");
const RETRY_MS = 2000;
// How often in a row a live picture may be found standing still.
const PATIENCE = 6;

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
    this.video.addEventListener("playing", () => this.tell(""));
    this.stop("");
  }

  // Starts a playlist; one that plays already goes on.
  play(url, isLive) {
    if (this.url === url) return;
    this.stop("");
    this.url = url;
    this.isLive = isLive;
    this.video.hidden = false;
    this.tell("Loading…");
    this.stood = 0;
    const native = this.video.canPlayType(MEDIA_TYPE) !== "";
    if (native && !(this.prefersScript && this.hasLibrary)) this.playNatively();
    else if (this.hasLibrary) this.playByScript();
    else this.tell("This browser cannot play HLS. Restart the endpoint with hls.js: osslive local --hls-js FILE");
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
    this.tell(note);
  }

  tell(text) {
    this.note.textContent = text;
    this.note.hidden = text === "";
  }

  start() {
    // A browser that wants a gesture first shows its own button.
    this.video.play().catch(() => this.tell(""));
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
    if (!Hls?.isSupported()) return this.tell("This browser can play neither HLS nor the media from hls.js.");
    // Its worker would need a policy that lets scripts come from blobs.
    this.script = new Hls({ enableWorker: false });
    this.script.on(Hls.Events.ERROR, (_, error) => error.fatal && this.failed());
    this.script.loadSource(url);
    this.script.attachMedia(this.video);
    this.start();
  }

  // To be called each second. Chromium's own player stands still, without an
  // error, where a stream goes on in another size.
  look() {
    const { currentTime, paused } = this.video;
    const stands = this.url && this.isLive && !paused && currentTime === this.lookedAt;
    this.stood = stands ? this.stood + 1 : 0;
    this.lookedAt = currentTime;
    if (this.stood === PATIENCE) this.failed();
  }

  // A live playlist may be cut short or come back: it is tried again, and by
  // hls.js where the browser's own player gave up.
  failed() {
    if (!this.url) return;
    const { url, isLive } = this;
    this.prefersScript = chosen !== "native";
    if (!isLive) return this.stop("This recording has been deleted.");
    this.tell("Waiting for the stream…");
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      this.stop("");
      this.play(url, isLive);
    }, RETRY_MS);
  }
}
