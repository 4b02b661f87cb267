// The page "Try it": a picture of the reader's own through the shipped network, without
// leaving the computer. The markup stands in book/try.md.
//
// These files serve this page alone. They stand in site/, which the build publishes as
// it is, and not among the package's explorers: they fetch files, which an explorer in
// the output of a cell must not, and the package need not grow by what Python can do.

import { decode } from "./decoding.mjs";
import { fetchFile, Trouble } from "./fetching.mjs";
import { loadNetwork, predict, RUNTIME, RUNTIME_BYTES } from "./network.mjs";
import { encodeTrimap } from "./png.mjs";
import { classify, classShares, squeezePicture, toImage } from "./resize.mjs";

const CLASSES = ["pet", "background", "border"];
const COLOURS = [[47, 127, 193], [52, 58, 74], [255, 203, 46]]; // as in plotting.py
const BACKGROUND = 1;
const MOST_PIXELS = 16e6; // what a canvas holds on any telephone
const SHOWN_SIDE = 1024; // the display needs no more; the download has all pixels

const root = document.querySelector("[data-try]");
const part = (name) => root.querySelector(`[data-part="${name}"]`);
const state = { model: null, loaded: new Set(), turn: 0, picture: null, result: null };

// ------------------------------------------------------------------------ wording

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 1)} MB`;
const percent = (share) => `${Math.round(100 * share)}\u00a0%`; // kept on one line
const seconds = (time) => `${(time / 1000).toFixed(time < 9950 ? 1 : 0)} s`;

/** What the next picture fetches, said before it does. */
function describeCosts() {
  const { model, loaded } = state;
  const parts = [];
  if (!loaded.has(RUNTIME.name)) {
    parts.push(`${RUNTIME.name}, ${megabytes(RUNTIME_BYTES)} (about ` +
      `${megabytes(RUNTIME.compressedSize)} on the way, where it comes compressed)`);
  }
  if (!loaded.has(model.name)) {
    parts.push(`the network ${model.name}, ${megabytes(model.bytes)}`);
  }
  if (!parts.length) return "Everything is here: the next picture fetches nothing.";
  return `The next picture fetches ${parts.join(", and ")}, from this site.`;
}

/** One sentence on the result, which is announced. */
function describeResult({ picture, shares, model, milliseconds, total }) {
  const found = CLASSES.map((name, i) => `${percent(shares[i])} ${name}`).join(", ");
  return `${picture.name}, ${picture.width} × ${picture.height} pixels: ` +
    `${found}. The network ${model.name} took ${Math.round(milliseconds)} ms, ` +
    `everything together ${seconds(total)}.`;
}

// ----------------------------------------------------------------------- pictures

/** Paint a picture on white, in front of which transparent parts stand. */
function paint(canvas, picture, width, height) {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0, width, height);
  return context;
}

/** The largest size of this shape that keeps to a limit; 1 pixel at least. */
function fit({ width, height }, scale) {
  const kept = Math.min(scale, 1);
  return [width, height].map((side) => Math.max(Math.floor(side * kept), 1));
}

/** Read a file: its size, what the network gets of it, and the picture on display. */
async function readPicture(file, size) {
  const decoded = await decode(file);
  const { width, height } = decoded;
  const canvas = document.createElement("canvas");
  const read = fit(decoded, Math.sqrt(MOST_PIXELS / (width * height)));
  const context = paint(canvas, decoded.source, ...read);
  decoded.close();
  const { data } = context.getImageData(0, 0, ...read);
  const image = toImage(squeezePicture(data, ...read, size));
  const shown = document.createElement("canvas");
  paint(shown, canvas, ...fit(canvas, SHOWN_SIDE / Math.max(...read)));
  canvas.width = 0; // gives 48 MB back at once, which telephones need
  return { name: file.name || "the picture", width, height, image, shown };
}

// ------------------------------------------------------------------------ display

/** Colour a canvas pixel by pixel: `colour(i)` gives red, green, blue and alpha. */
function fill(canvas, width, height, colour) {
  Object.assign(canvas, { width, height });
  const pixels = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) pixels.data.set(colour(i), 4 * i);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

/** Show picture, tint, mask and probabilities. */
function show(result) {
  const { picture, mask, shares, probabilities, size } = result;
  const { width, height } = picture.shown;
  part("result").style.setProperty("--aspect", width / height);
  paint(part("picture"), picture.shown, width, height);
  fill(part("tint"), width, height, (i) =>
    [...COLOURS[mask[i]], mask[i] === BACKGROUND ? 0 : 255]);
  fill(part("mask"), width, height, (i) => [...COLOURS[mask[i]], 255]);
  CLASSES.forEach((name, channel) => {
    fill(part(`map-${name}`), size, size, (i) => {
      const grey = 255 * probabilities[i * CLASSES.length + channel];
      return [grey, grey, grey, 255];
    });
    part(`share-${name}`).textContent = percent(shares[channel]);
  });
  part("result").hidden = false;
}

/** Tell how much of what is to be fetched has come. */
function showProgress(done, all) {
  part("progress").hidden = false;
  part("bar").max = all;
  part("bar").value = done;
  part("bar-text").textContent = done < all ? `${megabytes(done)} of ${megabytes(all)}`
    : "All is here; the network is being started.";
}

/** Say what went wrong; what is no known trouble goes to the console as well. */
function complain(error) {
  const known = error instanceof Trouble;
  if (!known) console.error(error);
  part("alert").textContent = known ? error.message :
    `That did not work, and this page does not know why: ${error.message}`;
  part("status").textContent = "";
}

// ----------------------------------------------------------------------- actions

/** Load the chosen network, showing what is fetched and how far it is. */
async function load(model) {
  const missing = (state.loaded.has(RUNTIME.name) ? 0 : RUNTIME_BYTES) +
    (state.loaded.has(model.name) ? 0 : model.bytes);
  let [done, waiting] = [0, true];
  const onBytes = (bytes) => {
    done += bytes;
    if (waiting) showProgress(done, missing); // the other file comes on after a failure
  };
  if (missing) {
    part("status").textContent = `Fetching ${megabytes(missing)} …`;
    showProgress(0, missing);
  }
  try {
    const network = await loadNetwork(model, onBytes);
    state.loaded.add(RUNTIME.name).add(model.name);
    return network;
  } finally {
    waiting = false;
    part("progress").hidden = true;
    part("costs").textContent = describeCosts();
  }
}

/** From a picture to everything that is shown of it. */
async function segment(picture, model, start) {
  const network = await load(model);
  const size = model.imageSize;
  const { probabilities, milliseconds } = await predict(network, picture.image, size);
  const { width, height } = picture.shown;
  const mask = classify(probabilities, size, CLASSES.length, width, height);
  const shares = classShares(mask, CLASSES.length);
  const total = performance.now() - start;
  return { picture, model, size, probabilities, mask, shares, milliseconds, total };
}

/** Take a new picture, or the last one again; what was asked for last wins. */
async function run(getFile) {
  const [turn, start, { model }] = [++state.turn, performance.now(), state];
  const stillWanted = () => turn === state.turn;
  part("alert").textContent = "";
  part("status").textContent = "Reading the picture …";
  try {
    const picture = getFile ? await readPicture(await getFile(), model.imageSize)
      : state.picture;
    if (!stillWanted()) return;
    state.picture = picture;
    const result = await segment(picture, model, start);
    if (!stillWanted()) return;
    state.result = result;
    show(result);
    part("status").textContent = describeResult(result);
  } catch (error) {
    if (stillWanted()) complain(error);
  }
}

/** The cat of scikit-image, as a file. */
async function fetchCat() {
  return new File([await fetchFile(import.meta.url, "chelsea.jpg")], "chelsea.jpg");
}

/** Hand over the mask, at the picture's own size, as a file. */
async function download() {
  if (typeof CompressionStream === "undefined") {
    complain(new Trouble("This browser cannot write the file: it lacks CompressionStream."));
    return;
  }
  const { picture, probabilities, size } = state.result;
  const { width, height } = picture;
  const mask = classify(probabilities, size, CLASSES.length, width, height);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await encodeTrimap(mask, width, height, COLOURS));
  link.download = `${picture.name.replace(/\.[^.]*$/, "")}-mask.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // browsers may start late
}

