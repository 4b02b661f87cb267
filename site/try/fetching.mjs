// Fetches files of this site, refuses all but those that were chosen, and tells the
// reader in a sentence why one did not come. Nothing here touches the page.

export const PATIENCE = 10_000; // milliseconds; a host that sends nothing so long hangs

/** What went wrong, in a sentence for the reader. */
export class Trouble extends Error {}

/** The directives of content policies that have stopped something on this page. */
const stoppedBy = new Set();
globalThis.document?.addEventListener("securitypolicyviolation", (event) =>
  stoppedBy.add(event.effectiveDirective));

/** Why a file did not come, in a sentence. */
async function explain(error, name) {
  if (error instanceof Trouble) return error;
  if (error.name === "AbortError") return slowness(name);
  await new Promise((resolve) => setTimeout(resolve)); // a policy's event comes after
  let sentence = "the connection failed. Try again.";
  if (globalThis.navigator?.onLine === false) {
    sentence = "this device is offline. Try again when it is not.";
  } else if (stoppedBy.has("connect-src")) {
    sentence = "a content policy forbids it (connect-src), set by the site or by an " +
      "add-on of this browser.";
  }
  return new Trouble(`${name} could not be fetched: ${sentence}`, { cause: error });
}

function slowness(name) {
  return new Trouble(`${name} does not come: this site has sent nothing for ` +
    `${PATIENCE / 1000} seconds. Try again.`);
}

/** A promise's value, or trouble when it takes longer than a host that hangs. */
export function inTime(promise, name) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(slowness(name)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
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

/** The bytes of a file of this site; `base` is the address that its name starts from. */
export async function fetchFile(base, name, onBytes = () => {}, options = {}) {
  const stop = new AbortController();
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(), PATIENCE);
  };
  wait();
  try {
    const response = await fetch(new URL(name, base), { ...options, signal: stop.signal });
    if (!response.ok) {
      throw new Trouble(`This site does not have ${name} (status ${response.status}). ` +
        "Tell the page’s authors.");
    }
    return await readAll(response, (bytes) => {
      wait();
      onBytes(bytes);
    });
  } catch (error) {
    throw await explain(error, name);
  } finally {
    clearTimeout(timer);
  }
}

/** The SHA-384 of bytes, spelt as in an `integrity` attribute. */
async function integrityOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-384", bytes));
  return `sha384-${btoa(String.fromCharCode(...digest))}`;
}

/** Fetch a file, and refuse it unless it is the one that was chosen. */
export async function fetchChecked(base, file, onBytes) {
  // Only pages on https or localhost may hash; elsewhere fetch itself refuses, and says
  // that the connection failed.
  const options = globalThis.crypto?.subtle ? {} : { integrity: file.integrity };
  const bytes = await fetchFile(base, file.name, onBytes, options);
  if (globalThis.crypto?.subtle && (await integrityOf(bytes)) !== file.integrity) {
    throw new Trouble(`${file.name} is not the file that this page was written for: its ` +
      "hash differs. It was not run. Reload the page, and if that does not help, tell " +
      "the page’s authors.");
  }
  return bytes;
}
