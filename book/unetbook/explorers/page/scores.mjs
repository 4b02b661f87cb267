// The score explorer of chapter 8: move the threshold and the border, watch the scores.
//
// A page of your own needs an element with data-explorer="scores" and data-settings, as
// `unetbook.widgets.explore_scores` writes them: `cases`, each a picture with its maps or
// the counts of a whole set; `classes`, pairs of name and colour; `size`. First comes the
// arithmetic, which a test compares with `unetbook.metrics` through Node.

import { button, element, slider, start } from "./shared.mjs";

// ---------------------------------------------------------------------- arithmetic

const [PET, BACKGROUND, BORDER] = [0, 1, 2];
const LEVELS = 256;
const sum = (values) => values.reduce((total, value) => total + value, 0);
const square = (size) => Array.from({ length: size }, () => new Array(size).fill(0));

/** Intersection over union, class by class; NaN where a class does not occur. */
export const iouPerClass = (matrix) => matrix.map((row, i) => {
  const union = sum(row) + sum(matrix.map((other) => other[i])) - row[i];
  return union > 0 ? row[i] / union : NaN;
});

/** Dice is 2 IoU / (1 + IoU). */
export const dicePerClass = (matrix) => iouPerClass(matrix).map((iou) => (2 * iou) / (1 + iou));

/** The share of pixels whose class is right. */
export function pixelAccuracy(matrix) {
  return sum(matrix.map((row, i) => row[i])) / sum(matrix.map(sum)); // 0 / 0 is NaN
}

/** The average over the classes that occur. */
export function meanOf(scores) {
  const known = scores.filter((score) => !Number.isNaN(score));
  return sum(known) / known.length;
}

/** The matrix that a border policy scores, and how many classes it scores. */
export function applyPolicy(matrix, policy) {
  if (policy === "ignored") {
    return { matrix: matrix.map((row, i) => (i === BORDER ? row.map(() => 0) : row)), classes: 2 };
  }
  if (policy === "merged") {
    const merged = square(2);
    matrix.forEach((row, i) => row.forEach((count, j) => {
      merged[i % 2][j % 2] += count; // border, 2, becomes pet, 0
    }));
    return { matrix: merged, classes: 2 };
  }
  return { matrix, classes: 3 };
}

/** Every score under a border policy, as `score_border` computes them. */
export function score(counted, policy) {
  const { matrix, classes } = applyPolicy(counted, policy);
  const [iou, dice] = [iouPerClass(matrix).slice(0, classes), dicePerClass(matrix).slice(0, classes)];
  return { matrix, iou, dice, meanIou: meanOf(iou), meanDice: meanOf(dice),
    accuracy: pixelAccuracy(matrix) };
}

// A pixel's code is its true class + 3 * its most probable class + 9 * (the likelier of
// background and border, minus 1); its level is the pet's probability in 0 to 255.
const CODES = 18;

/** How many pixels have each code and level. */
export function countLevels(codes, levels) {
  const counts = Array.from({ length: CODES }, () => new Array(LEVELS).fill(0));
  codes.forEach((code, i) => { counts[code][levels[i]] += 1; });
  return counts;
}

/** The class of a pixel: pet from `percent` on; with null the most probable one. */
export function predictedClass(code, level, percent) {
  if (percent === null) return Math.floor(code / 3) % 3;
  const reaches = level * 100 >= percent * (LEVELS - 1);
  return reaches ? PET : BACKGROUND + Math.floor(code / 9);
}

/** The confusion matrix of counted pixels: rows are the truth, columns the prediction. */
export function matrixOf(counts, percent) {
  const matrix = square(3);
  counts.forEach((byLevel, code) => byLevel.forEach((count, level) => {
    matrix[code % 3][predictedClass(code, level, percent)] += count;
  }));
  return matrix;
}

/** Bytes that zlib packed and base64 wrote. */
export async function inflate(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return Array.from(new Uint8Array(await new Response(stream).arrayBuffer()));
}

// -------------------------------------------------------------------------- wording

const POLICIES = { class: "a class", ignored: "ignored", merged: "merged" };

const decimals = (value) => (Number.isNaN(value) ? "none" : value.toFixed(3));
const percentage = (share) => `${(share * 100).toFixed(1)}%`;

