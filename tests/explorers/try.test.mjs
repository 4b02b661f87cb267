// The page "Try it": what it says that it fetches is what its scripts fetch.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { RUNTIME } from "../../site/try/network.mjs";

const FOLDER = new URL("../../site/try/", import.meta.url);
const PAGE = readFileSync(new URL("../../book/try.md", import.meta.url), "utf8");

test("the page names the files of the runtime, their sizes and hashes", () => {
  const rows = [...PAGE.matchAll(/\| `(ort[^`]+)` \|.*\| ([\d.]+) \| `([^`]+)` \|/g)];
  const files = [RUNTIME.script, RUNTIME.wasm];
  assert.deepEqual(rows.map(([, name]) => name), files.map(({ name }) => name));
  assert.deepEqual(rows.map(([, , , hash]) => `sha384-${hash}`),
    files.map(({ integrity }) => integrity));
  for (const [i, [, , megabytes]] of rows.entries()) {
    assert.ok(Math.abs(megabytes - files[i].bytes / 1e6) <= 0.05);
  }
});

test("the page names the address and the version of the runtime", () => {
  const { address, version } = RUNTIME;
  assert.ok(PAGE.includes(`\`${address.replace("https://", "")}\``));
  assert.ok(address.includes(`@${version}/`));
  assert.ok(PAGE.replaceAll("\n", " ").includes(` ${version}, from another host`));
});

test("the page asks no other host for anything", () => {
  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith("js"))) {
    const text = readFileSync(new URL(name, FOLDER), "utf8");
    const hosts = [...text.matchAll(/https?:\/\/([^/"`]+)/g)].map(([, host]) => host);
    assert.ok(hosts.every((host) => host === "cdn.jsdelivr.net"), `${name}: ${hosts}`);
  }
});
