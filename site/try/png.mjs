// A mask and a cut-out as PNG files.
//
// A canvas writes colours only, holds 16 million pixels on a telephone, and rounds the
// colours of transparent ones. This writes any size, one row after the other. A mask gets
// a palette: its pixels hold 1, 2 and 3, the codes of a trimap, so that
// `load_pictures(folder)` takes the file as a mask, and a viewer shows the classes.

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const [PALETTE_TYPE, RGBA_TYPE] = [3, 6];
const [PLAIN, PAETH] = [0, 4]; // filters of a row

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

/** Write a file from its header's last bytes, its palette, and its lines one by one. */
async function encode(width, height, type, palette, lines) {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, type], 8); // 8 bits a channel; the rest stays 0
  const stream = new CompressionStream("deflate");
  const packed = new Response(stream.readable).arrayBuffer();
  const writer = stream.writable.getWriter();
  for (const bytes of lines) await writer.write(bytes);
  await writer.close();
  return new Blob([
    new Uint8Array(SIGNATURE),
    chunk("IHDR", header),
    ...palette,
    chunk("IDAT", new Uint8Array(await packed)),
    chunk("IEND", new Uint8Array(0)),
  ], { type: "image/png" });
}

/** Rows of a band, each behind the number of its filter. */
function* markRows(bytes, length, filter) {
  for (let start = 0; start < bytes.length; start += length) {
    const line = new Uint8Array(length + 1);
    line[0] = filter;
    line.set(bytes.subarray(start, start + length), 1);
    yield line;
  }
}

/** A mask of class codes 0, 1, 2, with a colour `[r, g, b]` each, as a PNG of 1, 2, 3. */
export function encodeTrimap(mask, width, height, colours) {
  const palette = Uint8Array.from([[0, 0, 0], ...colours].flat()); // 0 is no class
  const codes = mask.map((code) => code + 1);
  const lines = markRows(codes, width, PLAIN);
  return encode(width, height, PALETTE_TYPE, [chunk("PLTE", palette)], lines);
}

/** Which of left, above and above left is nearest to left + above - above left. */
function paeth(left, above, corner) {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** RGBA rows as differences from their neighbours, which photographs compress with. */
function* filterRows(bands, width) {
  const length = width * 4;
  let above = new Uint8Array(length);
  for (const band of bands) {
    for (let start = 0; start < band.length; start += length) {
      const row = band.subarray(start, start + length);
      const line = new Uint8Array(length + 1);
      line[0] = PAETH;
      for (let i = 0; i < length; i++) {
        const left = i < 4 ? 0 : row[i - 4];
        line[i + 1] = row[i] - paeth(left, above[i], i < 4 ? 0 : above[i - 4]);
      }
      yield line;
      above = row;
    }
  }
}

/** A picture with transparent parts, whose RGBA bytes come as bands of whole rows. */
export function encodeRgba(bands, width, height) {
  return encode(width, height, RGBA_TYPE, [], filterRows(bands, width));
}
