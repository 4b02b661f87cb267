// The mask and the cut-out as files, at the picture's own size: downloaded or shared.

import { cutPixels, findOpacity } from "./cutout.mjs";
import { classify } from "./look.mjs";
import { encodeRgba, encodeTrimap } from "./png.mjs";
import { BACKGROUND, COLOURS } from "./stage.mjs";

const BAND_PIXELS = 2 ** 20; // read at a time

/** The picture, some rows at a time, as opaque as the network was certain. */
function* cutBands({ width, height, read }, opacity) {
  const rows = Math.max(Math.floor(BAND_PIXELS / width), 1);
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    const part = opacity.subarray(top * width, (top + count) * width);
    yield cutPixels(read(0, top, width, count), part);
  }
}

const MAKERS = {
  mask: ({ picture: { width, height }, field }) =>
    encodeTrimap(classify(field), width, height, COLOURS),
  "cut-out": ({ picture, field }) => {
    const { width, height } = picture;
    const opacity = findOpacity(field, classify(field), width, height, BACKGROUND);
    return encodeRgba(cutBands(picture, opacity), width, height);
  },
};

/** The mask or the cut-out of a result, made once. */
export async function makeFile(result, kind) {
  result.files ??= {};
  const blob = result.files[kind] ?? await MAKERS[kind](result);
  result.files[kind] = blob;
  const name = `${result.picture.name.replace(/\.[^.]*$/, "")}-${kind}.png`;
  return new File([blob], name, { type: "image/png" });
}

/** Hand a file over as a download. */
export function download(file) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // browsers may start late
}

/** Whether this browser passes pictures on to other programs. */
export function canShare() {
  const example = new File([""], "cut-out.png", { type: "image/png" });
  return navigator.canShare?.({ files: [example] }) ?? false;
}

/** Pass a file on; who closes the list of programs has changed their mind. */
export async function share(file) {
  try {
    await navigator.share({ files: [file] });
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}
