// The latest rejections, warnings and errors: encoders, requests, streams.

import { dayAndSecond, el, say } from "./text.js";

const where = ({ bucket, key }) => [bucket, key].filter((part) => part).join("/");
const what = ({ kind, operation, method, status }) =>
  kind === "request" ? [operation ?? method, status].filter((part) => part).join(" ") : kind;
const why = ({ code, ec, message }) => [code, message, ec && `(${ec})`].filter((part) => part).join(" ");

export class Problems {
  constructor(node) {
    this.node = node;
    this.title = el("summary");
    this.list = el("ol");
    this.newest = "";
    node.append(this.title, this.list);
  }

  show(events, now) {
    this.node.hidden = events.length === 0;
    const newest = JSON.stringify(events[0] ?? null);
    if (newest === this.newest) return;
    this.newest = newest;
    say(this.title, `Recent problems (${events.length})`);
    this.list.replaceChildren(...events.map((event) => el("li", { "data-level": event.level },
      el("time", { datetime: event.time }, dayAndSecond(new Date(event.time), now)),
      el("strong", {}, what(event)),
      el("span", { class: "mono" }, where(event)),
      el("span", {}, why(event)),
      el("span", { class: "quiet" }, event.remote))));
  }
}
