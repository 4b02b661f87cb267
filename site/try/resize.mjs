// Resizing, and what follows from probabilities; the arithmetic of the page "Try it".
//
// A canvas resizes as its browser likes. `segment_picture` in Python resizes with
// Pillow's antialiased bilinear filter, so this file does the same, to the byte: a test
// compares the two through Node. (Since version 13 Pillow resizes the columns of tall
// pictures first; their bytes differ by 1 at most.) Nothing here touches the page.

const BITS = 22; // Pillow rounds the weights of bytes to multiples of 2 ** -22

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

/** Squeeze RGBA bytes `(height, width, 4)` to RGB bytes `(size, size, 3)`. */
export function squeezePicture(rgba, width, height, size) {
  const rows = new Uint8Array(height * size * 3);
  const columnWeights = wholeWeights(width, size);
  for (let row = 0; row < height; row++) {
    for (let i = 0; i < size * 3; i++) {
      const { start, weights } = columnWeights[Math.floor(i / 3)];
      const first = (row * width + start) * 4 + (i % 3);
      rows[row * size * 3 + i] = weighBytes(rgba, first, 4, weights);
    }
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
function stretchColumns(probabilities, size, classes, width) {
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

/**
 * Stretch probabilities `(size, size, classes)` to the picture, then take the largest:
 * the class of every pixel, `(height, width)`. One row at a time, since a photograph of
 * a telephone has 12 million pixels.
 */
export function classify(probabilities, size, classes, width, height) {
  const wide = stretchColumns(probabilities, size, classes, width);
  const mask = new Uint8Array(width * height);
  const line = new Float32Array(width * classes);
  triangleWeights(size, height).forEach(({ start, weights }, row) => {
    for (let i = 0; i < line.length; i++) {
      let sum = 0;
      for (let j = 0; j < weights.length; j++) {
        sum += weights[j] * wide[start * line.length + j * line.length + i];
      }
      line[i] = sum;
    }
    for (let column = 0; column < width; column++) {
      mask[row * width + column] = largest(line, column * classes, classes);
    }
  });
  return mask;
}

/** Which of `count` numbers from `first` on is the largest; the first one of equals. */
function largest(numbers, first, count) {
  let best = 0;
  for (let i = 1; i < count; i++) {
    if (numbers[first + i] > numbers[first + best]) best = i;
  }
  return best;
}

/** The share of each class in a mask. */
export function classShares(mask, classes) {
  const counts = new Array(classes).fill(0);
  for (const code of mask) counts[code]++;
  return counts.map((count) => count / mask.length);
}
