// Elements and formatting. Strings from outside are always set as text.

const SVG = "http://www.w3.org/2000/svg";

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

export const el = (tag, attributes = {}, ...children) =>
  build(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  build(document.createElementNS(SVG, tag), attributes, children);

// Unchanged text is not replaced, so that a selection in it is kept.
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function bits(perSecond) {
  if (perSecond >= 999_500) return `${(perSecond / 1e6).toFixed(perSecond < 9.95e6 ? 1 : 0)} Mbit/s`;
  return `${Math.round(perSecond / 1000)} kbit/s`;
}

export const bitRate = (live) =>
  8 * ((live.video?.bandwidth ?? 0) + (live.audio?.bandwidth ?? 0));

// 4:05, or 1:04:05.
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function span(seconds) {
  if (seconds < 59.5) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3570) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

const time = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const short = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });

export const timeOfDay = (date) => time.format(date);
export const dayAndTime = (date, now) =>
  date.toDateString() === now.toDateString() ? short.format(date) : `${day.format(date)}, ${short.format(date)}`;
export const dayAndSecond = (date, now) =>
  date.toDateString() === now.toDateString() ? time.format(date) : `${day.format(date)}, ${time.format(date)}`;
