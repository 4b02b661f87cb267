// What is seen of a picture: tinted, as a mask, cut out, before and after, enlarged.

import { cutPixels, findOpacity } from "./cutout.mjs";
import { classify, visitPixels } from "./look.mjs";
import { paint } from "./picture.mjs";

export const CLASSES = ["pet", "background", "border"];
export const COLOURS = [[47, 127, 193], [52, 58, 74], [255, 203, 46]]; // as in style.py
export const BACKGROUND = 1;
const ZOOMS = [1, 2, 4, 8];

const root = document.querySelector("[data-try]");
export const part = (name) => root.querySelector(`[data-part="${name}"]`);
export const percent = (share) => `${Math.round(100 * share)}\u00a0%`; // kept on one line

let zoom = ZOOMS[0];
let drawCutOut = () => {};

/** Four bytes as the one number in which a canvas keeps a pixel. */
const pack = (bytes) => new Uint32Array(Uint8Array.from(bytes).buffer)[0];

/** Colour a canvas by the class of each pixel. */
function fill(canvas, { mask, width, height }, colours) {
  Object.assign(canvas, { width, height });
  const pixels = new ImageData(width, height);
  const packed = colours.map(pack);
  new Uint32Array(pixels.data.buffer).forEach((_, i, all) => { all[i] = packed[mask[i]]; });
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

/** One grey map a class, the brighter the more probable. */
function fillMaps({ field, size, shares }) {
  const maps = CLASSES.map(() => new ImageData(size, size));
  visitPixels(field, size, size, (pixel, line, at) => maps.forEach(({ data }, channel) => {
    const grey = 255 * line[at + channel];
    data.set([grey, grey, grey, 255], 4 * pixel);
  }));
  CLASSES.forEach((name, channel) => {
    Object.assign(part(`map-${name}`), { width: size, height: size })
      .getContext("2d").putImageData(maps[channel], 0, 0);
    part(`share-${name}`).textContent = percent(shares[channel]);
  });
}

/** The picture as it is, before anything is known of it, where the reader sees it. */
export function showPicture({ shown }) {
  const stage = part("stage");
  root.style.setProperty("--aspect", shown.width / shown.height);
  paint(part("picture"), shown, shown.width, shown.height);
  stage.hidden = false;
  part("result").hidden = true;
  stage.dataset.view = "picture";
  setZoom(ZOOMS[0]);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  stage.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
}

/** Where the second look was, as a dashed box. */
function showBox({ width, height, second }) {
  for (const one of root.querySelectorAll('[data-part="again"]')) one.hidden = !second;
  if (!second) return;
  const { left, top } = second;
  const share = (length, whole) => `${(100 * length) / whole}%`;
  Object.assign(part("again").style, { left: share(left, width), top: share(top, height),
    width: share(second.width, width), height: share(second.height, height) });
}

/** Cut the picture out, as large as it is shown. */
function fillCutOut({ picture: { shown }, field }) {
  const { width, height } = shown;
  const mask = classify(field, width, height);
  const pixels = shown.getContext("2d").getImageData(0, 0, width, height);
  cutPixels(pixels.data, findOpacity(field, mask, width, height, BACKGROUND));
  const canvas = Object.assign(part("cut-out"), { width, height });
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

/** Tint, mask, cut-out and probabilities. */
export function showResult(result) {
  const solid = COLOURS.map((colour) => [...colour, 255]);
  fill(part("tint"), result, solid.with(BACKGROUND, [0, 0, 0, 0]));
  fill(part("mask"), result, solid);
  drawCutOut = () => {
    fillCutOut(result);
    drawCutOut = () => {}; // once, and only for those who look at it
  };
  fillMaps(result);
  showBox(result.field);
  part("result").hidden = false;
  changeView();
}

/** Show what is chosen, with the slider that belongs to it. */
function changeView() {
  const { value } = root.querySelector('[name="try-view"]:checked');
  if (value === "cut-out") drawCutOut();
  part("stage").dataset.view = value;
  part("opacity").parentElement.hidden = value !== "tint";
  part("wipe").parentElement.hidden = value === "tint";
}

/** Enlarge the picture inside its window, around what is in the middle. */
function setZoom(level) {
  const view = part("window");
  const middle = [view.scrollLeft + view.clientWidth / 2, view.scrollTop + view.clientHeight / 2];
  const factor = level / zoom;
  zoom = level;
  part("stage").style.setProperty("--zoom", zoom);
  view.scrollTo({ left: middle[0] * factor - view.clientWidth / 2,
    top: middle[1] * factor - view.clientHeight / 2, behavior: "instant" });
  // What scrolls can be reached by keyboard, and what does not is no stop on the way.
  if (zoom > 1) view.tabIndex = 0; else view.removeAttribute("tabindex");
  const whole = zoom === ZOOMS[0];
  if (whole && document.activeElement === part("zoom-out")) part("zoom-in").focus();
  part("zoom-out").hidden = part("zoom").hidden = whole;
  part("zoom-in").disabled = zoom === ZOOMS.at(-1);
  part("zoom").textContent = `${zoom} ×`;
}

/** A mouse drags what is enlarged; a finger scrolls it anyway. */
function connectDrag(view) {
  view.addEventListener("pointermove", ({ pointerType, buttons, movementX, movementY }) => {
    if (pointerType === "mouse" && buttons === 1) view.scrollBy(-movementX, -movementY);
  });
}

/** A slider sets a property of the stage, from 0 % to 100 %. */
function connectSlider(name) {
  part(name).addEventListener("input", ({ target }) => {
    part("stage").style.setProperty(`--${name}`, `${target.value}%`);
    target.setAttribute("aria-valuetext", `${target.value} %`);
  });
}

export function connectStage() {
  for (const view of root.querySelectorAll('[name="try-view"]')) {
    view.addEventListener("change", changeView);
  }
  ["opacity", "wipe"].forEach(connectSlider);
  const step = (by) => setZoom(ZOOMS[ZOOMS.indexOf(zoom) + by]);
  part("zoom-in").addEventListener("click", () => step(1));
  part("zoom-out").addEventListener("click", () => step(-1));
  connectDrag(part("window"));
}
