// What is written over the slices: crosshair, letters of orientation, scale, slice, measurements. All of it SVG.

import { AXES } from "./slices.js";

const LETTERS = [["L", "R"], ["P", "A"], ["I", "S"]];
const NAMES = ["Axial", "Coronal", "Sagittal"];
const GAP = 14;
const MARGIN = 28;
// What the text of the scale and the letter beside it take.
const BAR_ROOM = 72;
const BARS_MM = [500, 200, 100, 50, 20, 10, 5, 2, 1];

const svg = (name, attributes, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};

export function drawMarks(layer, pane, app) {
  const scale = pane.pixelRatio;
  const drawn = pane.slices.screenSlices.map((tile) => {
    const [left, top, width, height] = tile.leftTopWidthHeight.map((n) => n / scale);
    const clip = `clip-${pane.index}-${tile.axCorSag}`;
    const group = svg("g", { "clip-path": `url(#${clip})` });
    const frame = svg("clipPath", { id: clip });
    frame.append(svg("rect", { x: left, y: top, width, height }));
    group.append(frame);
    if (app.crosshair) group.append(...crosshair(pane, tile, [left, top, width, height]));
    group.append(...letters(tile, left, top, width, height), ...bar(tile, left, top, width, height));
    const write = (y, text) => svg("text", { x: left + 10, y: top + y, class: "slice" }, text);
    group.append(write(20, NAMES[tile.axCorSag]), write(36, position(pane, tile)));
    for (const measurement of app.measuring.shownIn(pane)) group.append(...figure(pane, tile, measurement));
    if (tile.axCorSag === app.plane && pane.slices.screenSlices.length > 1 && app.pane === pane) {
      group.append(svg("rect", { x: left + 0.5, y: top + 0.5, width: width - 1, height: height - 1, class: "active" }));
    }
    return group;
  });
  layer.replaceChildren(...drawn);
}

function at(pane, tile, fraction) {
  return pane.slices.project(fraction, tile).map((n) => n / pane.pixelRatio);
}

function crosshair(pane, tile, [left, top, width, height]) {
  const [x, y] = at(pane, tile, pane.crosshair);
  const line = (x1, y1, x2, y2) => svg("line", { x1, y1, x2, y2, class: "crosshair" });
  return [
    line(Math.min(left + MARGIN, x - GAP), y, x - GAP, y), line(x + GAP, y, Math.max(left + width - MARGIN, x + GAP), y),
    line(x, Math.min(top + MARGIN, y - GAP), x, y - GAP), line(x, y + GAP, x, Math.max(top + height - MARGIN, y + GAP)),
  ];
}

function letters(tile, left, top, width, height) {
  const [across, up] = AXES[tile.axCorSag];
  const [low, high] = LETTERS[across];
  const [west, east] = tile.fovMM[0] > 0 ? [low, high] : [high, low];
  const write = (x, y, text) => svg("text", { x, y, class: "letter" }, text);
  return [
    write(left + 12, top + height / 2 + 5, west), write(left + width - 12, top + height / 2 + 5, east),
    write(left + width / 2, top + 20, LETTERS[up][1]), write(left + width / 2, top + height - 10, LETTERS[up][0]),
  ];
}

function bar(tile, left, top, width, height) {
  const perMm = width / Math.abs(tile.fovMM[0]);
  const mm = BARS_MM.find((n) => n * perMm < width / 2 - BAR_ROOM) ?? BARS_MM.at(-1);
  const [x, y] = [left + 12, top + height - 14];
  const end = x + mm * perMm;
  const text = mm >= 10 ? `${mm / 10} cm` : `${mm} mm`;
  const path = `M${x},${y - 4}v4H${end}v-4`;
  return [svg("path", { d: path, class: "scale" }), svg("text", { x: end + 6, y: y + 2, class: "slice" }, text)];
}

function position(pane, tile) {
  const { geometry } = pane.scan;
  const out = AXES[tile.axCorSag][2];
  const mm = geometry.world(pane.crosshair)[out];
  const letter = LETTERS[out][mm < 0 ? 0 : 1];
  const number = geometry.nearest(pane.crosshair)[out] + 1;
  return `${letter} ${Math.abs(mm).toFixed(1)} mm  ${number}/${geometry.shape[out]}`;
}

// A measurement is drawn where its plane is shown, as long as its points lie within half a slice of it.
function figure(pane, tile, measurement) {
  if (measurement.plane !== tile.axCorSag || !measurement.points.length) return [];
  const { geometry } = pane.scan;
  const out = AXES[tile.axCorSag][2];
  const places = measurement.points.map((mm) => geometry.fromWorld(mm));
  const here = pane.crosshair[out] * geometry.shape[out];
  if (places.some((place) => Math.abs(place[out] * geometry.shape[out] - here) > 0.75)) return [];
  const points = places.map((place) => at(pane, tile, place));
  const drawn = points.map(([cx, cy]) => svg("circle", { cx, cy, r: 2.5, class: "handle" }));
  if (measurement.kind === "roi" && points.length === 2) {
    const [[cx, cy], end] = points;
    drawn.unshift(svg("circle", { cx, cy, r: Math.hypot(end[0] - cx, end[1] - cy), class: "measure" }));
  } else {
    drawn.unshift(svg("polyline", { points: points.map((p) => p.join()).join(" "), class: "measure" }));
  }
  if (measurement.text) {
    const [x, y] = points.at(measurement.kind === "angle" ? 1 : -1);
    const [left, , width] = tile.leftTopWidthHeight.map((n) => n / pane.pixelRatio);
    const leftwards = x > left + width / 2;
    const anchor = leftwards ? "end" : "start";
    drawn.push(svg("text", { x: x + (leftwards ? -8 : 8), y: y - 8, class: "value", "text-anchor": anchor }, measurement.brief));
  }
  return drawn;
}
