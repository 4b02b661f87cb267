// The network explorer of chapter 6: what it says of the network that the chapter shows.
// tests/explorers/test_network.py compares the chapter's stored output with Keras.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { blockSentence, findNet } from "../../book/unetbook/explorers/page/network.mjs";

/** What the explorer in the chapter's stored output starts with. */
function storedSettings() {
  const file = new URL("../../book/06_unet.ipynb", import.meta.url);
  const outputs = JSON.parse(readFileSync(file, "utf8")).cells
    .flatMap((cell) => cell.outputs ?? [])
    .map((output) => [output.data?.["text/html"] ?? ""].flat().join(""));
  const stored = outputs.find((text) => text.includes('data-explorer="network"'));
  const escaped = stored.match(/data-settings="([^"]*)"/)[1];
  return JSON.parse(escaped.replaceAll("&quot;", '"').replaceAll("&amp;", "&"));
}

const { blocks, size, cuts } = storedSettings();

test("sentences name what Keras counts", () => {
  const sentences = blocks.map((block) => blockSentence(block, size));
  assert.equal(sentences[1], "Encoder 2: 64 × 64 units in 16 channels, 3,584 parameters. " +
    "The middle unit sees 14 × 14 pixels.");
  assert.match(sentences[4], /^Bottleneck: 8 × 8 units in 128 channels, 222,208 /);
  assert.match(sentences[4], /sees 140 × 140 pixels: part of it padding\.$/);
  assert.match(sentences[8], /pixels: the whole picture and padding\.$/);
});

test("every cut has its net", () => {
  const found = [[], [0], [3, 1, 0, 2], [0, 3]].map((cut) => findNet(cuts.nets, cut));
  assert.deepEqual(found, [0, 1, cuts.nets.length - 1, -1]);
});
