// The transposed-convolution explorer of chapter 2. No dependencies, no network.
//
// This file serves the rendered page, JupyterLab and Colab: `unetbook.widgets` puts it
// into the output of a cell. A page of your own needs an element with
// data-explorer="transposed-convolution", the two styles beside this file, and this file
// as a module. First comes the arithmetic, which a test compares with Keras through Node;
// then the state, the wording, the parts of the display, and what the reader can do.

import {
  Player, button, checkbox, chooser, element, listed, number, panel, plural, slider, start,
} from "./shared.mjs";

// ------------------------------------------------------------------- arithmetic

/** Sides of the uncut and of the final output, and the rows cut off at the top. */
export function outputSize(inputSize, kernelSize, strides, padding) {
  const canvas = (inputSize - 1) * strides + Math.max(kernelSize, strides);
  const output = padding === "same" ? inputSize * strides : canvas;
  return { canvas, output, before: Math.floor((canvas - output) / 2) };
}

/** Every weight's way: input pixel, entry of the kernel, output pixel (-1: cut off). */
export function connections(inputSize, kernelSize, strides, padding) {
  const { output, before } = outputSize(inputSize, kernelSize, strides, padding);
  const inside = (position) => position >= 0 && position < output;
  const ways = [];
  for (let pixel = 0; pixel < inputSize ** 2; pixel++) {
    for (let entry = 0; entry < kernelSize ** 2; entry++) {
      const row = rowOf(pixel, inputSize) * strides + rowOf(entry, kernelSize) - before;
      const column = (pixel % inputSize) * strides + (entry % kernelSize) - before;
      const kept = inside(row) && inside(column);
      ways.push({ pixel, entry, target: kept ? row * output + column : -1 });
    }
  }
  return ways;
}

/** Stamp the kernel for the first `stamps` pixels of x and add up; lists, row by row. */
export function transposedConvolution(x, kernel, strides, padding, stamps = Infinity) {
  const [inputSize, kernelSize] = [side(x), side(kernel)];
  const { output } = outputSize(inputSize, kernelSize, strides, padding);
  const sums = new Array(output ** 2).fill(0);
  for (const way of connections(inputSize, kernelSize, strides, padding)) {
    if (way.target >= 0 && way.pixel < stamps) {
      sums[way.target] += x[way.pixel] * kernel[way.entry];
    }
  }
  return sums;
}

/** The transposed convolution matrix: a row an output pixel, a column an input pixel. */
export function transposedMatrix(kernel, inputSize, strides, padding) {
  const { output } = outputSize(inputSize, side(kernel), strides, padding);
  const matrix = Array.from({ length: output ** 2 }, () =>
    new Array(inputSize ** 2).fill(0));
  for (const way of connections(inputSize, side(kernel), strides, padding)) {
    if (way.target >= 0) matrix[way.target][way.pixel] = kernel[way.entry];
  }
  return matrix;
}

/** How many stamps cover each output pixel. */
export function overlapCounts(inputSize, kernelSize, strides, padding) {
  const [x, kernel] = [ones(inputSize), ones(kernelSize)];
  return transposedConvolution(x, kernel, strides, padding);
}

/** Repeat each pixel `scale` times in both directions. */
export function repeatPixels(x, scale) {
  const inputSize = side(x);
  const output = inputSize * scale;
  return Array.from({ length: output ** 2 }, (_, target) =>
    x[Math.floor(rowOf(target, output) / scale) * inputSize +
      Math.floor((target % output) / scale)]);
}

/** An ordinary convolution with stride 1 and padding "same", as Conv2D does it. */
export function convolveSame(x, kernel) {
  const [size, kernelSize] = [side(x), side(kernel)];
  const before = Math.floor((kernelSize - 1) / 2);
  return x.map((_, target) => {
    let sum = 0;
    for (let entry = 0; entry < kernelSize ** 2; entry++) {
      const row = rowOf(target, size) + rowOf(entry, kernelSize) - before;
      const column = (target % size) + (entry % kernelSize) - before;
      if (row >= 0 && row < size && column >= 0 && column < size) {
        sum += x[row * size + column] * kernel[entry];
      }
    }
    return sum;
  });
}

