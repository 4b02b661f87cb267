// A mask as a PNG file that people and programs read alike.
//
// A canvas writes colours only. This writes a palette: the pixels hold 1, 2 and 3, the
// codes of a trimap, so that `load_pictures(folder)` takes the file as a mask, and a
// viewer shows the colours of the classes.

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const PALETTE_TYPE = 3;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) {
    value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  }
  return value;
});

/** The check sum of PNG (CRC-32). */
function checkSum(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = CRC_TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** A chunk: length, type, data, check sum of the last two. */
function chunk(type, data) {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set([...type].map((letter) => letter.charCodeAt(0)), 4);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, checkSum(bytes.subarray(4, data.length + 8)));
  return bytes;
}

/** Compress bytes as PNG wants them (zlib). */
async function compress(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A mask of class codes 0, 1, 2, with a colour `[r, g, b]` each, as a PNG of 1, 2, 3. */
export async function encodeTrimap(mask, width, height, colours) {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, PALETTE_TYPE], 8); // 8 bits a pixel; the rest stays 0
  const lines = new Uint8Array((width + 1) * height); // a line begins with its filter, 0
  for (let i = 0; i < mask.length; i++) lines[i + Math.floor(i / width) + 1] = mask[i] + 1;
  return new Blob([
    new Uint8Array(SIGNATURE),
    chunk("IHDR", header),
    chunk("PLTE", Uint8Array.from([[0, 0, 0], ...colours].flat())), // 0 is no class
    chunk("IDAT", await compress(lines)),
    chunk("IEND", new Uint8Array(0)),
  ], { type: "image/png" });
}