/** The state and its scores, in a sentence. */
export function stateSentence({ title, policy, percent }, scores) {
  const rule = percent === null ? "the most probable class" : `pet from ${percent} % on`;
  return `${title[0].toUpperCase()}${title.slice(1)}, border ${POLICIES[policy]}, ${rule}: mean IoU ` +
    `${decimals(scores.meanIou)}, IoU of the pet ${decimals(scores.iou[PET])}, ` +
    `accuracy ${decimals(scores.accuracy)}.`;
}

// ------------------------------------------------------------------ tables and pictures

/** A table cell; the first of a row names it. */
const cell = (text, attributes = {}) => element("td", attributes, text);
const header = (text, scope) => element("th", { scope }, text);

/** IoU and Dice a class, their means, and the accuracy. */
function scoreTable(names, { iou, dice, meanIou, meanDice, accuracy }) {
  const row = (name, ...values) =>
    element("tr", {}, header(name, "row"), ...values.map((value) => cell(decimals(value))));
  const rows = iou.map((value, i) => row(names[i], value, dice[i]));
  const whole = element("tr", {}, header("accuracy", "row"),
    cell(decimals(accuracy), { colspan: 2 }));
  return [
    element("caption", {}, "Scores"),
    element("thead", {}, element("tr", {}, element("td"), header("IoU", "col"), header("Dice", "col"))),
    element("tbody", {}, ...rows, row("mean", meanIou, meanDice), whole)];
}

/** The confusion matrix: each row's shares, and the counts. */
function matrixTable(names, matrix) {
  const head = element("tr", {}, element("td", {}, "true ↓", element("br"), "called →"),
    ...matrix.map((_, i) => header(names[i], "col")));
  const rows = matrix.map((counts, i) => {
    const total = sum(counts);
    const cells = counts.map((count) => {
      const share = total ? count / total : 0;
      const made = cell(total ? percentage(share) : "–", { class: "count" });
      made.style.setProperty("--shade", share.toFixed(3));
      made.append(element("small", {}, count.toLocaleString("en")));
      return made;
    });
    return element("tr", {}, header(names[i], "row"), ...cells);
  });
  return [element("caption", {}, "Confusion matrix, in pixels"),
    element("thead", {}, head), element("tbody", {}, ...rows)];
}

/** The three bytes of a colour such as `#2f7fc1`. */
const bytes = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

/** A picture that is painted pixel by pixel. */
class Canvas {
  constructor([height, width], name) {
    this.root = element("canvas", { width, height, role: "img", "aria-label": name });
    this.context = this.root.getContext("2d");
    this.data = this.context.createImageData(width, height);
  }

  /** Paint `colourOf(index)`, three bytes, into every pixel. */
  paint(colourOf, name) {
    for (let i = 0; i < this.data.data.length / 4; i++) {
      this.data.data.set([...colourOf(i), 255], i * 4);
    }
    this.context.putImageData(this.data, 0, 0);
    this.root.setAttribute("aria-label", name);
  }
}

/** Buttons of which one is pressed. */
function choice(name, options, onChoose) {
  const buttons = Object.entries(options).map(([value, text]) => [value,
    button(text, () => onChoose(value))]);
  const root = element("div", { class: "presets", role: "group", "aria-label": name },
    element("span", { class: "name" }, name), ...buttons.map(([, made]) => made));
  const show = (chosen) => buttons.forEach(([value, made]) =>
    made.setAttribute("aria-pressed", value === String(chosen)));
  return { root, show };
}

// --------------------------------------------------------------------------- the explorer

const IGNORED = [200, 200, 200];

class ScoreExplorer {
  constructor(root, settings) {
    Object.assign(this, settings, { root });
    this.names = this.classes.map(([name]) => name);
    this.colours = this.classes.map(([, colour]) => bytes(colour));
    this.state = { chosen: 0, policy: "class", percent: null };
    this.makeControls();
    this.makeDisplay();
    this.unpackAll().then(() => this.update());
  }

  /** Read the maps of every picture, and count their pixels. */
  async unpackAll() {
    for (const one of this.cases.filter((each) => !each.counts)) {
      one.codes = await inflate(one.codes);
      one.levels = await inflate(one.levels);
      one.counts = countLevels(one.codes, one.levels);
    }
  }

