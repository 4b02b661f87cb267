// The score explorer of chapter 8: its sentence. tests/explorers/test_scores.py
// compares its counts and scores with the package's.

import assert from "node:assert/strict";
import test from "node:test";
import { score, stateSentence } from "../../book/unetbook/explorers/page/scores.mjs";

test("the sentence names picture, scoring, rule and scores", () => {
  const scores = score([[3, 1, 0], [0, 4, 0], [0, 0, 0]], "class");
  const [byThreshold, likeliest] = [50, null].map((percent) =>
    stateSentence({ title: "worst", policy: "merged", percent }, scores));
  assert.equal(byThreshold, "Worst, border merged, pet from 50 % on: mean IoU 0.775, " +
    "IoU of the pet 0.750, accuracy 0.875.");
  assert.match(likeliest, /the most probable class: mean IoU 0\.775/);
});
