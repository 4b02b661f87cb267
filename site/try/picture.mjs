// A decoded picture: painted for the eye, and read some rows at a time for the network.

const MOST_PIXELS = 16e6; // what a canvas holds on any telephone
const SHOWN_SIDE = 2048; // enough to zoom into; the downloads have all pixels

/** Paint a picture on white, in front of which transparent parts stand. */
export function paint(canvas, source, width, height) {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  return context;
}

/** Where pixels are read from. An `img` decodes each time anew: it is painted once. */
function keep(source, width, height) {
  if (source instanceof ImageBitmap) return source;
  const scale = Math.min(Math.sqrt(MOST_PIXELS / (width * height)), 1);
  const canvas = document.createElement("canvas");
  paint(canvas, source, ...[width, height].map((side) =>
    Math.max(Math.floor(side * scale), 1)));
  return canvas;
}

/** Return what reads the RGBA bytes of a part, through a canvas no larger than it. */
function makeReader(source, whole) {
  const canvas = document.createElement("canvas");
  const [x, y] = [source.width / whole.width, source.height / whole.height];
  return (left, top, width, height) => {
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    context.drawImage(source, left * x, top * y, width * x, height * y, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  };
}

/** The size of a picture whose longer side keeps to a limit; 1 pixel at least. */
export function fit({ width, height }, longest) {
  const scale = Math.min(longest / Math.max(width, height), 1);
  return [width, height].map((side) => Math.max(Math.floor(side * scale), 1));
}

/** Open what was decoded; it stays in memory until `close`, as the next one comes. */
export function openPicture({ source, width, height, close }, name) {
  const shown = document.createElement("canvas");
  const kept = keep(source, width, height);
  paint(shown, kept, ...fit({ width, height }, SHOWN_SIDE));
  return { name, width, height, shown, read: makeReader(kept, { width, height }), close };
}
