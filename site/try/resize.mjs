// Resizing, to the byte as Pillow does it; part of the arithmetic of the page "Try it".
//
// A canvas resizes as its browser likes. `segment_picture` in Python resizes with
// Pillow's antialiased bilinear filter, so this file does the same, to the byte: a test
// compares the two through Node. (Since version 13 Pillow resizes the columns of tall
// pictures first; their bytes differ by 1 at most.) Nothing here touches the page.

const BITS = 22; // Pillow rounds the weights of bytes to multiples of 2 ** -22
const BAND_PIXELS = 2 ** 20; // read at a time: a telephone's picture has 12 times as many

/** For each output position: where its inputs start, and their weights. */
export function triangleWeights(inputSize, outputSize) {
  const scale = inputSize / outputSize;
  const support = Math.max(scale, 1); // wider when shrinking: that is the antialiasing
  return Array.from({ length: outputSize }, (_, position) => {
    const centre = (position + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support + 0.5), inputSize);
    const weights = Array.from({ length: end - start }, (_, i) =>
      Math.max(1 - Math.abs((start + i - centre + 0.5) * (1 / support)), 0));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { start, weights: weights.map((weight) => weight / sum) };
  });
}

/** The same in whole numbers, as Pillow uses them for bytes. */
function wholeWeights(inputSize, outputSize) {
  return triangleWeights(inputSize, outputSize).map(({ start, weights }) => ({
    start,
    weights: Int32Array.from(weights, (weight) => Math.trunc(0.5 + weight * 2 ** BITS)),
  }));
}

/** Weighted sum of every `step`-th byte from `first` on, rounded to a byte. */
function weighBytes(bytes, first, step, weights) {
  let sum = 2 ** (BITS - 1);
  for (let i = 0; i < weights.length; i++) sum += bytes[first + i * step] * weights[i];
  return sum >> BITS; // at most 255: the weights sum to 1
}

/** Squeeze the columns of RGBA rows `(height, width, 4)` to RGB rows of a square. */
function narrow(rgba, width, columnWeights, rows) {
  const line = columnWeights.length * 3;
  for (let i = 0; i < rows.length; i++) {
    const [row, column] = [Math.floor(i / line), Math.floor((i % line) / 3)];
    const { start, weights } = columnWeights[column];
    rows[i] = weighBytes(rgba, (row * width + start) * 4 + (i % 3), 4, weights);
  }
}

/**
 * Squeeze a box of a picture to RGB bytes `(size, size, 3)`. The picture is read some
 * rows at a time: `source.read(left, top, width, height)` returns their RGBA bytes.
 */
export function squeezePicture(source, { left, top, width, height }, size) {
  const rows = new Uint8Array(height * size * 3);
  const columnWeights = wholeWeights(width, size);
  const band = Math.max(Math.floor(BAND_PIXELS / width), 1);
  for (let first = 0; first < height; first += band) {
    const count = Math.min(band, height - first);
    const rgba = source.read(left, top + first, width, count);
    const [from, to] = [first, first + count].map((row) => row * size * 3);
    narrow(rgba, width, columnWeights, rows.subarray(from, to));
  }
  const squeezed = new Uint8Array(size * size * 3);
  wholeWeights(height, size).forEach(({ start, weights }, row) => {
    for (let i = 0; i < size * 3; i++) {
      const first = start * size * 3 + i;
      squeezed[row * size * 3 + i] = weighBytes(rows, first, size * 3, weights);
    }
  });
  return squeezed;
}

/** Bytes as the network wants them: float32 in [0, 1]. */
export function toImage(bytes) {
  return Float32Array.from(bytes, (byte) => byte / 255);
}

/** Stretch the columns of `(size, size, classes)` to `(size, width, classes)`. */
export function stretchColumns(probabilities, size, classes, width) {
  const stretched = new Float32Array(size * width * classes);
  triangleWeights(size, width).forEach(({ start, weights }, column) => {
    for (let i = 0; i < size * classes; i++) {
      const [row, channel] = [Math.floor(i / classes), i % classes];
      let sum = 0;
      for (let j = 0; j < weights.length; j++) {
        sum += weights[j] * probabilities[(row * size + start + j) * classes + channel];
      }
      stretched[(row * width + column) * classes + channel] = sum;
    }
  });
  return stretched;
}
