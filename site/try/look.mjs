// What `segment_picture` of the package does with one picture, step by step: squares
// along a long one, the mirrored picture, the second look. Tests compare the two.
//
// A telephone's picture has 12 million pixels, and each would have three probabilities.
// So a look keeps the few thousand that were predicted, and stretches them row by row.
// Nothing here touches the page.

import { squeezePicture, stretchColumns, toImage, triangleWeights } from "./resize.mjs";

// As in the package's tiles.py, where their reasons stand.
const OVERLAP = 0.5;
const FAR_FROM_SQUARE = 2;
const MOST_SQUARES = 8;
const MARGIN = 0.15;
const ALMOST_ALL = 0.8;

/** Round as Python does: halves to the even number. */
export function roundHalfEven(number) {
  const below = Math.floor(number);
  if (number - below !== 0.5) return Math.round(number);
  return below + (below % 2);
}

/** Side of the squares to see a picture in; null sees it in one piece. */
function chooseSide(width, height) {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  if (long <= FAR_FROM_SQUARE * short) return null;
  return Math.max(short, Math.ceil(long / MOST_SQUARES));
}

/** Cover a length with overlapping windows, whose weights add up to 1 everywhere. */
export function placeWindows(length, longest) {
  const side = Math.min(longest, length);
  const count = 1 + Math.ceil((length - side) / (side * (1 - OVERLAP)));
  const step = (length - side) / Math.max(count - 1, 1);
  const starts = new Set(Array.from({ length: count }, (_, i) => roundHalfEven(i * step)));
  const bump = Array.from({ length: side }, (_, i) =>
    Math.sin((Math.PI * (i + 0.5)) / side) ** 2);
  const total = new Float64Array(length);
  for (const start of starts) bump.forEach((value, i) => { total[start + i] += value; });
  return [...starts].map((start) => ({
    start,
    weights: Float32Array.from(bump, (value, i) => value / total[start + i]),
  }));
}

/** Turn `(size, size, channels)` left to right. */
export function mirror(numbers, size, channels) {
  return numbers.map((_, i) => {
    const [pixel, channel] = [Math.floor(i / channels), i % channels];
    const column = pixel % size;
    return numbers[(pixel - column + size - 1 - column) * channels + channel];
  });
}

/** Probabilities `(size, size, classes)` of an image, averaged with its mirror's. */
async function predictBoth(predict, image, { size, classes }) {
  const plain = await predict(image);
  const turned = mirror(await predict(mirror(image, size, 3)), size, classes);
  return plain.map((value, i) => (value + turned[i]) / 2);
}

/** Predict a box of a picture, in one piece or in squares if it is far from square. */
async function predictBox(source, box, predict, options) {
  const { size, classes, flip } = options;
  const side = chooseSide(box.width, box.height) ?? Infinity;
  const pieces = [];
  for (const rows of placeWindows(box.height, side)) {
    for (const columns of placeWindows(box.width, side)) {
      const [width, height] = [columns.weights.length, rows.weights.length];
      const [left, top] = [box.left + columns.start, box.top + rows.start];
      const image = toImage(squeezePicture(source, { left, top, width, height }, size));
      const probabilities = flip ? await predictBoth(predict, image, options)
        : await predict(image);
      pieces.push({ left, top, width, height, rowWeights: rows.weights,
        columnWeights: columns.weights, rows: triangleWeights(size, height),
        wide: stretchColumns(probabilities, size, classes, width) });
    }
  }
  return { ...box, pieces, line: new Float32Array(box.width * classes) };
}

/** Add what a piece says of one of its rows to a line of weighted probabilities. */
function addPiece(piece, row, line, first, classes) {
  const { wide, width, rowWeights, columnWeights } = piece;
  const { start, weights } = piece.rows[row];
  const span = width * classes;
  for (let i = 0; i < span; i++) {
    let sum = 0;
    for (let j = 0; j < weights.length; j++) sum += weights[j] * wide[(start + j) * span + i];
    // Rounded wherever the package rounds to float32.
    const weight = Math.fround(rowWeights[row] * columnWeights[Math.floor(i / classes)]);
    line[first + i] += Math.fround(Math.fround(sum) * weight);
  }
}

