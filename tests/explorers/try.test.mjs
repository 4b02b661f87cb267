// The page "Try it": what it says that it fetches is what its scripts fetch, and what it
// says of a browser or of a file is true.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { describeUnreadable, kindOf } from "../../site/try/decoding.mjs";
import { fetchFile, Trouble } from "../../site/try/fetching.mjs";
import { checkWebAssembly, RUNTIME, SMALLEST, VECTOR } from "../../site/try/network.mjs";

const FOLDER = new URL("../../site/try/", import.meta.url);
const PAGE = readFileSync(new URL("../../book/try.md", import.meta.url), "utf8");

test("the page names the files of the runtime, their sizes and hashes", () => {
  const rows = [...PAGE.matchAll(/\| `(ort[^`]+)` \| ([\d.]+) \| `([^`]+)` \|/g)];
  const files = [RUNTIME.script, RUNTIME.wasm];
  assert.deepEqual(rows.map(([, name]) => name), files.map(({ name }) => name));
  assert.deepEqual(rows.map(([, , , hash]) => `sha384-${hash}`),
    files.map(({ integrity }) => integrity));
  for (const [i, [, , megabytes]] of rows.entries()) {
    assert.ok(Math.abs(megabytes - files[i].bytes / 1e6) <= 0.05);
  }
});

test("the import map holds the script to its hash, at its address", () => {
  const map = JSON.parse(PAGE.match(/<script type="importmap">(.*?)<\/script>/s)[1]);
  const { address, script } = RUNTIME;
  const page = new URL("../../book/try.html", import.meta.url);
  const [[name, hash]] = Object.entries(map.integrity);
  // The files lie in site/ here, and beside try/ on the site.
  assert.equal(new URL(name, page).href, (address + script.name).replace("/site/npm", "/npm"));
  assert.equal(hash, script.integrity);
});

test("the page names the version of the runtime", () => {
  assert.ok(PAGE.includes(`(https://onnxruntime.ai) ${RUNTIME.version}, and the network`));
  assert.ok(RUNTIME.address.includes(`@${RUNTIME.version}/`));
});

test("no script names another host or runs what it has put together", () => {
  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith("js"))) {
    const text = readFileSync(new URL(name, FOLDER), "utf8");
    assert.ok(!/https?:\/\//.test(text), name);
    assert.ok(!/import\(.*[Oo]bjectURL|text\/javascript/.test(text), name);
  }
});

test("a browser with WebAssembly and vectors passes, others are told which they lack", () => {
  checkWebAssembly();
  assert.ok(WebAssembly.validate(SMALLEST));
  const scalar = VECTOR.map((byte) => (byte === 0x7b ? 0x7f : byte)); // promises i32
  assert.ok(!WebAssembly.validate(scalar));
  const { WebAssembly: kept } = globalThis;
  const browsers = [
    [undefined, /does not run WebAssembly/],
    [{ Module: class { constructor() { throw new Error("policy"); } } }, /is forbidden/],
    [{ Module: class {}, validate: () => false }, /lacks vector instructions/],
  ];
  try {
    for (const [value, sentence] of browsers) {
      globalThis.WebAssembly = value;
      assert.throws(checkWebAssembly, sentence);
    }
  } finally {
    globalThis.WebAssembly = kept;
  }
});

test("a file is known by its first bytes, and its reader gets a true sentence", () => {
  const bytes = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  assert.equal(kindOf(bytes("\xff\xd8\xff\xe0")), "JPEG");
  assert.equal(kindOf(bytes("RIFF\x24\n\0\0WEBPVP8 ")), "WebP");
  assert.equal(kindOf(bytes("\0\0\0\x18ftypheic\0\0\0\0")), "HEIC");
  assert.equal(kindOf(bytes("hello")), undefined);
  assert.match(describeUnreadable("a.jpg", "JPEG"), /^a.jpg begins as a JPEG .* cut short/);
  assert.match(describeUnreadable("a.jpg", "HEIC"), /^a.jpg is a HEIC file.* Save it as JPEG/);
  assert.match(describeUnreadable("a.jpg", undefined), /^a.jpg is no picture/);
});

test("a host that hangs half-way is given up when it has sent nothing for ten seconds",
  async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    let stopped;
    context.mock.method(globalThis, "fetch", async (_, { signal }) => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new Uint8Array(3));
          signal.addEventListener("abort", () => controller.error(signal.reason));
          stopped = signal;
        },
      });
      return new Response(body);
    });
    const seen = [];
    const fetching = fetchFile("https://here/", "a.wasm", (bytes) => {
      seen.push(bytes);
      context.mock.timers.tick(9_999); // not yet
      assert.ok(!stopped.aborted);
      setImmediate(() => context.mock.timers.tick(1));
    });
    await assert.rejects(fetching, (error) => error instanceof Trouble
      && /^a.wasm does not come: .* for 10 seconds/.test(error.message));
    assert.deepEqual(seen, [3]);
  });
