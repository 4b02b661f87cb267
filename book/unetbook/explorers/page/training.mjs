// The training film of chapter 7: masks and losses of one training, epoch by epoch.
//
// A page of your own needs an element with data-explorer="training" and data-settings,
// as `unetbook.widgets.explore_training` writes them: `history`, lists with a number an
// epoch; `pets`, each with `image`, `truth`, `masks` and `scores`, the last two by epoch;
// `classes`, pairs of name and colour.

import { element, Player, start } from "./shared.mjs";

// ------------------------------------------------------------------------- wording

const CURVES = [
  { key: "loss", name: "training", mark: "circle" },
  { key: "val_loss", name: "validation", mark: "square" },
];

const decimals = (value) => (value ?? NaN).toFixed(3);

/** The curves that a history holds. */
export const curvesOf = (history) => CURVES.filter(({ key }) => history[key]?.length);

/** What the film shows after an epoch, in a sentence. */
export function epochSentence(history, pets, epoch) {
  const last = history.loss.length;
  const losses = curvesOf(history).map(({ key, name }) =>
    `${name} loss ${decimals(history[key][epoch - 1])}`);
  const score = history.val_mean_iou?.[epoch - 1];
  if (typeof score === "number") losses.push(`validation mean IoU ${decimals(score)}`);
  const missing = isKept(pets, epoch) ? "" : " No masks were kept of this epoch.";
  return `After epoch ${epoch} of ${last}: ${losses.join(", ")}.${missing}`;
}

/** Whether the masks of an epoch are there. */
export const isKept = (pets, epoch) => pets.every((pet) => epoch in pet.masks);

/** Why masks are missing, or nothing. */
export function missingSentence(history, pets) {
  const epochs = history.loss.map((_, i) => i + 1);
  const kept = epochs.filter((epoch) => isKept(pets, epoch));
  if (kept.length === epochs.length) return "";
  return `Masks were kept of ${ranges(kept)} only: a run that was resumed or loaded ` +
    "records from then on.";
}

/** `epoch 3`, `epochs 5 to 9`, `epochs 1, 2 and 5 to 9`. */
export function ranges(epochs) {
  const spans = [];
  for (const epoch of epochs) {
    const span = spans.at(-1);
    if (span && span[1] === epoch - 1) span[1] = epoch;
    else spans.push([epoch, epoch]);
  }
  const texts = spans.flatMap(([a, b]) =>
    b === a ? [`${a}`] : b === a + 1 ? [`${a}`, `${b}`] : [`${a} to ${b}`]);
  const all = texts.length < 2 ? texts[0]
    : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`;
  return epochs.length === 1 ? `epoch ${all}` : `epochs ${all}`;
}

// ------------------------------------------------------------------------ the chart

const [WIDTH, HEIGHT] = [320, 200];
const [LEFT, RIGHT, TOP, BOTTOM] = [34, 310, 10, 164];

/** Round steps for an axis from 0 to `highest`: at most `most` of them. */
export function axisSteps(highest, most) {
  const power = 10 ** Math.floor(Math.log10(highest / most));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => highest / n <= most);
  const count = Math.floor(highest / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => i * step);
}

/** Functions from an epoch to x and from a loss to y, in units of the drawing. */
export function scales(history) {
  const last = history.loss.length;
  const losses = curvesOf(history).flatMap(({ key }) => history[key]);
  const highest = Math.max(...losses.filter(Number.isFinite), 1e-6) * 1.05;
  return {
    highest,
    x: (epoch) => LEFT + ((RIGHT - LEFT) * (epoch - 0.5)) / last,
    y: (loss) => BOTTOM - ((BOTTOM - TOP) * loss) / highest,
    epoch: (x) => Math.max(1, Math.min(last, Math.round(((x - LEFT) * last) / (RIGHT - LEFT) + 0.5))),
  };
}

/** The loss curves with a marker on one epoch. */
class Chart {
  constructor(history, onPick) {
    this.history = history;
    this.scales = scales(history);
    this.marker = element("g", { class: "marker" });
    this.root = element("svg", { class: "chart", role: "img",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}` });
    const curves = curvesOf(history).flatMap((curve) => this.curve(curve));
    this.root.append(...this.axes(), ...curves, this.marker);
    this.root.addEventListener("click", (event) => {
      const box = this.root.getBoundingClientRect();
      onPick(this.scales.epoch(((event.clientX - box.left) / box.width) * WIDTH));
    });
  }

  /** Grid lines and numbers. */
  axes() {
    const { x, y, highest } = this.scales;
    const last = this.history.loss.length;
    const text = (at, words, name) => element("text", { ...at, class: name }, words);
    const rows = axisSteps(highest, 5).flatMap((loss) => [
      line([[LEFT, y(loss)], [RIGHT, y(loss)]], "rule"),
      text({ x: LEFT - 6, y: y(loss) + 4 }, String(Math.round(loss * 1e6) / 1e6), "left")]);
    const every = Math.max(1, axisSteps(last, 10)[1]);
    const epochs = this.history.loss.map((_, i) => i + 1)
      .filter((epoch) => epoch % every === 0);
    const columns = epochs.map((epoch) =>
      text({ x: x(epoch), y: BOTTOM + 16 }, String(epoch), "below"));
    const name = text({ x: (LEFT + RIGHT) / 2, y: HEIGHT - 3 }, "epoch", "below");
    return [...rows, ...columns, name];
  }

  /** One curve: a line, and a mark an epoch. */
  curve({ key, mark }) {
    const { x, y } = this.scales;
    const known = this.history[key].map((loss, i) => [i + 1, loss])
      .filter(([, loss]) => Number.isFinite(loss));
    const places = known.map(([epoch, loss]) => [x(epoch), y(loss)]);
    const size = Math.min(2.6, 60 / places.length);
    return [line(places, `curve ${key}`),
      ...places.map((place) => sign(mark, place, size, `dot ${key}`))];
  }

  /** Move the marker to an epoch. */
  show(epoch) {
    const { x, y } = this.scales;
    const dots = curvesOf(this.history)
      .filter(({ key }) => Number.isFinite(this.history[key][epoch - 1]))
      .map(({ key, mark }) =>
        sign(mark, [x(epoch), y(this.history[key][epoch - 1])], 5, `dot now ${key}`));
    this.marker.replaceChildren(line([[x(epoch), TOP], [x(epoch), BOTTOM]], "now"), ...dots);
    const from = curvesOf(this.history).map(({ key, name }) =>
      `${name} from ${decimals(this.history[key][0])} to ${decimals(this.history[key].at(-1))}`);
    this.root.setAttribute("aria-label",
      `Loss over the epochs: ${from.join(", ")}. The marker is on epoch ${epoch}.`);
  }
}

