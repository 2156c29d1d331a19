// One channel: its status, player, sessions, playlists, and how to publish to it.

import { RateChart, Timeline } from "./chart.js";
import { Player } from "./player.js";
import { bitRate, bits, clock, dayAndSecond, el, say, span, timeOfDay } from "./text.js";

const DETAIL_MS = 5000;

const section = (title, ...children) => {
  const heading = el("h3", {}, title);
  return el("section", {}, heading, ...children);
};

export class ChannelView {
  constructor(channel, key, { request, hasLibrary, period }) {
    this.key = key;
    this.request = request;
    this.parameters = { bucket: channel.bucket, channel: channel.name };
    this.sessions = [];
    this.refreshedAt = -Infinity;

    this.state = el("span", { class: "badge" });
    this.duration = el("span", { class: "lasting" });
    this.description = el("span");
    this.player = new Player(hasLibrary);
    this.source = el("p", { class: "source" });
    this.backToLive = el("button", { type: "button", hidden: true, onclick: () => this.watch(null) }, "Back to live");
    this.facts = new Facts(["Size", "Frame rate", "Video", "Audio", "Bit rate", "Publisher", "Live since"]);
    this.rate = el("p", { class: "figure" });
    this.chart = new RateChart(period);
    this.timeline = new Timeline();
    this.sessionRows = el("tbody");
    this.sessionTable = el("table", {},
      el("thead", {}, el("tr", {}, ...["Started", "Duration", "Publisher"].map((text) => el("th", { scope: "col" }, text)), el("th", { scope: "col" }, el("span", { class: "visually-hidden" }, "Recording")))),
      this.sessionRows);
    this.noSessions = el("p", { class: "quiet" }, "No session has ended yet.");
    this.playlists = el("ul", { class: "playlists" });
    this.noPlaylists = el("p", { class: "quiet" }, "No VOD playlist yet. Create one with PostVodPlaylist or with: osslive vod create");
    this.settings = el("p", { class: "quiet" });

    this.node = el("article", {},
      el("header", { class: "channel" },
        el("div", { class: "title" }, el("h2", {}, channel.name), el("p", { class: "status" }, this.state, this.duration)),
        el("p", { class: "about" }, el("span", { class: "mono" }, channel.bucket), this.description)),
      el("div", { class: "stage" },
        el("div", {}, this.player.node, el("div", { class: "under" }, this.source, this.backToLive)),
        this.facts.node),
      section("Bit rate", this.rate, this.chart.node),
      section("Sessions", this.timeline.node, this.sessionTable, this.noSessions,
        el("p", { class: "quiet" }, "The last ten sessions are kept.")),
      section("Playlists", this.playlists, this.noPlaylists),
      this.publishing(),
      this.settings);
    // The recording that is played instead of the live stream.
    this.recording = null;
  }

  close() {
    this.player.stop("");
    this.closed = true;
  }

  update(channel, samples, now, isSample) {
    const { live, status } = channel;
    this.now = now;
    this.channel = channel;
    this.node.dataset.status = status;
    say(this.state, status);
    say(this.duration, live ? `for ${clock((now - new Date(live.connectedTime)) / 1000)}` : "");
    say(this.description, channel.description);
    this.showFacts(live);
    say(this.rate, live ? bits(bitRate(live)) : "No publisher.");
    this.chart.draw(samples, isSample);
    this.showTimeline();
    // A publisher that reconnects at once is a new session too.
    const session = `${status} ${live?.connectedTime}`;
    const changed = this.session !== session;
    this.session = session;
    if (changed) this.livePlaylist = null;
    const waiting = live && !this.livePlaylist;
    if (changed || waiting || performance.now() - this.refreshedAt > DETAIL_MS) this.refresh();
    this.watch(this.recording);
    this.player.checkProgress();
  }

  async refresh() {
    this.refreshedAt = performance.now();
    const detail = await this.request("channel", this.parameters).catch(() => null);
    if (!detail || this.closed) return;
    this.livePlaylist = detail.livePlaylist;
    this.sessions = detail.sessions.map(({ start, end, ...rest }) => ({ start: new Date(start), end: new Date(end), ...rest }));
    this.showSessions();
    this.showPlaylists(detail.playlists);
    say(this.settings, `Fragments of at least ${detail.fragDuration} s, ${detail.fragCount} in the live playlist ${detail.playlistName}. A fragment begins at a key frame: set the key frame interval of your encoder to ${detail.fragDuration} s or less.`);
    this.watch(this.recording);
  }