/** The counts that occur away from the rim, where no stamp is missing or cut. */
export function innerCounts(kernelSize, strides) {
  const perAxis = Array.from({ length: strides }, (_, phase) =>
    Math.max(Math.ceil((kernelSize - phase) / strides), 0));
  const counts = perAxis.flatMap((a) => perAxis.map((b) => a * b));
  return [...new Set(counts)].sort((a, b) => a - b);
}

const side = (values) => Math.round(Math.sqrt(values.length));
const rowOf = (index, size) => Math.floor(index / size);
const ones = (size) => new Array(size ** 2).fill(1);
const largest = (values) => Math.max(...values.map(Math.abs));

// ------------------------------------------------------------------------ state

const LIMITS = { inputSize: [2, 5], kernelSize: [1, 5], strides: [1, 4] };
const VALUE_LIMIT = 9;

const FILLS = {
  count: { label: "1, 2, 3, …", make: (size) => ones(size).map((_, i) => i + 1) },
  ones: { label: "all 1", make: ones },
  single: {
    label: "a single 1",
    make: (size) => ones(size).map((_, i) => Number(i === Math.floor(size / 2) * (size + 1))),
  },
  tent: { label: "linear interpolation", make: tent },
  random: {
    label: "random",
    make: (size) => ones(size).map(() => Math.floor(Math.random() * 7) - 3),
  },
};
const INPUT_FILLS = ["count", "ones", "single", "random"];
const KERNEL_FILLS = ["count", "ones", "tent", "random"];

const PRESETS = [
  { name: "The article’s layer", inputSize: 3, kernelSize: 3, strides: 2,
    padding: "same", inputFill: "count", kernelFill: "count", beside: false, stamps: 5 },
  { name: "Checkerboard", inputSize: 4, kernelSize: 3, strides: 2,
    padding: "valid", inputFill: "ones", kernelFill: "ones", beside: false, stamps: 16 },
  { name: "No overlap", inputSize: 3, kernelSize: 2, strides: 2,
    padding: "same", inputFill: "count", kernelFill: "count", beside: false, stamps: 9 },
  { name: "Repeat, then convolve", inputSize: 4, kernelSize: 3, strides: 2,
    padding: "same", inputFill: "ones", kernelFill: "ones", beside: true, stamps: 16 },
];
const SETTINGS = Object.keys(PRESETS[0]).filter((key) => key !== "name" && key !== "stamps");

/** A kernel that falls off linearly from its centre, one stride wide. */
function tent(size, strides) {
  const axis = Array.from({ length: size }, (_, i) =>
    Math.max(1 - Math.abs(i - (size - 1) / 2) / strides, 0));
  return axis.flatMap((a) => axis.map((b) => a * b));
}

/** Fill in what follows from the settings: values, ways, counts, sizes. */
function refresh(state, changed = SETTINGS) {
  const { inputSize, kernelSize, strides, padding } = state;
  const makes = (fill, ...keys) => fill !== "own" && keys.some((key) => changed.includes(key));
  if (makes(state.inputFill, "inputSize", "inputFill")) {
    state.x = FILLS[state.inputFill].make(inputSize);
  }
  const width = state.kernelFill === "tent" ? "strides" : "kernelSize";
  if (makes(state.kernelFill, "kernelSize", "kernelFill", width)) {
    state.kernel = FILLS[state.kernelFill].make(kernelSize, strides);
  }
  Object.assign(state, outputSize(inputSize, kernelSize, strides, padding));
  state.ways = connections(inputSize, kernelSize, strides, padding);
  state.counts = overlapCounts(inputSize, kernelSize, strides, padding);
  state.stamps = Math.min(state.stamps, inputSize ** 2);
}

/** Keep the values that still fit when the reader's own grid changes its size. */
function resized(values, size) {
  const old = side(values);
  return ones(size).map((_, i) => {
    const [row, column] = [rowOf(i, size), i % size];
    return row < old && column < old ? values[row * old + column] : 0;
  });
}

// ---------------------------------------------------------------------- wording

