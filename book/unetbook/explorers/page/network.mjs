// The network explorer of chapter 6. No dependencies, no network.
//
// `unetbook.widgets.explore_network` puts it into the output of a cell and hands over,
// as settings, everything it shows: blocks with their counts and feature maps, skips,
// and the stored masks of nets with skips cut. First comes the wording, which a test
// reads through Node; then the drawing, the blocks' maps, and the cut skips.

import {
  button, chooser, element, listed, panel, plural, slider, start,
} from "./shared.mjs";

// ---------------------------------------------------------------------- wording

const whole = (value) => value.toLocaleString("en-US");
const times = (...sides) => sides.map(whole).join(" × ");
const title = (text) => text[0].toUpperCase() + text.slice(1);
const score = (value) => value.toFixed(3);

/** The shape of a block's feature maps: rows, columns, channels. */
export const shapeText = (block) => times(...block.shape);

/** What the middle unit of a block sees. */
export function fieldText({ field, seen }, [rows, columns]) {
  const [top, left, bottom, right] = seen;
  const all = bottom - top === rows && right - left === columns;
  const within = bottom - top === field && right - left === field;
  if (within && !all) return `${times(field, field)} pixels`;
  const around = all ? "the whole picture and padding" : "part of it padding";
  return `${times(field, field)} pixels: ${around}`;
}

/** What is announced when a block is chosen. */
export function blockSentence(block, size) {
  const [rows, columns, channels] = block.shape;
  return `${title(block.name)}: ${times(rows, columns)} units in ${plural(channels, "channel")}, ` +
    `${whole(block.parameters)} parameters. The middle unit sees ${fieldText(block, size)}.`;
}

/** The position of the net that lacks these skips, or -1. */
export const findNet = (nets, cut) =>
  nets.findIndex((net) => net.cut.join() === [...cut].sort().join());

/** `without skip 2`, `without skips 1 and 2`, `without any skip`. */
export function withoutText(nets, cut) {
  if (cut.length === Math.max(...nets.map((net) => net.cut.length))) return "without any skip";
  return `without skip${cut.length === 1 ? "" : "s"} ${listed(cut.map((level) => level + 1), "and")}`;
}

/** What is announced when a skip is cut. */
export function cutSentence({ nets, testPictures }, pet, net) {
  if (net === 0) return "All skips are there.";
  const [before, after] = [pet.nets[0].meanIou, pet.nets[net].meanIou];
  const { lost, won } = pet.nets[net];
  return `${title(withoutText(nets, nets[net].cut))}: mean IoU ${score(after)} on this pet, ` +
    `${score(before)} with all skips; ${plural(lost, "pixel")} lost, ${won} won. ` +
    `On all ${testPictures} test pets ${score(nets[net].meanIou)}, ` +
    `${score(nets[0].meanIou)} with all skips.`;
}

/** How far the scores can be trusted. */
export function cautionText({ nets, testPictures, epochs, spread }) {
  const count = ["One", "Two", "Three", "Four", "Five", "Six"][nets.length - 1] ?? nets.length;
  return `${count} nets of the quick tier, each trained once for ${epochs} epochs on drawn pets ` +
    `with the same seed, and scored on ${testPictures} test pets they had not seen. Three seeds ` +
    `of the net with all skips lie between ${score(spread[0])} and ${score(spread[1])}: a ` +
    "smaller difference than that says nothing.";
}

/** The rows of the table: name, score with all skips, score without some. */
export function scoreRows(cuts, pet, net) {
  const [before, after] = [cuts.nets[0], cuts.nets[net]];
  const iou = cuts.classNames.map((name, i) =>
    [`… IoU of ${name}`, score(before.iou[i]), score(after.iou[i])]);
  return [
    ["this pet, mean IoU", score(pet.nets[0].meanIou), score(pet.nets[net].meanIou)],
    [`${cuts.testPictures} test pets, mean IoU`, score(before.meanIou), score(after.meanIou)],
    ...iou,
    ["parameters", whole(before.parameters), whole(after.parameters)],
  ];
}