  showFacts(live) {
    const { video, audio } = live ?? {};
    this.facts.set("Size", video && `${video.width} × ${video.height}`);
    this.facts.set("Frame rate", video?.frameRate && `${video.frameRate} frames/s`);
    this.facts.set("Video", video && `${video.codec}, ${bits(8 * video.bandwidth)}`);
    this.facts.set("Audio", audio && `${audio.codec}, ${audio.sampleRate / 1000} kHz, ${bits(8 * audio.bandwidth)}`);
    this.facts.set("Bit rate", live && bits(bitRate(live)));
    this.facts.set("Publisher", live?.remoteAddr);
    this.facts.set("Live since", live && timeOfDay(new Date(live.connectedTime)));
  }

  // Plays a recording, or the live stream if there is none.
  watch(recording) {
    this.recording = recording;
    const isLive = this.channel.status === "Live";
    this.backToLive.hidden = !(recording && isLive);
    if (recording) {
      say(this.source, recording.title);
      // A recording that failed is not retried.
      if (!recording.started) this.player.play(recording.url, false);
      recording.started = true;
    } else if (isLive && this.livePlaylist) {
      say(this.source, "Live stream");
      this.player.play(this.livePlaylist, true);
    } else {
      say(this.source, "");
      const notes = {
        Live: "Live. Waiting for the first fragment…",
        Idle: "Idle. Publish to this channel to see it here.",
        Disabled: "Disabled. Publishers are rejected.",
      };
      const note = notes[this.channel.status];
      if (this.player.url || this.player.note.textContent !== note) this.player.stop(note);
    }
  }

  playButton(title, url) {
    const play = () => {
      this.watch({ title, url });
      this.player.node.scrollIntoView({ block: "nearest" });
    };
    return el("button", { type: "button", "aria-label": `Play: ${title}`, onclick: play }, "Play");
  }

  showTimeline() {
    const since = this.channel.live && new Date(this.channel.live.connectedTime);
    this.timeline.draw(this.sessions, since, this.now);
  }

  showSessions() {
    this.showTimeline();
    this.sessionTable.hidden = this.sessions.length === 0;
    this.noSessions.hidden = this.sessions.length > 0;
    if (!this.changes("sessions", this.sessions)) return;
    this.sessionRows.replaceChildren(...this.sessions.map(({ start, end, remoteAddr, url }) => {
      const started = dayAndSecond(start, this.now);
      return el("tr", {},
        el("td", {}, started), el("td", {}, clock((end - start) / 1000)), el("td", { class: "mono" }, remoteAddr),
        el("td", {}, this.playButton(`the session of ${started}`, url)));
    }));
  }

  showPlaylists(playlists) {
    this.noPlaylists.hidden = playlists.length > 0;
    if (!this.changes("playlists", playlists)) return;
    this.playlists.replaceChildren(...playlists.map(({ name, seconds, fragments, url }) =>
      el("li", {},
        el("span", { class: "name" }, name),
        el("span", { class: "quiet" }, `${span(seconds)}, ${fragments} ${fragments === 1 ? "fragment" : "fragments"}`),
        this.playButton(name, url))));
  }

  // Unchanged rows are not replaced, so that their buttons keep the focus.
  changes(what, value) {
    const text = JSON.stringify(value);
    const known = (this.shown ??= {});
    if (known[what] === text) return false;
    known[what] = text;
    return true;
  }

  publishing() {
    const output = el("div", { class: "publish", "aria-live": "polite" });
    const show = async () => {
      button.disabled = true;
      try {
        output.replaceChildren(...publishLines(await this.request("publish-url", this.parameters)));
        button.textContent = "Create another";
      } catch (error) {
        output.replaceChildren(el("p", {}, error.message));
      }
      button.disabled = false;
    };
    const button = el("button", { type: "button", onclick: show }, "Create a publish URL");
    return section("Publish", el("p", {}, "For OBS, ffmpeg and other encoders. The URL is a secret: anyone who has it can publish to this channel for one day."), button, output);
  }
}

class Facts {
  constructor(names) {
    this.values = new Map(names.map((name) => [name, el("dd")]));
    this.node = el("dl", { class: "facts" }, ...names.map((name) => el("div", {}, el("dt", {}, name), this.values.get(name))));
  }

  set(name, value) {
    const node = this.values.get(name);
    say(node, value ? String(value) : "–");
    node.classList.toggle("absent", !value);
  }
}

function publishLines({ server, streamKey, ffmpeg, expires }) {
  return [
    copyable("OBS: service “Custom”, server", server),
    copyable("OBS: stream key", streamKey),
    copyable("ffmpeg", ffmpeg),
    el("p", { class: "quiet" }, `Valid until ${new Date(expires).toLocaleString()}.`),
  ];
}

function copyable(label, text) {
  const value = el("code", { tabindex: "0", "aria-label": label }, text);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // Browsers allow clipboard access only for pages on this machine.
      getSelection().selectAllChildren(value);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  };
  const button = el("button", { type: "button", "aria-label": `Copy: ${label}`, onclick: copy }, "Copy");
  return el("div", { class: "copyable" }, el("span", { class: "label" }, label), value, button);
}
