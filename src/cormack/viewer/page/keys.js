// Keyboard: the table of shortcuts is both what is done and what the help sheet says.

const SHORTCUTS = [
  ["Slices", [
    ["PageUp", "PgUp", "next slice", (app) => app.step(1)],
    ["PageDown", "PgDn", "previous slice (Shift: ten)", (app) => app.step(-1)],
    ["shift+PageUp", null, null, (app) => app.step(10)],
    ["shift+PageDown", null, null, (app) => app.step(-10)],
    ["ArrowLeft", "← → ↑ ↓", "move the crosshair in the plane (Shift: ten voxels)", (app) => app.nudge(-1, 0)],
    ["ArrowRight", null, null, (app) => app.nudge(1, 0)],
    ["ArrowUp", null, null, (app) => app.nudge(0, 1)],
    ["ArrowDown", null, null, (app) => app.nudge(0, -1)],
    ["shift+ArrowLeft", null, null, (app) => app.nudge(-10, 0)],
    ["shift+ArrowRight", null, null, (app) => app.nudge(10, 0)],
    ["shift+ArrowUp", null, null, (app) => app.nudge(0, 10)],
    ["shift+ArrowDown", null, null, (app) => app.nudge(0, -10)],
    ["p", "P", "next plane", (app) => app.nextPlane()],
    ["Home", "Home", "crosshair to the middle", (app) => app.centre()],
  ]],
  ["View", [
    ["q", "Q", "three planes and 3-D", (app) => app.setLayout("all")],
    ["a", "A", "axial alone", (app) => app.setLayout("axial")],
    ["c", "C", "coronal alone", (app) => app.setLayout("coronal")],
    ["s", "S", "sagittal alone", (app) => app.setLayout("sagittal")],
    ["v", "V", "3-D alone", (app) => app.setLayout("volume")],
    ["+", "+ −", "zoom", (app) => app.zoomCentred(1.25)],
    ["-", null, null, (app) => app.zoomCentred(0.8)],
    ["alt+ArrowLeft", "Alt + arrows", "pan", (app) => app.panCentred(-40, 0)],
    ["alt+ArrowRight", null, null, (app) => app.panCentred(40, 0)],
    ["alt+ArrowUp", null, null, (app) => app.panCentred(0, -40)],
    ["alt+ArrowDown", null, null, (app) => app.panCentred(0, 40)],
    ["r", "R", "whole picture again", (app) => app.resetView()],
    ["x", "X", "crosshair on or off", (app) => app.toggleCrosshair()],
    ["n", "N", "smooth or square voxels", (app) => app.toggleSmooth()],
  ]],
  ["Window", [
    ["[", "[ ]", "narrower, wider", (app) => app.changeWindow(-0.1, 0)],
    ["]", null, null, (app) => app.changeWindow(0.1, 0)],
    ["{", "{ }", "lower, higher level", (app) => app.changeWindow(0, 0.1)],
    ["}", null, null, (app) => app.changeWindow(0, -0.1)],
    ["digit", "1 … 9", "presets, in the order of the list", (app, key) => app.preset(Number(key) - 1)],
  ]],
  ["Structures", [
    ["l", "L", "all on or off", (app) => app.toggleStructures()],
    ["o", "O", "outlines or areas", (app) => app.toggleOutlines()],
  ]],
  ["Measure", [
    ["d", "D", "distance", (app) => app.setTool("distance")],
    ["g", "G", "angle", (app) => app.setTool("angle")],
    ["i", "I", "ROI: mean and deviation in a circle", (app) => app.setTool("roi")],
    ["Enter", "Enter", "set a point at the crosshair", (app) => app.measuring.addCrosshair()],
    ["Backspace", "Backspace", "remove the last measurement", (app) => app.measuring.removeLast()],
    ["Escape", "Esc", "back to the crosshair", (app) => app.setTool("crosshair")],
  ]],
  ["Page", [
    ["y", "Y", "link both scans", (app) => app.toggleLink()],
    ["t", "T", "side panel", (app) => app.togglePanel()],
    ["?", "?", "this sheet", (app) => app.help()],
  ]],
];
const POINTER = [
  ["Left drag", "crosshair, or the chosen measurement"], ["Right drag", "window: across width, down level"],
  ["Middle or Shift drag", "pan"], ["Wheel", "slices"], ["Ctrl + wheel", "zoom"], ["Double click", "whole picture again"],
];
const ACTIONS = new Map(SHORTCUTS.flatMap(([, rows]) => rows.map(([key, , , action]) => [key, action])));
// Keys that a focused control needs for itself.
const OF_CONTROLS = {
  BUTTON: ["Enter"], SUMMARY: ["Enter"], INPUT: ["Arrow", "Page", "Home", "Enter", "Backspace"], SELECT: ["Arrow", "Page", "Home", "Enter", "letter"],
};

export function listenToKeys(app) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (turnsVolume(event, app) || belongsToControl(event)) return;
    const plain = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const key = /^[1-9]$/.test(plain) ? "digit" : plain;
    const name = key.length > 1 && event.shiftKey ? `shift+${key}` : event.altKey ? `alt+${key}` : key === "=" ? "+" : key;
    const action = ACTIONS.get(name);
    if (!action) return;
    event.preventDefault();
    action(app, plain);
  });
}

function belongsToControl({ target, key }) {
  const own = OF_CONTROLS[target.tagName] ?? [];
  const typed = target.tagName === "INPUT" && target.type === "number" && /^[\d.eE+-]$/.test(key);
  return typed || own.some((start) => (start === "letter" ? /^[a-z0-9]$/i.test(key) : key.startsWith(start)));
}

function turnsVolume(event, app) {
  if (!event.target.classList?.contains("volume")) return false;
  const step = { ArrowLeft: [-5, 0], ArrowRight: [5, 0], ArrowUp: [0, 5], ArrowDown: [0, -5] }[event.key];
  if (!step) return false;
  event.preventDefault();
  app.panes.find((pane) => pane.element.contains(event.target))?.volume?.turn(...step);
  return true;
}

export function fillHelp(sheet) {
  const row = (key, text) => {
    const [term, meaning] = [document.createElement("dt"), document.createElement("dd")];
    term.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    meaning.textContent = text;
    return [term, meaning];
  };
  const groups = [...SHORTCUTS.map(([title, rows]) => [title, rows.filter(([, key]) => key).map(([, key, text]) => [key, text])]),
    ["Mouse", POINTER]];
  sheet.replaceChildren(...groups.map(([title, rows]) => {
    const section = document.createElement("section");
    const list = document.createElement("dl");
    list.append(...rows.flatMap(([key, text]) => row(key, text)));
    section.append(Object.assign(document.createElement("h3"), { textContent: title }), list);
    return section;
  }));
}