// ------------------------------------------------------------ parts of the display

/** A picture whose pixels stay squares; the theme leaves it as it is in the dark. */
const picture = (alt) =>
  element("img", { alt, class: "pixels dark-light", draggable: "false" });

/** A picture with a caption below. */
function figure(name, alt) {
  const [shown, caption] = [picture(alt), element("div", { class: "caption" })];
  const frame = element("div", { class: "frame" }, shown);
  return { root: element("div", { class: name }, frame, caption), frame, shown, caption };
}

/** Put a frame over a part of a picture, given in shares of its sides. */
function place(mark, top, left, bottom, right) {
  const percent = (share) => `${100 * share}%`;
  Object.assign(mark.style, { top: percent(top), left: percent(left),
    height: percent(bottom - top), width: percent(right - left) });
}

// ------------------------------------------------------------------- the explorer

const HINT = "Choose a block to see its feature maps. Cut a skip, or all, to see what the mask loses.";

class Explorer {
  constructor(root, settings) {
    Object.assign(this, { root, ...settings, block: 0, channel: 0, cut: [], pet: 0 });
    this.everySkip = this.skips.map((_, level) => level);
    this.arrows = []; // of the skips
    this.cutters = []; // their buttons; none where no net is stored without that skip
    this.status = element("p", { class: "status", role: "status" }, HINT);
    root.replaceChildren(element("div", { class: "stage" },
      element("div", { class: "left" }, this.makeDrawing(), this.status), this.makeBlock()));
    if (this.cuts) root.append(this.makeCuts());
    this.showBlock();
    if (this.cuts) this.showCuts();
  }

  // The drawing: the encoder down the left, the decoder up the right, skips across.

  makeDrawing() {
    const down = this.blocks.findIndex((block) => block.part === "bottleneck");
    this.buttons = this.blocks.map((block, i) => this.makeBlockButton(block, i));
    const arrow = (sign, name) => element("div", { class: `arrow ${name}`, "aria-hidden": "true" }, sign);
    const rows = [];
    for (let level = 0; level < down; level++) {
      const up = 2 * down - level;
      rows.push(arrow("↓", "down"), arrow("↑", "up"));
      rows.push(this.buttons[level], this.makeSkip(level, up), this.buttons[up]);
    }
    const all = this.makeAll();
    this.drawing = element("div", { class: "drawing", role: "group", "aria-label":
      `U-Net with ${whole(this.parameters)} parameters, ${down + 1} levels` },
      this.makeInput(), all, this.buttons.at(-1), ...rows,
      arrow("↘", "down"), this.buttons[down], arrow("↗", "up"));
    return this.drawing;
  }

  makeInput() {
    const shown = picture("");
    shown.src = this.image;
    return element("div", { class: "input" }, shown, this.words("picture", times(...this.size, 3)));
  }

  makeBlockButton(block, i) {
    const box = element("span", { class: `box ${block.part}`, "aria-hidden": "true" });
    Object.assign(box.style, { width: `${block.width * 0.55}px`, height: `${block.height * 0.4}px` });
    const made = button("", () => this.choose(i), { class: "block" });
    made.append(box, this.words(block.name, shapeText(block)));
    return made;
  }

  words(name, shape) {
    return element("span", { class: "words" }, element("b", {}, name),
      element("span", {}, ` ${shape}`));
  }

  /** The arrow of a skip, with the button that cuts it where a cut net is stored. */
  makeSkip(encoder, decoder) {
    const level = this.skips.findIndex(([from, to]) => from === encoder && to === decoder);
    if (level < 0) return element("div", {});
    const name = `skip ${level + 1}`;
    const stored = this.cuts && findNet(this.cuts.nets, [level]) >= 0;
    if (stored) this.cutters[level] = button(`Cut ${name}`, () => this.toggle([level]));
    this.arrows[level] = element("div", { class: "skip" },
      stored ? this.cutters[level] : element("span", {}, name));
    return this.arrows[level];
  }