const factor = (value) => (value < 0 ? `(${number(value)})` : number(value));
const place = (index, size) => `row ${rowOf(index, size) + 1}, column ${(index % size) + 1}`;
const span = (first, last) => (first === last ? `${first}` : `${first} to ${last}`);

/** The size formula with the reader's numbers filled in. */
function formula({ inputSize: n, kernelSize: k, strides: s, padding, output, canvas, before }) {
  if (padding === "valid") {
    return `Output size m = (n − 1) · s + max(k, s) = (${n} − 1) · ${s} + max(${k}, ${s}) = ${output}`;
  }
  const after = canvas - output - before;
  const cut = canvas === output ? "nothing is cut off"
    : `of ${canvas} rows ${before} ${before === 1 ? "is" : "are"} cut off above and ` +
      `${after} below, and columns alike`;
  return `Output size m = n · s = ${n} · ${s} = ${output}; ${cut}`;
}

/** What a change of the settings led to. */
function settingSentence(state) {
  return `The output has ${state.output} × ${state.output} pixels. ${verdict(state)}`;
}

/** What the counts away from the rim mean. */
function verdict({ kernelSize, strides }) {
  const counts = innerCounts(kernelSize, strides);
  if (counts[0] === 0) return "The stride is larger than the kernel: gaps that no stamp reaches.";
  if (counts.length > 1) {
    return `Away from the rim ${listed(counts, "or")} stamps meet, by turns: a checkerboard.`;
  }
  const even = counts[0] === 1 ? "exactly 1 stamp lies on each pixel"
    : `${counts[0]} stamps meet on each pixel`;
  return `Away from the rim ${even}: even.`;
}

/** The sentence about the stamp that was laid last. */
function stepSentence({ stamps, inputSize, x, ways, output }) {
  if (stamps === 0) return "No stamp yet. “Next” lays the first one.";
  const pixel = stamps - 1;
  const targets = ways.filter((way) => way.pixel === pixel && way.target >= 0)
    .map((way) => way.target);
  const rows = targets.map((target) => rowOf(target, output) + 1);
  const columns = targets.map((target) => (target % output) + 1);
  const extent = (list) => span(Math.min(...list), Math.max(...list));
  return `Stamp ${stamps} of ${inputSize ** 2}: the input pixel in ${place(pixel, inputSize)} ` +
    `is ${number(x[pixel])}. ${factor(x[pixel])} times the kernel is added to output ` +
    `rows ${extent(rows)}, columns ${extent(columns)}.`;
}

/** The output pixel at a place of the uncut output, or null where it is cut off. */
function keptPixel(index, { canvas, output, before }) {
  const [row, column] = [rowOf(index, canvas) - before, (index % canvas) - before];
  const kept = Math.min(row, column) >= 0 && Math.max(row, column) < output;
  return kept ? row * output + column : null;
}

/** The sentence about one output pixel: every product that meets there. */
function gatherSentence({ picked, stamps, x, kernel, ways, output }) {
  const here = ways.filter((way) => way.target === picked);
  const laid = here.filter((way) => way.pixel < stamps);
  const name = `Output ${place(picked, output)}`;
  if (here.length === 0) return `${name}: no stamp reaches it, it stays 0.`;
  if (laid.length === 0) return `${name}: still 0, ${plural(here.length, "stamp")} to come.`;
  const sum = laid.reduce((total, way) => total + x[way.pixel] * kernel[way.entry], 0);
  const terms = laid.map((way) => `${factor(x[way.pixel])} · ${factor(kernel[way.entry])}`);
  const missing = here.length - laid.length;
  const rest = missing ? `, ${plural(missing, "stamp")} to come` : "";
  return `${name}: ${terms.join(" + ")} = ${number(sum)}, ` +
    `from ${plural(laid.length, "stamp")}${rest}.`;
}

// ------------------------------------------------------------ parts of the display

/** Colour a cell by its value: `--shade` from 0 to 1, and its sign. */
function shade(cell, value, highest) {
  const share = highest ? Math.min(Math.abs(value) / highest, 1) : 0;
  cell.style.setProperty("--shade", share.toFixed(3));
  cell.classList.toggle("negative", value < 0);
  cell.classList.toggle("zero", value === 0);
}

