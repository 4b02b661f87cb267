// From the file of a picture to what a canvas can paint, turned upright as its EXIF entry
// says.

import { Trouble } from "./fetching.mjs";

/** How files of pictures begin, as the text of their first bytes. */
const KINDS = [
  ["JPEG", /^\xff\xd8/],
  ["PNG", /^\x89PNG/],
  ["GIF", /^GIF8/],
  ["WebP", /^RIFF....WEBP/s],
  ["BMP", /^BM/],
  ["TIFF", /^(II\*\0|MM\0\*)/],
  ["AVIF", /^....ftypavi[fs]/s],
  ["HEIC", /^....ftyp(hei|hev|mif1|msf1)/s],
];
const COMMON = ["JPEG", "PNG", "GIF", "WebP", "BMP"]; // which every browser reads

/** What a file holds by its first bytes, or undefined. */
export function kindOf(bytes) {
  const text = String.fromCharCode(...bytes.slice(0, 16));
  return KINDS.find(([, start]) => start.test(text))?.[0];
}

/** Why a file cannot be read, in a sentence. */
export function describeUnreadable(name, kind) {
  if (COMMON.includes(kind)) {
    return `${name} begins as a ${kind} file and cannot be read: it is damaged or cut ` +
      "short, or it is larger than this browser can hold. Copy it again, or save it smaller.";
  }
  const what = kind ? `is a ${kind} file, which this browser does not read`
    : "is no picture that this browser reads";
  return `${name} ${what}. Save it as JPEG or PNG and try again.`;
}

/** The address of a file as text, which fewer policies forbid than `blob:`. */
function toDataAddress(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

/** Decode with an `img`, which shrinks while it decodes and so holds larger pictures. */
async function decodeWithImage(file) {
  const source = new Image();
  source.src = await toDataAddress(file);
  await source.decode();
  const { naturalWidth: width, naturalHeight: height } = source;
  if (!(width && height)) throw new Error("the picture has no size");
  return { source, width, height, close() {} };
}

/** Decode a file: something to paint, its size, and `close` to give its memory back. */
export async function decode(file) {
  try {
    const source = await createImageBitmap(file, { imageOrientation: "from-image" });
    const { width, height } = source;
    return { source, width, height, close: () => source.close() };
  } catch {
    return decodeWithImage(file).catch(async (error) => {
      const kind = kindOf(new Uint8Array(await file.slice(0, 16).arrayBuffer()));
      throw new Trouble(describeUnreadable(file.name || "The picture", kind), { cause: error });
    });
  }
}
