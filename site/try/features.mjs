// The feature maps that a network makes of a picture, level by level.

const MOST_MAPS = 8; // of a level; the deepest have hundreds

/** Lowest and highest value of a map, and how much its values vary. */
function measure(map) {
  const mean = map.reduce((sum, value) => sum + value, 0) / map.length;
  const variance = map.reduce((sum, value) => sum + (value - mean) ** 2, 0) / map.length;
  return { map, low: Math.min(...map), high: Math.max(...map), variance };
}

/** The maps of a level that vary most, in their own order. */
export function chooseMaps({ data, channels, side }) {
  const maps = Array.from({ length: channels }, (_, channel) =>
    ({ channel, ...measure(data.subarray(channel * side ** 2, (channel + 1) * side ** 2)) }));
  const chosen = maps.toSorted((one, other) => other.variance - one.variance);
  return chosen.slice(0, MOST_MAPS).sort((one, other) => one.channel - other.channel);
}

/** A map as a picture: black is its lowest value, white its highest. */
function drawMap({ map, low, high, channel }, side) {
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const pixels = new ImageData(side, side);
  map.forEach((value, i) => {
    const grey = (255 * (value - low)) / (high - low || 1);
    pixels.data.set([grey, grey, grey, 255], 4 * i);
  });
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Feature map ${channel + 1}.`);
  return canvas;
}

/** Show the maps of all levels inside an element. */
export function showFeatures(root, levels) {
  root.replaceChildren(...levels.map((level, depth) => {
    const { channels, side } = level;
    const chosen = chooseMaps(level);
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    caption.textContent = `Level ${depth + 1}: ${chosen.length} of ${channels} maps, ` +
      `${side} × ${side}`;
    const row = Object.assign(document.createElement("div"), { className: "channels" });
    row.append(...chosen.map((map) => drawMap(map, side)));
    figure.append(caption, row);
    return figure;
  }));
}