/** A square grid of cells; with `onPick` a keyboard reader walks it with the arrows. */
class Grid {
  constructor(label, { onPick, onKey, unit = 2.4 } = {}) {
    Object.assign(this, { label, onPick, onKey, unit, size: 0, current: 0, cells: [] });
    this.root = element("div", { class: "grid", role: onPick ? "grid" : "table" });
    this.root.addEventListener("keydown", (event) => this.walk(event));
    this.root.addEventListener("click", (event) => {
      const index = this.cells.indexOf(event.target.closest("[data-cell]"));
      if (index >= 0 && this.onPick) this.go(index, { preventScroll: true });
    });
  }

  /** Build the cells again when the size has changed. */
  build(size) {
    if (size === this.size) return;
    this.size = size;
    this.current = Math.min(this.current, size ** 2 - 1);
    this.root.style.setProperty("--size", size);
    this.root.style.setProperty("--unit", `${this.unit}rem`);
    const role = this.onPick ? "gridcell" : "cell";
    this.cells = ones(size).map(() => element("div", { role, "data-cell": "" }));
    const rows = Array.from({ length: size }, (_, row) => element(
      "div", { role: "row" }, ...this.cells.slice(row * size, (row + 1) * size)));
    this.root.replaceChildren(...rows);
  }

  /** Show values; `name(index)` is what a screen reader hears of a cell. */
  show(values, { highest, name, marks = () => "", text = number, most = 12 }) {
    this.build(side(values));
    this.root.setAttribute("aria-label", `${this.label}, ${this.size} by ${this.size}`);
    const texts = values.map(text);
    const longest = Math.max(...texts.map((shown) => shown.length), 2);
    this.root.style.setProperty("--longest", longest);
    this.cells.forEach((cell, index) => {
      cell.className = marks(index);
      cell.textContent = this.size <= most ? texts[index] : "";
      if (this.onPick) {
        cell.setAttribute("aria-label", name(index));
        cell.tabIndex = index === this.current ? 0 : -1;
      }
      shade(cell, values[index], highest);
    });
  }

  /** Move the one tab stop of the grid to a cell. */
  go(index, options = {}) {
    this.current = index;
    this.onPick(index);
    this.cells.forEach((cell, i) => { cell.tabIndex = i === index ? 0 : -1; });
    this.cells[index].focus(options);
  }

  /** Arrow keys, Home and End walk; other keys are offered to `onKey`. */
  walk(event) {
    if (!this.onPick || event.ctrlKey || event.altKey || event.metaKey) return;
    const here = this.cells.indexOf(event.target);
    if (here >= 0 && here !== this.current) this.go(here); // a screen reader moved the focus
    const { size } = this;
    const [row, column] = [rowOf(this.current, size), this.current % size];
    const target = {
      ArrowLeft: column > 0 && this.current - 1,
      ArrowRight: column < size - 1 && this.current + 1,
      ArrowUp: row > 0 && this.current - size,
      ArrowDown: row < size - 1 && this.current + size,
      Home: row * size, End: row * size + size - 1,
      Enter: this.current, " ": this.current,
    }[event.key];
    if (target === undefined && !this.onKey?.(event.key)) return;
    event.preventDefault();
    if (Number.isInteger(target)) this.go(target);
  }
}

// -------------------------------------------------------------- the matrix, as SVG

/** The picture of matrix · x = y; rows and columns light up with the stamps. */
class MatrixPicture {
  constructor() {
    this.root = element("svg", { class: "matrix", role: "img" });
  }

  /** Work out where everything goes, then draw it. */
  draw(state, sums) {
    const { inputSize, output, x, stamps, total } = state;
    const [columns, rows] = [inputSize ** 2, output ** 2];
    const width = Math.min(26, 250 / (columns + 2));
    const height = Math.max(Math.min(15, 560 / rows), 1.6);
    const gap = Math.max(width * 0.8, 12);
    Object.assign(this, { columns, rows, width, height, gap });
    this.font = Math.min(height * 0.78, width * 0.5);
    this.left = columns * width + gap; // of x; y stands right of it
    this.right = this.left + width + gap;
    const later = (pixel) => (pixel >= stamps ? "later" : "");
    const boxes = [
      ...this.entries(state, later),
      ...this.column(this.left, x, largest(x), later),
      ...this.column(this.right, sums, largest(total), () => ""),
    ];
    this.fit();
    this.root.replaceChildren(...boxes, this.sign("·", this.left - gap / 2),
      this.sign("=", this.right - gap / 2), ...this.frames(state));
  }

