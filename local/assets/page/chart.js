// The bit rate as a moving line, and sessions as bars over time.

import { bits, el, svg, clock, dayAndTime, dayAndSecond } from "./text.js";

export const SAMPLES = 120;
const still = matchMedia("(prefers-reduced-motion: reduce)");

// Returns the smallest round number with some margin above the peak.
function ceiling(peak) {
  const wanted = Math.max(peak * 1.15, 1000);
  const unit = 10 ** Math.floor(Math.log10(wanted));
  return unit * [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * unit >= wanted);
}

// Returns lines and areas over runs of known samples, with the newest at the right.
function paths(samples, count, width, height, top) {
  let [line, area] = ["", ""];
  let run = [];
  const finish = () => {
    if (run.length > 1) {
      const points = run.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`);
      line += `M${points.join("L")}`;
      area += `M${points[0].split(" ")[0]} ${height}L${points.join("L")}L${points.at(-1).split(" ")[0]} ${height}Z`;
    }
    run = [];
  };
  const step = width / (count - 1);
  samples.slice(-count).forEach((sample, i, kept) => {
    if (sample == null) return finish();
    run.push([width - (kept.length - 1 - i) * step, height - (sample / top) * height]);
  });
  finish();
  return { line, area, step };
}

export class Sparkline {
  constructor() {
    this.line = svg("path", { class: "line" });
    this.area = svg("path", { class: "area" });
    this.node = svg("svg", { class: "spark", viewBox: "0 0 80 24", preserveAspectRatio: "none", "aria-hidden": "true" }, this.area, this.line);
  }

  draw(samples) {
    const drawn = paths(samples, SAMPLES / 2, 80, 23, ceiling(Math.max(0, ...samples)));
    this.line.setAttribute("d", drawn.line);
    this.area.setAttribute("d", drawn.area);
  }
}

const [WIDTH, HEIGHT] = [600, 120];

export class RateChart {
  constructor(period) {
    this.period = period;
    this.line = svg("path", { class: "line" });
    this.area = svg("path", { class: "area" });
    this.moving = svg("g", {}, this.area, this.line);
    const grid = [0, 0.5, 1].map((y) => svg("path", { class: "grid", d: `M0 ${y * HEIGHT}H${WIDTH}` }));
    this.plot = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" }, ...grid, this.moving);
    this.top = el("span");
    this.middle = el("span");
    this.node = el("div", { class: "chart" },
      el("div", { class: "scale", "aria-hidden": "true" }, this.top, this.middle, el("span", {}, "0")),
      this.plot,
      el("div", { class: "ticks", "aria-hidden": "true" }, ...["2 min ago", "1 min", "now"].map((text) => el("span", {}, text))));
  }

  draw(samples, moved) {
    const known = samples.filter((sample) => sample != null);
    const top = ceiling(Math.max(0, ...known));
    const { line, area, step } = paths(samples, SAMPLES, WIDTH, HEIGHT, top);
    this.line.setAttribute("d", line);
    this.area.setAttribute("d", area);
    this.top.textContent = bits(top);
    this.middle.textContent = bits(top / 2);
    const last = known.at(-1);
    this.plot.setAttribute("aria-label", last == null ? "No bit rate yet" : `Bit rate of the last two minutes, now ${bits(last)}`);
    if (moved && !still.matches) {
      this.moving.animate([{ transform: `translateX(${step}px)` }, { transform: "none" }], { duration: this.period, easing: "linear" });
    }
  }
}

// Ended sessions and the live one, on a time axis that ends now.
export class Timeline {
  constructor(choose) {
    this.choose = choose;
    this.bars = svg("svg", { viewBox: "0 0 1000 40", preserveAspectRatio: "none", role: "img" });
    this.ticks = el("div", { class: "ticks", "aria-hidden": "true" });
    this.node = el("div", { class: "timeline" }, this.bars, this.ticks);
  }

  draw(sessions, liveSince, now) {
    const starts = sessions.map((session) => session.start);
    if (liveSince) starts.push(liveSince);
    this.node.hidden = starts.length === 0;
    if (this.node.hidden) return;
    const first = Math.min(...starts);
    const length = Math.max(now - first, 60_000);
    const x = (date) => ((date - now + length) / length) * 1000;
    const bar = (start, end, kind, title) => {
      const width = Math.max(((end - start) / length) * 1000, 3);
      const left = Math.min(x(start), 1000 - width);
      return svg("rect", { class: kind, x: left.toFixed(2), y: 0, width: width.toFixed(2), height: 40 }, svg("title", {}, title));
    };
    const about = (start, end) => `${dayAndSecond(start, now)}, ${clock((end - start) / 1000)} long`;
    this.bars.replaceChildren(
      svg("rect", { class: "track", x: 0, y: 0, width: 1000, height: 40 }),
      ...sessions.map(({ start, end }) => bar(start, end, "session", about(start, end))),
      ...(liveSince ? [bar(liveSince, now, "live", `Live since ${dayAndSecond(liveSince, now)}`)] : []));
    this.bars.setAttribute("aria-label", `${sessions.length} ended ${sessions.length === 1 ? "session" : "sessions"}${liveSince ? " and one live session" : ""}; see the list below`);
    const name = length < 20 * 60_000 ? dayAndSecond : dayAndTime;
    const labels = [0, 1 / 3, 2 / 3].map((part) => name(new Date(+now - length * (1 - part)), now));
    this.ticks.replaceChildren(...[...labels, "now"].map((text) => el("span", {}, text)));
  }
}
