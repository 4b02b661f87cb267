// What the explorers share: parts of a display, and the way they start.
//
// A module imports what it needs from "./shared.mjs"; where an explorer stands in the
// output of a cell, `unetbook.widgets` writes this file in the place of that line.

/** Make an element; children may be elements or texts. */
export function element(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "rect", "path", "text", "title"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A number as a reader expects it: two decimals at most, and a real minus. */
export const number = (value) =>
  String(Math.round(value * 100) / 100 + 0).replace("-", "−");

/** `1 stamp`, `2 stamps`. */
export const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** `a`, `a or b`, `a, b or c`. */
export const listed = (items, word) => items.length < 2 ? `${items[0]}`
  : `${items.slice(0, -1).join(", ")} ${word} ${items.at(-1)}`;

/** A plain button. */
export function button(text, onClick, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", onClick);
  return made;
}

/** A slider with its name and its value before it; `text` writes the value. */
export function slider(label, [min, max, step = 1], onInput, text = String) {
  const input = element("input", { type: "range", min, max, step });
  const value = element("b", { class: "value", "aria-hidden": "true" });
  input.addEventListener("input", () => onInput(Number(input.value)));
  const root = element("label", { class: "slider" },
    element("span", {}, `${label} `, value), input);
  const show = (current) => {
    input.value = current;
    value.textContent = text(current);
    if (text !== String) input.setAttribute("aria-valuetext", text(current));
  };
  return { root, input, show };
}

/** A list to choose from; `options` leads from values to texts. */
export function chooser(label, options, onChange) {
  const select = element("select", {}, ...Object.entries(options).map(([value, text]) =>
    element("option", { value }, text)));
  select.addEventListener("change", () => onChange(select.value));
  const root = element("label", { class: "chooser" }, element("span", {}, label), select);
  return { root, show: (value) => { select.value = value; } };
}

/** A box to tick. */
export function checkbox(label, onChange) {
  const input = element("input", { type: "checkbox" });
  input.addEventListener("change", () => onChange(input.checked));
  const root = element("label", { class: "check" }, input, label);
  return { root, input, show: (value) => { input.checked = value; } };
}

/** A part with a heading. */
export function panel(title, name, ...children) {
  const heading = element("div", { class: "title" }, title);
  return { root: element("div", { class: `panel panel-${name}` }, heading, ...children), heading };
}

/**
 * Back, Next, Play and a slider, with the sentence that is announced below them.
 *
 * `go(step)` is asked to move and answers nothing; `show(step, last)` says where the
 * display stands. While it plays, the sentence changes unannounced.
 */
export class Player {
  constructor({ what, label, go, text = String, pause = 900 }) {
    Object.assign(this, { go, pause, step: 0, last: 1, timer: null });
    this.position = slider(label, [0, 1], (step) => this.move(step), text);
    this.play = button("Play", () => this.toggle(), { class: "play" });
    const steps = element("div", { class: "steps", role: "group", "aria-label": what },
      button("Back", () => this.move(this.step - 1)),
      button("Next", () => this.move(this.step + 1)), this.play, this.position.root);
    this.status = element("p", { class: "status", role: "status" });
    this.root = element("div", { class: "bar" }, steps, this.status);
  }

  /** Move by hand, which ends the playing. */
  move(step) {
    this.stop();
    this.go(Math.max(0, Math.min(step, this.last)));
  }

  show(step, last) {
    Object.assign(this, { step, last });
    this.position.input.max = last;
    this.position.show(step);
  }

  say(sentence) {
    this.status.textContent = sentence;
  }

  /** Step on by itself, from the start if the end is reached. */
  toggle() {
    if (this.timer) {
      this.stop();
      return;
    }
    this.status.setAttribute("aria-live", "off"); // not a sentence every second
    this.play.textContent = "Pause";
    if (this.step === this.last) this.go(0);
    this.timer = setInterval(() => {
      const next = this.step + 1;
      if (next >= this.last) this.stop();
      this.go(next);
    }, this.pause);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.status.removeAttribute("aria-live");
    this.play.textContent = "Play";
  }
}

/** Keep JupyterLab's own keys off a control; it asks the focused element before others. */
function keepKeys({ target }) {
  target.setAttribute("data-lm-suppress-shortcuts", "true");
}

/** Start the explorers of a name; `make(root, settings)` fills the element `root`. */
export function start(name, make) {
  if (typeof document === "undefined") return; // Node, in the tests
  const waiting = `[data-explorer="${name}"]:not([data-started])`;
  for (const root of document.querySelectorAll(waiting)) {
    root.dataset.started = "yes";
    root.addEventListener("focusin", keepKeys);
    make(root, JSON.parse(root.dataset.settings ?? "{}"));
  }
}