/** Probabilities of one row of a predicted box, in its own `line`. */
function blendRow({ pieces, left, line }, y, classes) {
  line.fill(0);
  for (const piece of pieces) {
    const row = y - piece.top;
    if (row < 0 || row >= piece.height) continue;
    addPiece(piece, row, line, (piece.left - left) * classes, classes);
  }
  return line;
}

/** Probabilities `(width, classes)` of one row of the picture, until the next is read. */
function readRow({ first, second, classes }, y) {
  const line = blendRow(first, y, classes);
  if (second && y >= second.top && y < second.top + second.height) {
    const offset = second.left * classes;
    blendRow(second, y, classes).forEach((value, i) => {
      line[offset + i] = (line[offset + i] + value) / 2;
    });
  }
  return line;
}

/**
 * Go through a picture's probabilities, at its own size or at the middles of a smaller
 * one: `visit(i, line, at)` gets a pixel, and where in `line` its probabilities begin.
 */
export function visitPixels(field, width, height, visit) {
  const columns = Uint32Array.from({ length: width }, (_, column) =>
    Math.floor(((2 * column + 1) * field.width) / (2 * width)) * field.classes);
  for (let row = 0; row < height; row++) {
    const line = readRow(field, Math.floor(((2 * row + 1) * field.height) / (2 * height)));
    for (let i = 0; i < width; i++) visit(row * width + i, line, columns[i]);
  }
}

/** The most probable class of every pixel, the first one of equals. */
export function classify(field, width = field.width, height = field.height) {
  const mask = new Uint8Array(width * height);
  visitPixels(field, width, height, (pixel, line, at) => {
    let best = 0;
    for (let i = 1; i < field.classes; i++) if (line[at + i] > line[at + best]) best = i;
    mask[pixel] = best;
  });
  return mask;
}

/** From the first to the last place that was found, and a margin around. */
function widen(first, last, length) {
  const more = roundHalfEven(MARGIN * (last + 1 - first));
  const start = Math.max(first - more, 0);
  return [start, Math.min(last + 1 + more, length) - start];
}

/** The box around all that is not background, wider by a margin, or null. */
export function findBox(mask, width, height, background) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === background) continue;
    const [row, column] = [Math.floor(i / width), i % width];
    if (row < top) top = row;
    bottom = row;
    if (column < left) left = column;
    if (column > right) right = column;
  }
  if (bottom < 0) return null;
  [left, right] = widen(left, right, width);
  [top, bottom] = widen(top, bottom, height);
  return { left, top, width: right, height: bottom };
}

/**
 * Look at a picture, and return the field of its probabilities.
 *
 * @param source Its `width`, `height` and `read`, as `squeezePicture` takes it.
 * @param predict From an image `(size, size, 3)` to probabilities, as a promise.
 * @param options `size`, `classes`, `background`; `flip` averages with the mirrored
 *   picture, `lookTwice` with a second look at what was found.
 */
export async function look(source, predict, options) {
  const { width, height } = source;
  const { classes, background, lookTwice } = options;
  const whole = { left: 0, top: 0, width, height };
  const first = await predictBox(source, whole, predict, options);
  const field = { width, height, classes, first, second: null };
  if (!lookTwice) return field;
  const box = findBox(classify(field), width, height, background);
  if (box && box.width * box.height < ALMOST_ALL * width * height) {
    field.second = await predictBox(source, box, predict, options);
  }
  return field;
}

/** The share of each class in a mask. */
export function classShares(mask, classes) {
  const counts = new Array(classes).fill(0);
  for (const code of mask) counts[code]++;
  return counts.map((count) => count / mask.length);
}
