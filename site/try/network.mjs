// Fetches the runtime and a network, checks that they are the ones that were chosen,
// and runs them: from an image to probabilities. Nothing here touches the page.

// ONNX Runtime Web (MIT licence). The page names these files too; a test compares.
export const RUNTIME = {
  name: "onnxruntime-web",
  version: "1.30.0",
  address: "https://cdn.jsdelivr.net/npm/onnxruntime-web@1.30.0/dist/",
  compressedSize: 3_690_000, // on the way, where the host compresses
  script: {
    name: "ort.wasm.bundle.min.mjs",
    bytes: 73_054,
    integrity: "sha384-PLWz+nHEVHpjwBsO0YVdvQj6n5814Iv8E3b8FG0Rp/uIAtjFMCKOpP66iPzedrIG",
  },
  wasm: {
    name: "ort-wasm-simd-threaded.wasm",
    bytes: 14_239_897,
    integrity: "sha384-vjBJ1z7qrhkTyYsNqKeF6c7N+nOJSU94czEo+tvZcu8G75JparGq9kB+kTnEUNVM",
  },
};
export const RUNTIME_BYTES = RUNTIME.script.bytes + RUNTIME.wasm.bytes;

/** What went wrong, in a sentence for the reader. */
export class Trouble extends Error {}

/** Fetch a file, and refuse it unless it is the one that was chosen. */
export async function fetchChecked(address, file, onBytes = () => {}) {
  // Only pages on https or localhost may hash; elsewhere fetch itself refuses, without
  // saying why, and without telling how far it got.
  const options = globalThis.crypto?.subtle ? {} : { integrity: file.integrity };
  let bytes;
  try {
    const response = await fetch(new URL(file.name, address), options);
    if (!response.ok) throw new Error(`status ${response.status}`);
    bytes = await readAll(response, onBytes);
  } catch (error) {
    const host = new URL(address).host;
    throw new Trouble(`${file.name} could not be fetched from ${host}. Is the network ` +
      "there? Try again when it is.", { cause: error });
  }
  if (globalThis.crypto?.subtle && (await integrityOf(bytes)) !== file.integrity) {
    throw new Trouble(`${file.name} is not the file that this page was written for: its ` +
      "hash differs. It was not run. Reload the page, and if that does not help, tell " +
      "the page’s authors.");
  }
  return bytes;
}

/** Read a response to its end, telling how many bytes each piece had. */
async function readAll(response, onBytes) {
  const pieces = [];
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    onBytes(value.length);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** The SHA-384 of bytes, spelt as in an `integrity` attribute. */
async function integrityOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-384", bytes));
  return `sha384-${btoa(String.fromCharCode(...digest))}`;
}

/** Keep the promise of `make(key)`; forget it when it fails, so that one can retry. */
function remember(make) {
  const kept = new Map();
  return (key, ...rest) => {
    if (!kept.has(key)) {
      const promise = make(key, ...rest);
      promise.catch(() => kept.delete(key));
      kept.set(key, promise);
    }
    return kept.get(key);
  };
}

const loadRuntime = remember(async (runtime, onBytes) => {
  const [script, wasm] = await Promise.all([runtime.script, runtime.wasm].map((file) =>
    fetchChecked(runtime.address, file, onBytes)));
  // Imported from memory, so that what runs is what was checked.
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const ort = await import(address);
  URL.revokeObjectURL(address);
  ort.env.wasm.wasmBinary = wasm.buffer;
  ort.env.wasm.numThreads = 1; // more need headers that plain web hosts do not send
  ort.env.logLevel = "error";
  return ort;
});

const loadSession = remember(async (model, onBytes) => {
  const file = { ...model, name: `${model.name}.onnx` };
  const [ort, bytes] = await Promise.all([
    loadRuntime(RUNTIME, onBytes),
    fetchChecked(import.meta.url, file, onBytes),
  ]);
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  return { ort, session };
});

/** Load a network of models.json, once. */
export async function loadNetwork(model, onBytes) {
  if (typeof WebAssembly !== "object") {
    throw new Trouble("This browser does not run WebAssembly, which the network needs. " +
      "Use another browser, or allow WebAssembly in this one’s settings.");
  }
  return loadSession(model, onBytes);
}

/** From an image, float32 in [0, 1], to probabilities, and the milliseconds it took. */
export async function predict({ ort, session }, image, size) {
  const tensor = new ort.Tensor("float32", image, [1, size, size, 3]);
  const start = performance.now();
  const { probabilities } = await session.run({ image: tensor });
  return { probabilities: probabilities.data, milliseconds: performance.now() - start };
}