/** The first file of a drop or a paste, if there is one. */
function takeTransfer(event, transfer) {
  const file = transfer?.files?.[0];
  if (!file) return;
  event.preventDefault();
  run(() => file);
}

// ------------------------------------------------------------------------- set-up

/** One radio button a network; the first one is chosen. */
function offerNetworks(models) {
  models.forEach((model, i) => {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"),
      { type: "radio", name: "try-network", value: model.name, checked: i === 0 });
    const numbers = model.parameters.toLocaleString("en");
    const text = document.createElement("span");
    text.textContent = `${model.name}: ${megabytes(model.bytes)}, ${numbers} ` +
      `parameters, mean IoU ${model.meanIou.toFixed(2)} on test photographs`;
    label.append(input, text);
    input.addEventListener("change", () => {
      state.model = model;
      part("costs").textContent = describeCosts();
      if (state.picture) run(null);
    });
    part("networks").append(label);
  });
  [state.model] = models;
  part("costs").textContent = describeCosts();
}

/** A button that opens the choice of a file. */
function connectFile(button, input) {
  part(button).addEventListener("click", () => part(input).click());
  part(input).addEventListener("change", ({ target }) => {
    const [file] = target.files;
    if (file) run(() => file);
    target.value = ""; // so that the same file can be chosen again
  });
}

function connect() {
  connectFile("choose", "file");
  connectFile("camera", "camera-file");
  part("camera").hidden = !matchMedia("(any-pointer: coarse)").matches;
  part("cat").addEventListener("click", () => run(fetchCat));
  part("download").addEventListener("click", () => download().catch(complain));
  part("opacity").addEventListener("input", ({ target }) => {
    part("tint").style.opacity = target.value / 100;
    target.setAttribute("aria-valuetext", `${target.value} %`);
  });
  document.addEventListener("paste", (event) => takeTransfer(event, event.clipboardData));
  document.addEventListener("drop", (event) => takeTransfer(event, event.dataTransfer));
  document.addEventListener("dragover", (event) => {
    if (event.dataTransfer.types.includes("Files")) event.preventDefault();
  });
}

async function start() {
  part("waiting").hidden = true;
  try {
    const list = await fetchFile(import.meta.url, "models.json");
    offerNetworks(JSON.parse(new TextDecoder().decode(list)));
  } catch (error) {
    complain(error);
    return;
  }
  connect();
  part("tool").hidden = false;
}

start();
