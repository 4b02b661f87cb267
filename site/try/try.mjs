// The page "Try it": a picture of the reader's own through the shipped network, without
// leaving the computer. The markup stands in book/try.md.
//
// These files serve this page alone. They stand in site/, which the build publishes as
// it is, and not among the package's explorers: they fetch files, which an explorer in
// the output of a cell must not, and the package need not grow by what Python can do.

import { decode } from "./decoding.mjs";
import { fetchFile, Trouble } from "./fetching.mjs";
import { showFeatures } from "./features.mjs";
import { canShare, download, makeFile, share } from "./files.mjs";
import { classify, classShares, look } from "./look.mjs";
import { loadNetwork, observe, predict, RUNTIME, RUNTIME_BYTES } from "./network.mjs";
import { fit, openPicture } from "./picture.mjs";
import { squeezePicture, toImage } from "./resize.mjs";
import { BACKGROUND, CLASSES, connectStage, part, percent, showPicture, showResult }
  from "./stage.mjs";

const MASK_SIDE = 1024; // the display needs no more; the download has all pixels

const state = { model: null, loaded: new Set(), turn: 0, picture: null, result: null };

// ------------------------------------------------------------------------ wording

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 1)} MB`;
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

/** A few sentences on the result, which are announced. */
function describeResult({ picture, field, shares, model, milliseconds, total }) {
  const found = CLASSES.map((name, i) => `${percent(shares[i])} ${name}`).join(", ");
  const again = !part("look-twice").checked || field.second ? ""
    : " A second look would have seen the same.";
  return `${picture.name}, ${picture.width} × ${picture.height} pixels: ` +
    `${found}.${again} The network ${model.name} took ${Math.round(milliseconds)} ms, ` +
    `everything together ${seconds(total)}.`;
}

// ----------------------------------------------------------------------- pictures

/** Read a file: its size, the picture on display, and a way to its pixels. */
async function readPicture(file) {
  return openPicture(await decode(file), file.name || "the picture");
}

// ------------------------------------------------------------------------ display

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
  let milliseconds = 0;
  const field = await look(picture, async (image) => {
    const predicted = await predict(network, image, size);
    milliseconds += predicted.milliseconds;
    return predicted.probabilities;
  }, { size, classes: CLASSES.length, background: BACKGROUND,
    flip: part("flip").checked, lookTwice: part("look-twice").checked });
  const [width, height] = fit(picture, MASK_SIDE);
  const mask = classify(field, width, height);
  const shares = classShares(mask, CLASSES.length);
  const total = performance.now() - start;
  return { picture, model, size, field, mask, width, height, shares, milliseconds, total };
}

/** Read a new picture and show it at once, since what is to be fetched takes longer. */
async function take(file, stillWanted) {
  const picture = await readPicture(file);
  if (!stillWanted()) return picture.close();
  state.picture?.close();
  Object.assign(state, { picture, result: null });
  return showPicture(picture);
}

/** Take a new picture, or the last one again; what was asked for last wins. */
async function run(getFile) {
  const [turn, start, { model }] = [++state.turn, performance.now(), state];
  const stillWanted = () => turn === state.turn;
  part("alert").textContent = "";
  part("status").textContent = getFile ? "Reading the picture …" : "Looking again …";
  try {
    if (getFile) await take(await getFile(), stillWanted);
    if (!stillWanted()) return;
    const result = await segment(state.picture, model, start);
    if (!stillWanted()) return;
    state.result = result;
    showResult(result);
    part("status").textContent = describeResult(result);
    describeCall();
    await showLayers();
  } catch (error) {
    if (stillWanted()) complain(error);
  }
}

/** The cat of scikit-image, as a file. */
async function fetchCat() {
  return new File([await fetchFile(import.meta.url, "chelsea.jpg")], "chelsea.jpg");
}

/** Hand over the mask or the cut-out with a function, once it is written. */
async function handOver(kind, hand) {
  if (typeof CompressionStream === "undefined") {
    complain(new Trouble("This browser cannot write the file: it lacks CompressionStream."));
    return;
  }
  const { result, turn } = state;
  part("alert").textContent = "";
  const said = part("status").textContent;
  part("status").textContent = "Writing the file …";
  await new Promise(requestAnimationFrame); // so that it is seen before the work begins
  const file = await makeFile(result, kind);
  if (turn === state.turn) part("status").textContent = said;
  await hand(file);
}

/** Show the feature maps of the last result, to those who have opened them. */
async function showLayers() {
  if (!part("features").open || !state.result) return;
  const { picture, model } = state.result;
  const network = await loadNetwork(model);
  const whole = { left: 0, top: 0, width: picture.width, height: picture.height };
  const image = toImage(squeezePicture(picture, whole, model.imageSize));
  showFeatures(part("levels"), await observe(network, image, model.imageSize));
}

/** Pass a cut-out on; browsers want it ready within seconds of the click. */
async function passOn(file) {
  try {
    await share(file);
  } catch (error) {
    if (error.name !== "NotAllowedError") throw error;
    throw new Trouble("The file took long. It is ready now: share it again.", { cause: error });
  }
}

/** The first file of a drop or a paste, if there is one. */
function takeTransfer(event, transfer) {
  const file = transfer?.files?.[0];
  if (!file) return;
  event.preventDefault();
  run(() => file);
}

// ------------------------------------------------------------------------- set-up

/** What gives the same mask in Python. */
function describeCall() {
  const options = [
    part("look-twice").checked ? ", look_twice=True" : "",
    part("flip").checked ? ", flip=True" : "",
  ].join("");
  const name = JSON.stringify(state.picture.name);
  part("call").textContent =
    `segment_picture(load_pretrained("${state.model.name}"), ${name}${options})`;
}

/** Choose a network, and offer the best one with its bytes if it is another. */
function choose(model, models) {
  state.model = model;
  const [best] = models.toSorted((one, other) => other.meanIou - one.meanIou);
  const fetches = state.loaded.has(best.name) ? "" : ` (${megabytes(best.bytes)})`;
  part("better").hidden = model === best;
  part("better").textContent = `Use the better network${fetches}`;
  part("better").value = best.name;
  part("costs").textContent = describeCosts();
}

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
      choose(model, models);
      if (state.picture) run(null);
    });
    part("networks").append(label);
  });
  choose(models[0], models);
  part("better").addEventListener("click", ({ target }) => {
    part("networks").querySelector(`[value="${target.value}"]`).click();
  });
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
  const offers = [["download", "mask", download], ["download-cut-out", "cut-out", download],
    ["share", "cut-out", passOn]];
  for (const [button, kind, hand] of offers) {
    part(button).addEventListener("click", () => handOver(kind, hand).catch(complain));
  }
  part("share").hidden = !canShare();
  part("features").addEventListener("toggle", () => showLayers().catch(complain));
  for (const name of ["look-twice", "flip"]) {
    part(name).addEventListener("change", () => { if (state.picture) run(null); });
  }
  connectStage();
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
  part("tool").hidden = part("networks").hidden = false;
}

start();