  /** The view box, and the width up to which the picture grows. */
  fit() {
    const [full, high] = [this.right + this.width + 3, this.rows * this.height + 3];
    this.root.setAttribute("viewBox", `-1.5 -1.5 ${full} ${high}`);
    this.root.style.setProperty("--wide", `${full}px`);
  }

  /** One box with its number, where the number can be read. */
  box(left, row, value, highest, name) {
    const { width, height, font } = this;
    const top = row * height;
    const box = element("rect", { x: left, y: top, width, height, class: `entry ${name}` });
    shade(box, value, highest);
    if (font < 7.5) return [box];
    const at = { x: left + width / 2, y: top + height / 2 + font * 0.36 };
    return [box, element("text", { ...at, "font-size": font, class: name }, number(value))];
  }

  /** All entries of the matrix, with its zeros. */
  entries({ kernel, ways }, later) {
    const { columns, rows, width } = this;
    const weights = new Array(rows * columns).fill(null);
    for (const way of ways) {
      if (way.target >= 0) weights[way.target * columns + way.pixel] = kernel[way.entry];
    }
    const highest = largest(kernel);
    return weights.flatMap((weight, i) => this.box((i % columns) * width, rowOf(i, columns),
      weight ?? 0, highest, weight === null ? "none" : later(i % columns)));
  }

  /** A vector as a column. */
  column(left, values, highest, name) {
    return values.flatMap((value, row) => this.box(left, row, value, highest, name(row)));
  }

  sign(text, at) {
    const middle = (Math.min(this.rows, this.columns) * this.height) / 2 + 5;
    return element("text", { x: at, y: middle, "font-size": 14, class: "sign" }, text);
  }

  /** Frames around the column of the last stamp and the row of the chosen output. */
  frames({ stamps, picked }) {
    const { width, height, columns, rows, left, right } = this;
    const frame = (x, row, wide, many, name) => element("rect", { x, y: row * height,
      width: wide, height: many * height, class: `frame ${name}` });
    const stamp = stamps === 0 ? [] : [
      frame((stamps - 1) * width, 0, width, rows, "stamp"),
      frame(left, stamps - 1, width, 1, "stamp")];
    const row = picked === null ? [] : [
      frame(0, picked, columns * width, 1, "picked"), frame(right, picked, width, 1, "picked")];
    return [...stamp, ...row];
  }
}

/** What the matrix holds, in a sentence. */
function matrixSentence({ inputSize, kernelSize, output, ways }) {
  const [rows, columns] = [output ** 2, inputSize ** 2];
  const kept = ways.filter((way) => way.target >= 0).length;
  return `${rows} × ${columns} = ${rows * columns} entries: ${kept} connections share ` +
    `${plural(kernelSize ** 2, "weight")}, ${rows * columns - kept} are zero for ever.`;
}

// ------------------------------------------------------------------- the explorer

const HINT = "Choose an input pixel to lay the stamps up to it; a digit, plus or minus " +
  "changes a chosen pixel or weight. Choose an output pixel to see what meets there.";

/** One explorer on the page. */
class Explorer {
  constructor(root, settings = {}) {
    this.root = root;
    this.state = { ...PRESETS[0], ...settings, picked: null, x: [], kernel: [] };
    refresh(this.state);
    this.makeControls();
    this.makeGrids();
    this.makeSteps();
    this.assemble();
    this.update();
    this.player.say(stepSentence(this.state));
  }

  // What the reader can set.

