// Loads the runtime and a network, and runs them: from an image to probabilities.
// Nothing here touches the page.

import { fetchChecked, inTime, Trouble } from "./fetching.mjs";

// ONNX Runtime Web (MIT licence), published with the site by tools/npm.py. The page
// names these files too, and holds the script to its hash; a test compares.
export const RUNTIME = {
  name: "onnxruntime-web",
  version: "1.30.0",
  address: new URL("../npm/onnxruntime-web@1.30.0/", import.meta.url).href,
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

// Two modules of WebAssembly: the smallest one, and a function that returns a vector.
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
export const SMALLEST = Uint8Array.from(HEADER);
export const VECTOR = Uint8Array.from([
  ...HEADER,
  ...[1, 5, 1, 0x60, 0, 1, 0x7b], // a type: from nothing to v128
  ...[3, 2, 1, 0], // a function of this type
  ...[10, 8, 1, 6, 0, 0x41, 0, 0xfd, 0x0f, 0x0b], // i32.const 0, i8x16.splat, end
]);

/** Refuse a browser that cannot run the runtime, before it fetches megabytes. */
export function checkWebAssembly() {
  if (typeof WebAssembly !== "object") {
    throw new Trouble("This browser does not run WebAssembly, which the network needs. " +
      "Use another browser, or allow WebAssembly in this one’s settings.");
  }
  try {
    new WebAssembly.Module(SMALLEST); // `validate` says yes where a policy says no
  } catch (error) {
    throw new Trouble("WebAssembly is forbidden on this page, and the network needs it. " +
      "A content policy forbids it, set by the site (wasm-unsafe-eval is missing) or by " +
      "an add-on of this browser.", { cause: error });
  }
  if (!WebAssembly.validate(VECTOR)) {
    throw new Trouble("This browser’s WebAssembly lacks vector instructions (SIMD), which " +
      "the network needs. Browsers have them since 2021, Safari since 2023, on all but " +
      "very old processors.");
  }
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

const loadRuntime = remember(async ({ address, script, wasm }, onBytes) => {
  // The script is fetched to say what is wrong with it; the browser takes it from there.
  const [, { buffer }] = await Promise.all([script, wasm].map((file) =>
    fetchChecked(address, file, onBytes)));
  const ort = await inTime(import(address + script.name), script.name);
  ort.env.wasm.wasmBinary = buffer;
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
  checkWebAssembly();
  return loadSession(model, onBytes);
}

/** From an image, float32 in [0, 1], to probabilities, and the milliseconds it took. */
export async function predict({ ort, session }, image, size) {
  const tensor = new ort.Tensor("float32", image, [1, size, size, 3]);
  const start = performance.now();
  const { probabilities } = await session.run({ image: tensor });
  return { probabilities: probabilities.data, milliseconds: performance.now() - start };
}
