// The training film of chapter 7: its sentences and its chart, worked out by hand.

import assert from "node:assert/strict";
import test from "node:test";
import {
  axisSteps, epochSentence, missingSentence, ranges, scales,
} from "../../book/unetbook/explorers/page/training.mjs";

const PETS = [{ masks: { 2: "", 3: "" } }, { masks: { 2: "", 3: "" } }];
const HISTORY = {
  loss: [0.9, 0.6, 0.5],
  val_loss: [0.8, null, 0.4],
  val_mean_iou: [0.3, null, 0.6],
};

test("the sentence names epoch and losses", () => {
  assert.equal(epochSentence(HISTORY, PETS, 3),
    "After epoch 3 of 3: training loss 0.500, validation loss 0.400, " +
    "validation mean IoU 0.600.");
});

test("missing masks are told of", () => {
  assert.match(epochSentence(HISTORY, PETS, 1), /No masks were kept of this epoch\./);
  assert.doesNotMatch(epochSentence(HISTORY, PETS, 2), /No masks/);
  assert.match(missingSentence(HISTORY, PETS), /^Masks were kept of epochs 2 and 3 only/);
  assert.equal(missingSentence({ loss: [1] }, [{ masks: { 1: "" } }]), "");
});

test("epochs are listed in words", () => {
  const listed = [[3], [1, 2], [5, 6, 7], [1, 3, 4, 8, 9, 10]].map(ranges);
  assert.deepEqual(listed,
    ["epoch 3", "epochs 1 and 2", "epochs 5 to 7", "epochs 1, 3, 4 and 8 to 10"]);
});

test("a place in the chart leads back to its epoch", () => {
  const { x, y, epoch } = scales(HISTORY);
  assert.deepEqual([1, 2, 3].map((number) => epoch(x(number))), [1, 2, 3]);
  assert.deepEqual([epoch(-50), epoch(900)], [1, 3]);
  assert.equal(y(0), 164);
  assert.ok(y(0.9) < y(0.5));
});

test("axes have few round numbers", () => {
  const steps = (...of) => axisSteps(...of).map((step) => Number(step.toFixed(9)));
  assert.deepEqual(steps(1.05, 5), [0, 0.5, 1]);
  assert.deepEqual(steps(0.34, 5), [0, 0.1, 0.2, 0.3]);
  assert.deepEqual(steps(60, 10), [0, 10, 20, 30, 40, 50, 60]);
  assert.deepEqual(steps(9, 10), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