  makeControls() {
    this.presets = PRESETS.map((preset) => button(preset.name, () => this.take(preset)));
    const size = (key, label) => slider(label, LIMITS[key], (value) => this.set({ [key]: value }));
    this.sliders = {
      inputSize: size("inputSize", "input size n ="),
      kernelSize: size("kernelSize", "kernel size k ="),
      strides: size("strides", "stride s ="),
    };
    const labels = (fills) => ({
      ...Object.fromEntries(fills.map((fill) => [fill, FILLS[fill].label])), own: "your own" });
    this.choosers = {
      padding: chooser("padding", { valid: "valid", same: "same" },
        (padding) => this.set({ padding })),
      inputFill: chooser("input values", labels(INPUT_FILLS),
        (inputFill) => this.set({ inputFill })),
      kernelFill: chooser("kernel values", labels(KERNEL_FILLS),
        (kernelFill) => this.set({ kernelFill })),
    };
    this.beside = checkbox("show “repeat, then convolve” beside it",
      (beside) => this.set({ beside }));
  }

  makeGrids() {
    this.input = new Grid("input", {
      onPick: (index) => this.step(index + 1),
      onKey: (key) => this.edit("x", this.input, key) });
    this.kernel = new Grid("kernel", {
      onPick: (index) => this.pickEntry(index),
      onKey: (key) => this.edit("kernel", this.kernel, key) });
    this.output = new Grid("output", { onPick: (index) => this.pick(index) });
    this.stamp = new Grid("stamp");
    this.counts = new Grid("overlap counts");
    this.repeated = new Grid("input, repeated", { unit: 2 });
    this.convolved = new Grid("input, repeated, then convolved", { unit: 2 });
    this.stamped = new Grid("output of the stamps", { unit: 2 });
    this.matrix = new MatrixPicture();
  }

  makeSteps() {
    this.player = new Player({ what: "step through the stamps", label: "stamps laid:",
      go: (stamps) => this.step(stamps) });
  }

  /** A minus and a plus for the chosen cell, so that a finger can change its value. */
  makeEditor(values, grid) {
    const change = (by) => this.edit(values, grid, by > 0 ? "+" : "-");
    const shown = element("b", { class: "value" });
    const what = values === "x" ? "pixel" : "weight";
    const root = element("div", { class: "editor", role: "group", "aria-label": `chosen ${what}` },
      button("−", () => change(-1), { "aria-label": `${what} minus 1` }), shown,
      button("+", () => change(1), { "aria-label": `${what} plus 1` }));
    return { root, shown };
  }

  assemble() {
    this.editors = { x: this.makeEditor("x", this.input),
      kernel: this.makeEditor("kernel", this.kernel) };
    this.panels = {
      input: panel("Input", "input", this.input.root, this.editors.x.root),
      kernel: panel("Kernel", "kernel", this.kernel.root, this.editors.kernel.root),
      stamp: panel("Stamp", "stamp", this.stamp.root),
      output: panel("Output", "output", this.output.root),
      counts: panel("Stamps on each pixel", "counts", this.counts.root),
      matrix: panel("The same as a matrix", "matrix", this.matrix.root),
      beside: panel("Beside it: repeat, then convolve", "beside", this.makeTrio()),
    };
    this.assembleRest();
  }

  /** Repeated, then convolved, and the stamps once more, side by side. */
  makeTrio() {
    const part = (text, grid) => element("div", {}, element("div", { class: "caption" }, text),
      grid.root);
    return element("div", { class: "trio" }, part("the input, repeated", this.repeated),
      part("… then convolved", this.convolved), part("with the stamps", this.stamped));
  }

  assembleRest() {
    this.formula = element("p", { class: "formula" });
    this.notes = {};
    for (const name of ["output", "counts", "matrix", "beside"]) {
      this.notes[name] = element("p", { class: "note" });
      this.panels[name].root.append(this.notes[name]);
    }
    const { padding, inputFill, kernelFill } = this.choosers;
    const parts = (...names) => names.map((name) => this.panels[name].root);
    this.root.replaceChildren(
      element("div", { class: "presets", role: "group", "aria-label": "examples" }, ...this.presets),
      element("div", { class: "settings" }, ...Object.values(this.sliders).map((s) => s.root),
        padding.root, inputFill.root, kernelFill.root, this.beside.root),
      this.formula, this.player.root,
      element("p", { class: "hint" }, HINT),
      element("div", { class: "stage" },
        element("div", { class: "given" }, ...parts("input", "kernel", "stamp")),
        element("div", { class: "results" }, ...parts("output", "counts")),
        ...parts("matrix", "beside")));
  }

