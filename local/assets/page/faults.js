// The active fault rules and the clock, so that nobody debugs a fault that was injected.

import { el } from "./text.js";

const KNOWN = new Set(["id", "hits", "operation", "channel"]);

function line(fault) {
  const effects = Object.entries(fault).filter(([name]) => !KNOWN.has(name));
  const effect = effects.map(([name, value]) => `${name} ${value}`).join(", ");
  const about = [fault.operation, fault.channel].filter((part) => part).join(" ");
  return `${about}: ${effect} (applied ${fault.hits} ${fault.hits === 1 ? "time" : "times"})`;
}

const time = ({ now, rate }) =>
  rate === 0 ? `The clock is frozen at ${now}.` : `The clock is at ${now} and runs at ${rate} times normal speed.`;

export class Faults {
  constructor(node) {
    this.node = node;
    this.shown = "";
  }

  show(faults, clock) {
    const text = JSON.stringify([faults, clock?.rate, Boolean(clock)]);
    this.node.hidden = faults.length === 0 && !clock;
    if (text === this.shown && !clock) return;
    this.shown = text;
    const parts = [];
    if (faults.length > 0) {
      parts.push(el("strong", {}, `Active fault rules (${faults.length})`));
      parts.push(el("ul", {}, ...faults.slice(0, 50).map((fault) => el("li", {}, line(fault)))));
    }
    if (clock) parts.push(el("p", {}, time(clock)));
    this.node.replaceChildren(...parts);
  }
}