const line = (places, name) =>
  element("path", { d: `M${places.map((place) => place.join(" ")).join("L")}`, class: name });

/** A circle or a square around a place. */
function sign(mark, [x, y], size, name) {
  const round = mark === "circle" ? size : 0;
  return element("rect", { x: x - size, y: y - size, width: 2 * size, height: 2 * size,
    rx: round, class: name });
}

// --------------------------------------------------------------------------- the film

/** The pictures of one pet: itself, its mask after an epoch, the truth. */
class Pet {
  constructor(pet, number, size) {
    Object.assign(this, { pet, number });
    const picture = (src, alt) => element("img", { src, alt, ...size });
    this.mask = picture(pet.truth, "");
    this.none = element("div", { class: "none" }, "not kept");
    this.score = element("div", { class: "score" });
    this.parts = [
      picture(pet.image, `pet ${number}: the picture`),
      element("div", {}, this.mask, this.none, this.score),
      picture(pet.truth, `pet ${number}: the true mask`),
    ];
  }

  show(epoch) {
    const { pet, number } = this;
    const kept = epoch in pet.masks;
    this.mask.hidden = !kept;
    this.none.hidden = kept;
    if (kept) this.mask.src = pet.masks[epoch];
    this.mask.alt = `pet ${number}: its mask after epoch ${epoch}`;
    this.score.textContent = kept ? `IoU ${pet.scores[epoch]?.toFixed(2) ?? "none"}` : "";
  }
}

/** The legend of the curves, with the losses of the epoch. */
class Losses {
  constructor(history) {
    this.history = history;
    this.values = curvesOf(history).map(() => element("b", { class: "value" }));
    const entries = curvesOf(history).map(({ key, name, mark }, i) => {
      const sample = element("svg", { viewBox: "0 0 34 12", class: "sample", "aria-hidden": "true" },
        line([[0, 6], [34, 6]], `curve ${key}`), sign(mark, [17, 6], 3.5, `dot ${key}`));
      return element("span", {}, sample, `${name} loss `, this.values[i]);
    });
    this.root = element("div", { class: "losses" }, ...entries);
  }

  show(epoch) {
    curvesOf(this.history).forEach(({ key }, i) => {
      this.values[i].textContent = decimals(this.history[key][epoch - 1]);
    });
  }
}

/** One film on the page. */
class Film {
  constructor(root, { history, pets, classes, size }) {
    Object.assign(this, { history, pets });
    this.player = new Player({ what: "step through the epochs", label: "epoch:",
      go: (step) => this.go(step), text: (step) => String(step + 1) });
    this.chart = new Chart(history, (epoch) => this.player.move(epoch - 1));
    this.losses = new Losses(history);
    this.shown = pets.map((pet, i) => new Pet(pet, i + 1, { width: size, height: size }));
    root.replaceChildren(this.player.root, element("div", { class: "stage" },
      element("div", { class: "panel" }, this.losses.root, this.chart.root),
      element("div", { class: "panel" }, this.makePets(), legend(classes)),
    ), element("p", { class: "note" }, missingSentence(history, pets)));
    const kept = history.loss.findIndex((_, step) => isKept(pets, step + 1));
    this.go(Math.max(kept, 0));
  }

  /** A row for the pictures, one for the masks, one for the truth. */
  makePets() {
    this.heading = element("div", { class: "caption" });
    const headings = [element("div", { class: "caption" }, "picture"), this.heading,
      element("div", { class: "caption" }, "truth")];
    const rows = headings.flatMap((heading, row) =>
      [heading, ...this.shown.map((pet) => pet.parts[row])]);
    const grid = element("div", { class: "pets" }, ...rows);
    grid.style.setProperty("--pets", this.shown.length);
    return grid;
  }

  go(step) {
    const epoch = step + 1;
    this.player.show(step, this.history.loss.length - 1);
    this.player.say(epochSentence(this.history, this.pets, epoch));
    this.heading.textContent = `prediction after epoch ${epoch}, with its mean IoU`;
    for (const part of [this.chart, this.losses, ...this.shown]) part.show(epoch);
  }
}

/** The names of the classes beside their colours. */
function legend(classes) {
  const entries = classes.map(([name, colour]) => {
    const chip = element("span", { class: "chip" });
    chip.style.background = colour;
    return element("span", {}, chip, name);
  });
  return element("div", { class: "legend" }, ...entries);
}

start("training", (root, settings) => new Film(root, settings));