  // What the reader does.

  /** Take a preset over. */
  take(preset) {
    this.player.stop();
    Object.assign(this.state, preset, { picked: null });
    refresh(this.state);
    this.kernel.current = this.output.current = 0;
    this.update();
    this.player.say(settingSentence(this.state));
  }

  /** Change some settings; everything is stamped again. */
  set(changes) {
    this.player.stop();
    const { state } = this;
    const all = state.stamps === state.inputSize ** 2;
    Object.assign(state, changes, { picked: null });
    refresh(state, Object.keys(changes));
    if (state.inputFill === "own") state.x = resized(state.x, state.inputSize);
    if (state.kernelFill === "own") state.kernel = resized(state.kernel, state.kernelSize);
    if (all) state.stamps = state.inputSize ** 2;
    this.update();
    this.player.say(settingSentence(state));
  }

  /** Lay so many stamps. */
  step(stamps) {
    const last = this.state.inputSize ** 2;
    this.state.stamps = Math.max(0, Math.min(stamps, last));
    this.state.picked = null;
    this.update();
    this.player.say(stepSentence(this.state));
  }

  /** Look at one output pixel. */
  pick(index) {
    this.player.stop();
    const { state } = this;
    state.picked = keptPixel(index, state);
    this.update();
    this.player.say(state.picked === null
      ? `Cut off: “same” keeps ${state.output} of ${state.canvas} rows and columns.`
      : gatherSentence(state));
  }

  /** Look at one weight. */
  pickEntry(index) {
    this.kernel.current = index;
    this.update();
    const { kernelSize, kernel } = this.state;
    this.player.say(`Weight in ${place(index, kernelSize)} of the kernel: ${number(kernel[index])}.`);
  }

  /** Change the chosen value: a digit sets it, minus and plus move it by one. */
  edit(values, grid, key) {
    const list = this.state[values];
    const digit = /^[0-9]$/.test(key) ? Number(key) : null;
    const by = { "+": 1, "-": -1 }[key];
    if (digit === null && by === undefined) return false;
    const wanted = digit ?? list[grid.current] + by;
    list[grid.current] = Math.max(-VALUE_LIMIT, Math.min(wanted, VALUE_LIMIT));
    this.state[values === "x" ? "inputFill" : "kernelFill"] = "own";
    this.update();
    const what = values === "x" ? "Input" : "Kernel";
    this.player.say(`${what} ${place(grid.current, grid.size)} is now ${number(list[grid.current])}.`);
    return true;
  }

  // What the reader sees.

  update() {
    const { state } = this;
    this.input.current = Math.max(state.stamps - 1, 0);
    state.total = transposedConvolution(state.x, state.kernel, state.strides, state.padding);
    const sums = transposedConvolution(
      state.x, state.kernel, state.strides, state.padding, state.stamps);
    this.showControls();
    this.showGiven();
    this.showStamp();
    this.showOutput();
    this.showCounts();
    this.matrix.draw(state, sums);
    this.matrix.root.setAttribute("aria-label",
      `The transposed convolution matrix times the input is the output. ${matrixSentence(state)}`);
    this.notes.matrix.textContent = matrixSentence(state);
    this.showBeside();
  }

  showControls() {
    const { state } = this;
    for (const key of Object.keys(this.sliders)) this.sliders[key].show(state[key]);
    for (const key of Object.keys(this.choosers)) this.choosers[key].show(state[key]);
    this.beside.show(state.beside);
    this.player.show(state.stamps, state.inputSize ** 2);
    this.formula.textContent = formula(state);
    PRESETS.forEach((preset, i) => {
      const taken = SETTINGS.every((key) => state[key] === preset[key]);
      this.presets[i].setAttribute("aria-pressed", taken);
    });
  }

