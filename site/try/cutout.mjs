// How opaque a cut-out is, as `cut_out` of the package works it out from probabilities.

import { roundHalfEven, visitPixels } from "./look.mjs";

const [LOW, HIGH] = [0.25, 0.75]; // as in the package's cutouts.py: the soft edge,
const REACH = 3; // and how many pixels it goes beyond what was found

/** Whether something was found within reach of a pixel. */
function isNear(mask, width, height, pixel, background) {
  if (mask[pixel] !== background) return true;
  const [row, column] = [Math.floor(pixel / width), pixel % width];
  for (let y = Math.max(row - REACH, 0); y <= Math.min(row + REACH, height - 1); y++) {
    const wide = Math.floor(Math.sqrt(REACH ** 2 - (y - row) ** 2));
    const last = Math.min(column + wide, width - 1);
    for (let x = Math.max(column - wide, 0); x <= last; x++) {
      if (mask[y * width + x] !== background) return true;
    }
  }
  return false;
}

/** How opaque every pixel is, 0 to 255, at the size of the mask. */
export function findOpacity(field, mask, width, height, background) {
  const opacity = new Uint8Array(width * height);
  visitPixels(field, width, height, (pixel, line, at) => {
    const certainty = Math.fround(1 - line[at + background]);
    if (certainty <= LOW || !isNear(mask, width, height, pixel, background)) return;
    const opaque = Math.fround(Math.fround(certainty - LOW) / (HIGH - LOW));
    opacity[pixel] = roundHalfEven(Math.fround(255 * Math.min(opaque, 1)));
  });
  return opacity;
}

/** Make RGBA bytes as opaque as asked; nothing stays under transparent pixels. */
export function cutPixels(rgba, opacity) {
  for (let i = 0; i < opacity.length; i++) {
    if (!opacity[i]) rgba.fill(255, 4 * i, 4 * i + 3);
    rgba[4 * i + 3] = opacity[i];
  }
  return rgba;
}
