// Polls the endpoint and shows its state: the list, and one channel.

import { ChannelView } from "./channel.js";
import { SAMPLES, Sparkline } from "./chart.js";
import { Faults } from "./faults.js";
import { Problems } from "./problems.js";
import { bitRate, bits, clock, el, say } from "./text.js";

const PERIOD_MS = 1000;
const byId = (id) => document.getElementById(id);
const [list, search, news] = [byId("list"), byId("search"), byId("news")];

const rows = new Map();
const rates = new Map();
const states = new Map();
const faults = new Faults(byId("faults"));
const problems = new Problems(byId("problems"));
let overview = null;
let view = null;
let selected = fromAddress();

async function messageOf(response) {
  const text = await response.text();
  // Requests without the token get plain text.
  return response.headers.get("Content-Type") === "application/json" ? JSON.parse(text).message : text.trim();
}

export async function request(path, parameters = {}) {
  const query = new URLSearchParams(parameters);
  const response = await fetch(`api/${path}?${query}`, { signal: AbortSignal.timeout(8000) });
  if (!response.ok) throw new Error(await messageOf(response));
  return response.json();
}

const keyOf = ({ bucket, name }) => `${bucket}/${name}`;

// Returns the channel in the address, after "#/".
function fromAddress() {
  const [bucket, name] = location.hash.slice(2).split("/");
  if (!location.hash.startsWith("#/") || !name) return null;
  try {
    return { bucket, name: decodeURIComponent(name) };
  } catch {
    return null;
  }
}

const addressOf = ({ bucket, name }) => `#/${bucket}/${encodeURIComponent(name)}`;

class Row {
  constructor(channel) {
    this.name = el("span", { class: "name" }, channel.name);
    this.state = el("span", { class: "state" });
    this.about = el("span", { class: "about" });
    this.rate = el("span", { class: "rate" });
    this.spark = new Sparkline();
    this.node = el("a", { class: "row", href: addressOf(channel) },
      el("span", { class: "first" }, this.state, this.name),
      el("span", { class: "second" }, this.about, this.spark.node, this.rate));
  }

  update(channel, isSelected, now) {
    const { live, status } = channel;
    this.node.dataset.status = status;
    if (isSelected) this.node.setAttribute("aria-current", "true");
    else this.node.removeAttribute("aria-current");
    say(this.state, status);
    say(this.about, live ? summaryOf(live, now) : channel.description);
    say(this.rate, live ? bits(bitRate(live)) : "");
    this.spark.node.toggleAttribute("hidden", !live);
    if (live) this.spark.draw(rates.get(keyOf(channel)) ?? []);
  }
}

function summaryOf({ video, audio, connectedTime }, now) {
  const what = video ? `${video.width}×${video.height}` : audio ? "audio only" : "starting";
  return `${what} · ${clock((now - new Date(connectedTime)) / 1000)}`;
}

function remember(channels) {
  const seen = new Set();
  for (const channel of channels) {
    const key = keyOf(channel);
    seen.add(key);
    const samples = rates.get(key) ?? [];
    if (channel.live || samples.length > 0) {
      samples.push(channel.live ? bitRate(channel.live) : null);
      rates.set(key, samples.slice(-SAMPLES));
    }
    const before = states.get(key);
    if (before && before !== channel.status) announce(channel);
    states.set(key, channel.status);
  }
  for (const known of [rates, states]) {
    for (const key of known.keys()) if (!seen.has(key)) known.delete(key);
  }
}

function announce({ name, status }) {
  const what = { Live: "is live", Idle: "is idle", Disabled: "is disabled" }[status];
  news.textContent = `${name} ${what}`;
}

// Rows are reused, so that focus and selection are kept.
function showList(channels, now) {
  const buckets = Map.groupBy ? Map.groupBy(channels, (c) => c.bucket) : group(channels);
  const wanted = [];
  for (const [bucket, members] of buckets) {
    wanted.push(headingOf(bucket));
    for (const channel of members) {
      const key = keyOf(channel);
      if (!rows.has(key)) rows.set(key, new Row(channel));
      rows.get(key).update(channel, selected && keyOf(selected) === key, now);
      wanted.push(rows.get(key).node);
    }
  }
  for (const [key, row] of rows) if (!wanted.includes(row.node)) rows.delete(key);
  if (wanted.length === 0) {
    const text = search.value ? "No matching channels." : "No channels yet. Create one with any OSS SDK, or run: osslive --local channel create NAME";
    wanted.push(el("p", { class: "empty" }, text));
  }
  const same = wanted.length === list.children.length && wanted.every((node, i) => node === list.children[i]);
  if (!same) list.replaceChildren(...wanted);
}

function group(channels) {
  const buckets = new Map();
  for (const channel of channels) buckets.set(channel.bucket, [...(buckets.get(channel.bucket) ?? []), channel]);
  return buckets;
}

const headings = new Map();
function headingOf(bucket) {
  if (!headings.has(bucket)) headings.set(bucket, el("h2", {}, el("span", {}, "bucket "), bucket));
  return headings.get(bucket);
}

function showChannel(isSample) {
  const now = new Date(overview.now);
  const channel = selected && overview.channels.find((c) => keyOf(c) === keyOf(selected));
  if (view && (!selected || view.key !== keyOf(selected))) {
    view.close();
    view = null;
  }
  if (!channel) {
    // A search may hide it from the list; the view is kept.
    if (!view) byId("channel").replaceChildren(el("p", { class: "empty" }, selected ? "This channel does not exist." : "Select a channel."));
    return;
  }
  if (!view) {
    view = new ChannelView(channel, keyOf(channel), { request, hasLibrary: overview.hlsJs, period: PERIOD_MS });
    byId("channel").replaceChildren(view.node);
    document.title = `${channel.name} · osslive`;
  }
  view.update(channel, rates.get(keyOf(channel)) ?? [], now, isSample);
}

function show(isSample) {
  const { channels, live, total, truncated } = overview;
  const now = new Date(overview.now);
  // Unless the user has selected a channel, show a live one.
  if (!selected && !search.value && channels.length > 0) {
    selected = channels.find((channel) => channel.live) ?? channels[0];
  }
  showList(channels, now);
  showChannel(isSample);
  faults.show(overview.faults, overview.clock);
  problems.show(overview.problems, now);
  say(byId("totals"), `${total} ${total === 1 ? "channel" : "channels"}, ${live} live`);
  byId("more").hidden = !truncated;
  say(byId("more"), truncated ? `${total - channels.length} more not shown. Use the search.` : "");
}

async function refresh() {
  const searched = search.value;
  try {
    const response = await request("channels", { search: searched });
    if (searched !== search.value) return;
    overview = response;
    byId("trouble").hidden = true;
    // Channels that do not match a search still exist.
    if (!searched) remember(response.channels);
    show(!searched);
  } catch (error) {
    say(byId("trouble"), `The endpoint is not responding (${error.message})`);
    byId("trouble").hidden = false;
  }
}

async function run() {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((done) => setTimeout(done, PERIOD_MS));
  }
}

addEventListener("hashchange", () => {
  const chosen = fromAddress();
  if (!chosen) return;
  selected = chosen;
  if (overview) show(false);
  // On a phone the channel is below the list.
  byId("channel").focus({ preventScroll: true });
  byId("channel").scrollIntoView({ block: "nearest" });
});
search.addEventListener("input", refresh);
say(byId("host"), location.host);
run();