  showGiven() {
    const { x, kernel, stamps, inputSize, kernelSize, ways, picked } = this.state;
    const chosen = (grid, index) => index === grid.current && "chosen";
    const meets = ways.filter((way) => picked !== null && way.target === picked);
    const mark = (index) => [
      index === stamps - 1 && "stamp", index >= stamps && "later", chosen(this.input, index),
      meets.some((way) => way.pixel === index) && "meets"].filter(Boolean).join(" ");
    this.input.show(x, { highest: largest(x), marks: mark,
      name: (i) => `${place(i, inputSize)}: ${number(x[i])}` });
    this.kernel.show(kernel, { highest: largest(kernel),
      marks: (i) => [meets.some((way) => way.entry === i) && "meets",
        chosen(this.kernel, i)].filter(Boolean).join(" "),
      name: (i) => `${place(i, kernelSize)}: ${number(kernel[i])}` });
    this.editors.x.shown.textContent = number(x[this.input.current]);
    this.editors.kernel.shown.textContent = number(kernel[this.kernel.current]);
  }

  /** The stamp that was laid last: a pixel times the kernel. */
  showStamp() {
    const { x, kernel, stamps } = this.state;
    const value = stamps > 0 ? x[stamps - 1] : 0;
    this.panels.stamp.heading.textContent = stamps > 0
      ? `Stamp: ${factor(value)} × kernel` : "Stamp: none yet";
    this.stamp.show(kernel.map((weight) => value * weight), {
      highest: largest(x) * largest(kernel), marks: () => (stamps > 0 ? "stamp" : "") });
  }

  /** The output before its rim is cut, with the rim set apart. */
  showOutput() {
    const { state } = this;
    const { x, kernel, inputSize, kernelSize, strides, stamps, canvas, output } = state;
    const sums = transposedConvolution(x, kernel, strides, "valid", stamps);
    const ways = connections(inputSize, kernelSize, strides, "valid");
    const last = new Set(ways.filter((way) => way.pixel === stamps - 1)
      .map((way) => way.target));
    const marks = (i) => {
      const kept = keptPixel(i, state);
      return [last.has(i) && "stamp", kept === null && "cut",
        kept !== null && kept === state.picked && "picked"].filter(Boolean).join(" ");
    };
    const name = (i) => {
      const kept = keptPixel(i, state);
      return `${kept === null ? "cut off" : place(kept, output)}: ${number(sums[i])}`;
    };
    this.output.show(sums, { highest: largest(state.total), marks, name, most: 13 });
    this.panels.output.heading.textContent = `Output, ${output} × ${output}`;
    this.notes.output.textContent = "The stamps added up." +
      (canvas === output ? "" : " Hatched: cut off by the padding “same”.");
  }

  showCounts() {
    const { counts, picked } = this.state;
    this.counts.show(counts, { highest: largest(counts),
      marks: (i) => (i === picked ? "picked" : ""), most: 21 });
    this.notes.counts.textContent = verdict(this.state);
  }

  showBeside() {
    const { beside, x, kernel, strides, total } = this.state;
    this.panels.beside.root.hidden = !beside;
    if (!beside) return;
    const repeated = repeatPixels(x, strides);
    const convolved = convolveSame(repeated, kernel);
    this.repeated.show(repeated, { highest: largest(repeated) });
    this.convolved.show(convolved, { highest: largest(convolved) });
    this.stamped.show(total, { highest: largest(total) });
    this.notes.beside.textContent = besideSentence(convolved, total, strides, side(kernel));
  }
}

/** Compare both ways away from the rim. */
function besideSentence(convolved, total, strides, kernelSize) {
  const inner = (values) => {
    const [size, rim] = [side(values), kernelSize - 1];
    const kept = values.filter((_, i) => Math.min(rowOf(i, size), i % size) >= rim &&
      Math.max(rowOf(i, size), i % size) < size - rim);
    return [...new Set(kept.map((value) => Math.round(value * 100) / 100))].sort((a, b) => a - b);
  };
  const [here, there] = [inner(convolved), inner(total)];
  if (!here.length || !there.length) return "The picture is all rim: take a larger input.";
  const few = (values) => values.length > 6 ? `${values.length} different values`
    : listed(values.map(number), "and");
  return `Every pixel was repeated ${strides} × ${strides} times, and the same kernel moved over ` +
    `it with stride 1. Away from the rim: ${few(here)} here, ${few(there)} with the stamps.`;
}

start("transposed-convolution", (root, settings) => new Explorer(root, settings));