  makeControls() {
    const titles = Object.fromEntries(this.cases.map(({ title }, i) => [i, title]));
    this.picture = choice("picture:", titles, (i) => this.set({ chosen: Number(i) }));
    this.border = choice("border:", POLICIES, (policy) => this.set({ policy }));
    this.rule = choice("pet is:", { null: "the most probable class" },
      () => this.set({ percent: null }));
    const text = (value) => (this.state.percent === null ? "off" : `${value} %`);
    this.threshold = slider("threshold:", [1, 99], (percent) => {
      this.status.setAttribute("aria-live", "off"); // not a sentence for every step of a drag
      this.set({ percent });
    }, text);
    this.threshold.input.addEventListener("change", () => {
      this.status.removeAttribute("aria-live");
      this.update();
    });
    this.rule.root.append(this.threshold.root);
  }

  makeDisplay() {
    this.status = element("p", { class: "status", role: "status" });
    this.image = element("img", { width: this.size[1], height: this.size[0], alt: "" });
    this.maps = Object.fromEntries(["truth", "probability", "prediction"]
      .map((name) => [name, new Canvas(this.size, name)]));
    const figure = (text, shown) =>
      element("div", {}, shown, element("div", { class: "caption" }, text));
    this.pictures = element("div", { class: "pictures" }, figure("picture", this.image),
      figure("probability of pet", this.maps.probability.root),
      figure("truth", this.maps.truth.root), figure("prediction", this.maps.prediction.root));
    [this.scores, this.matrix] = [element("table"), element("table")];
    this.note = element("p", { class: "note" });
    this.root.replaceChildren(this.picture.root, this.border.root,
      element("div", { class: "bar" }, this.rule.root, this.status),
      element("div", { class: "stage" },
        element("div", { class: "panel" }, this.pictures, this.makeLegend(), this.note),
        element("div", { class: "panel" }, this.scores, this.matrix)));
  }

  makeLegend() {
    const entry = (name, colour) => {
      const chip = element("span", { class: "chip" });
      chip.style.background = colour;
      return element("span", {}, chip, name);
    };
    this.left = entry("left out", `rgb(${IGNORED})`);
    this.chips = this.classes.map(([name, colour]) => entry(name, colour));
    this.legend = element("div", { class: "legend" }, ...this.chips, this.left);
    return this.legend;
  }

  set(changes) {
    Object.assign(this.state, changes);
    this.update();
  }

  update() {
    const { chosen, policy, percent } = this.state;
    const one = this.cases[chosen];
    const scores = score(matrixOf(one.counts, percent), policy);
    this.picture.show(chosen);
    this.border.show(policy);
    this.rule.show(percent);
    this.threshold.show(percent ?? this.threshold.input.value);
    this.status.textContent = stateSentence({ title: one.title, policy, percent }, scores);
    this.scores.replaceChildren(...scoreTable(this.names, scores));
    this.matrix.replaceChildren(...matrixTable(this.names, scores.matrix));
    this.showPictures(one);
  }

  /** The maps of a picture; a whole set has none. */
  showPictures(one) {
    const { policy, percent } = this.state;
    this.pictures.hidden = this.legend.hidden = !one.image;
    this.note.textContent = one.image ? "" :
      `${one.title}: their pixels are counted together, so that there is no mask to show.`;
    if (!one.image) return;
    this.image.src = one.image;
    this.image.alt = `the picture: ${one.title}`;
    const truth = (i) => one.codes[i] % 3;
    const show = (map, classOf, name) => this.maps[map].paint((i) => {
      if (policy === "ignored" && truth(i) === BORDER) return IGNORED;
      return this.colours[policy === "merged" ? classOf(i) % 2 : classOf(i)];
    }, `${name}: ${one.title}`);
    show("truth", truth, "true mask");
    show("prediction", (i) => predictedClass(one.codes[i], one.levels[i], percent), "predicted mask");
    this.maps.probability.paint((i) => new Array(3).fill(one.levels[i]),
      `probability of pet, white where it is 1: ${one.title}`);
    this.chips[BORDER].hidden = policy === "merged";
    this.left.hidden = policy !== "ignored";
  }
}

start("scores", (root, settings) => {
  if (typeof DecompressionStream === "undefined") {
    root.textContent = "This explorer needs a newer browser, one of 2023 or later.";
    return null;
  }
  return new ScoreExplorer(root, settings);
});