  makeAll() {
    if (!this.cuts) return element("div", {});
    const all = this.everySkip;
    this.cutAll = button("Cut all skips", () => this.toggle(all), { class: "all" });
    return this.cutAll;
  }

  // What a block holds.

  makeBlock() {
    this.seen = figure("seen", "the picture, with a frame around what the middle unit sees");
    this.field = element("div", { class: "field" });
    this.seen.shown.src = this.image;
    this.seen.frame.append(this.field);
    this.large = figure("large", "");
    this.unit = element("div", { class: "unit" });
    this.large.frame.append(this.unit);
    this.facts = element("dl", { class: "facts" });
    this.position = slider("channel", [1, 2], (value) => this.chooseChannel(value - 1));
    this.tiles = element("div", { class: "tiles" });
    this.tiles.addEventListener("click", (event) => {
      const tile = [...this.tiles.children].indexOf(event.target.closest("img"));
      if (tile >= 0) this.chooseChannel(tile);
    });
    this.mapNote = element("p", { class: "note" });
    const made = panel("", "block", this.facts,
      element("div", { class: "pair" }, this.seen.root, this.large.root),
      this.position.root, this.tiles, this.mapNote);
    this.blockTitle = made.heading;
    return made.root;
  }

  showBlock() {
    const block = this.blocks[this.block];
    this.blockTitle.textContent = title(block.name);
    const facts = { "feature maps": shapeText(block), parameters: whole(block.parameters),
      "multiply-adds": whole(block.work), "the middle unit sees": fieldText(block, this.size) };
    this.facts.replaceChildren(...Object.entries(facts).map(([name, text]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, text))));
    this.buttons.forEach((made, i) => made.setAttribute("aria-pressed", i === this.block));
    const [top, left, bottom, right] = block.seen;
    const [rows, columns] = this.size;
    place(this.field, top / rows, left / columns, bottom / rows, right / columns);
    this.seen.caption.textContent = "What the middle unit sees";
    this.tiles.replaceChildren(...block.maps.map((source) => {
      const tile = picture("");
      tile.src = source;
      return tile;
    }));
    this.tiles.style.setProperty("--columns", block.maps.length > 16 ? 8 : 4);
    this.position.input.max = block.maps.length;
    this.showChannel();
  }

  /** The name of a channel: a class at the output, else its number. */
  mapName(channel) {
    const { classes } = this.blocks[this.block];
    return classes ? `probability of ${classes[channel]}` : `channel ${channel + 1}`;
  }

  showChannel() {
    const { maps, shape, classes } = this.blocks[this.block];
    const [rows, columns, channels] = shape;
    const name = this.mapName(this.channel);
    this.large.shown.src = maps[this.channel];
    this.large.shown.alt = `feature map, ${name}`;
    this.large.caption.textContent = title(name);
    const [row, column] = [Math.floor(rows / 2), Math.floor(columns / 2)];
    place(this.unit, row / rows, column / columns, (row + 1) / rows, (column + 1) / columns);
    [...this.tiles.children].forEach((tile, i) =>
      tile.classList.toggle("chosen", i === this.channel));
    this.position.show(this.channel + 1);
    this.position.input.setAttribute("aria-valuetext", `${name}, of ${channels}`);
    const part = maps.length < channels ? `The first ${maps.length} of ${channels} channels. ` : "";
    this.mapNote.textContent = part + (classes ? "Black is 0 and white is 1."
      : "Each channel on its own scale, from black, its lowest value, to white.");
  }

  choose(block) {
    Object.assign(this, { block, channel: 0 });
    this.showBlock();
    this.status.textContent = blockSentence(this.blocks[block], this.size);
  }

  chooseChannel(channel) {
    this.channel = channel;
    this.showChannel();
  }

  // What cutting a skip does.

  makeCuts() {
    const { pets } = this.cuts;
    this.petChooser = chooser("pet", Object.fromEntries(pets.map((pet, i) => [i, pet.name])),
      (pet) => this.takePet(Number(pet)));
    this.views = {
      image: figure("view", "a drawn pet"), mask: figure("view", "its true mask"),
      before: figure("view", "mask of the net with all skips"),
      after: figure("view", "mask of the net without"),
      changes: figure("view", "pixels lost and won by the cut"),
    };
    this.table = element("table", { class: "scores" });
    this.legend = element("p", { class: "legend" },
      ...this.cuts.changeNames.map((name, i) => element("span", {}, this.swatch(i), name)));
    const row = element("div", { class: "views" }, ...Object.values(this.views).map((v) => v.root));
    const made = panel("", "cuts", this.petChooser.root, row, this.legend, this.table,
      element("p", { class: "note" }, cautionText(this.cuts)));
    this.cutTitle = made.heading;
    return made.root;
  }

  swatch(change) {
    const made = element("span", { class: "swatch", "aria-hidden": "true" });
    made.style.background = this.cuts.changeColours[change];
    return made;
  }

  toggle(cut) {
    this.cut = this.cut.join() === cut.join() ? [] : cut;
    this.showCuts();
    this.say();
  }

  takePet(pet) {
    this.pet = pet;
    this.showCuts();
    this.say();
  }

  say() {
    const { cuts, cut, pet } = this;
    this.status.textContent = cutSentence(cuts, cuts.pets[pet], findNet(cuts.nets, cut));
  }

  showCuts() {
    const { cuts, cut } = this;
    const net = findNet(cuts.nets, cut);
    const pet = cuts.pets[this.pet];
    this.petChooser.show(this.pet);
    this.cutters.forEach((made, level) =>
      made.setAttribute("aria-pressed", cut.includes(level)));
    this.arrows.forEach((made, level) => made.classList.toggle("cut", cut.includes(level)));
    this.cutAll.setAttribute("aria-pressed", cut.join() === this.everySkip.join());
    this.cutTitle.textContent = net ? title(withoutText(cuts.nets, cut)) : "With all skips";
    this.legend.hidden = this.table.hidden = net === 0;
    this.showViews(pet, net);
    if (net) this.showTable(pet, net);
  }

  showViews(pet, net) {
    const { image, mask, before, after, changes } = this.views;
    const fill = (view, source, text) => {
      if (source) view.shown.src = source;
      view.caption.textContent = text;
    };
    const { lost, won } = pet.nets[net];
    fill(image, pet.image, "Picture");
    fill(mask, pet.mask, "Truth");
    fill(before, pet.nets[0].mask, `All skips: mean IoU ${score(pet.nets[0].meanIou)}`);
    fill(after, pet.nets[net].mask,
      `${title(withoutText(this.cuts.nets, this.cut))}: ${score(pet.nets[net].meanIou)}`);
    fill(changes, pet.nets[net].changes, `${plural(lost, "pixel")} lost, ${won} won`);
    after.root.hidden = changes.root.hidden = net === 0;
  }

  showTable(pet, net) {
    const head = ["all skips", withoutText(this.cuts.nets, this.cut)];
    const cell = (name, text) => element(name, name === "th" ? { scope: "col" } : {}, text);
    const rows = scoreRows(this.cuts, pet, net).map(([name, ...scores]) => element("tr", {},
      element("th", { scope: "row" }, name), ...scores.map((text) => cell("td", text))));
    this.table.replaceChildren(
      element("thead", {}, element("tr", {}, cell("td", ""), ...head.map((text) => cell("th", text)))),
      element("tbody", {}, ...rows));
  }
}

start("network", (root, settings) => new Explorer(root, settings));
