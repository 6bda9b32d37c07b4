// The page: builds the panes, keeps what they share, and does what pointer, keys and controls ask for.

import { Controls } from "./controls.js";
import { difference } from "./geometry.js";
import { fillHelp, listenToKeys } from "./keys.js";
import { Measuring } from "./measuring.js";
import { Pane } from "./pane.js";
import { fillFacts, fillMeasurements, fillStructures, pointText } from "./panel.js";
import { listen } from "./pointer.js";
import { AXES } from "./slices.js";

const byId = (id) => document.getElementById(id);
const PLANES = ["axial", "coronal", "sagittal"];

export class App {
  constructor(scene) {
    Object.assign(this, {
      scene, panes: [], measuring: new Measuring(this), layout: "all", surface: "bone", plane: 0,
      tool: "crosshair", crosshair: true, linked: true, offset: [0, 0, 0], window: scene.windows[0],
    });
    this.panes.push(this.#pane());
    this.pane = this.panes[0];
    this.controls = new Controls(this);
    fillHelp(byId("shortcuts"));
    listenToKeys(this);
    this.setTool("crosshair");
  }

  #pane() {
    const pane = new Pane(this.panes.length, this);
    byId("panes").append(pane.element);
    listen(pane, this);
    return pane;
  }

  async open(first, second) {
    await this.load(this.pane, first);
    if (second !== null) await this.beside(second);
  }

  async load(pane, number) {
    this.measuring.forget(pane.scan);
    await pane.load(number, this.scene.scans[number].name);
    this.setOutlines(pane.scan?.masksOnly ?? false);
    this.controls.loaded();
    this.refresh();
  }

  // A second scan beside the first; null takes it away.
  async beside(number) {
    if (number === null) {
      for (const pane of this.panes.splice(1)) {
        this.measuring.forget(pane.scan);
        pane.close();
      }
      this.pane = this.panes[0];
    } else {
      if (this.panes.length < 2) this.panes.push(this.#pane());
      this.setLayout(this.layout);
      await this.load(this.panes[1], number);
      this.#align();
    }
    this.setLayout(this.layout);
    this.controls.loaded();
    this.refresh();
  }

  // The first scan decides on the window; a second one of other values gets its own.
  windowFor(pane) {
    const { facts } = pane.scan;
    const window = facts.window ? { name: "", low: facts.window[0], high: facts.window[1] } : this.scene.windows[0];
    if (pane !== this.panes[0]) return this.panes[0].scan?.facts.unit === facts.unit ? this.window : window;
    this.window = window;
    this.controls.showWindow();
    return window;
  }

  // Panel and readings follow what has changed.
  refresh() {
    fillStructures(byId("structures"), this.panes, this);
    fillMeasurements(byId("measurements"), this);
    fillFacts(byId("facts"), this.panes);
    this.panes.forEach((pane) => pane.draw());
    this.read();
  }

  read(pane = this.pane, fraction = pane.crosshair) {
    const told = pointText(pane, fraction);
    for (const field of ["value", "mm", "voxel", "structures"]) byId(`read-${field}`).textContent = told?.[field] ?? "";
  }

  hover(pane, fraction) {
    if (fraction) this.measuring.hover(pane, fraction);
    this.read(pane, fraction || pane.crosshair);
  }

  activate(pane, plane) {
    if (this.plane !== plane || this.pane !== pane) this.measuring.drop();
    Object.assign(this, { pane, plane });
    this.panes.forEach((each) => each.draw());
  }

  linkedTo(pane) {
    return this.linked ? this.panes.filter((other) => other !== pane && other.scan && pane.scan) : [];
  }

  moveTo(pane, fraction) {
    if (!pane.scan) return;
    pane.moveTo(fraction);
    const mm = pane.scan.geometry.world(pane.crosshair);
    const sign = pane.index === 0 ? 1 : -1;
    for (const other of this.linkedTo(pane)) {
      other.moveTo(other.scan.geometry.fromWorld(mm.map((n, axis) => n + sign * this.offset[axis])));
    }
    this.read(pane);
  }

  // Scans of one space are linked by their millimetres; scans that lie apart, by their middles.
  #align() {
    const [first, second] = this.panes;
    if (!first?.scan || !second?.scan) return;
    const shared = second.scan.geometry.contains(second.scan.geometry.fromWorld(first.here));
    this.offset = shared ? [0, 0, 0] : difference(second.here, first.here);
    if (this.linked) this.moveTo(first, first.crosshair);
  }

  step(count, plane = this.plane) {
    const out = AXES[plane][2];
    this.#shift({ [out]: count });
  }

  nudge(across, up) {
    const [horizontal, vertical] = AXES[this.plane];
    const tile = this.pane.slices.screenSlices.find(({ axCorSag }) => axCorSag === this.plane);
    this.#shift({ [horizontal]: tile?.fovMM[0] < 0 ? -across : across, [vertical]: up });
  }

  #shift(steps) {
    if (!this.pane.scan) return;
    const { geometry } = this.pane.scan;
    const voxel = geometry.nearest(this.pane.crosshair);
    this.moveTo(this.pane, geometry.fraction(voxel.map((v, axis) =>
      Math.min(geometry.shape[axis] - 1, Math.max(0, v + (steps[axis] ?? 0))))));
  }

  centre() {
    if (this.pane.scan) this.moveTo(this.pane, this.pane.scan.geometry.centred([0.5, 0.5, 0.5]));
  }

  nextPlane() {
    const plane = (this.plane + 1) % PLANES.length;
    this.activate(this.pane, plane);
    if (PLANES.includes(this.layout)) this.setLayout(PLANES[plane]);
  }

  setLayout(layout) {
    this.layout = layout;
    if (PLANES.includes(layout)) this.plane = PLANES.indexOf(layout);
    this.panes.forEach((pane) => pane.setLayout(layout));
    this.controls.showLayout();
  }

  #moveViews(pane, change) {
    change(pane);
    const view = pane.slices.scene.pan2Dxyzmm;
    for (const other of this.linkedTo(pane)) other.slices.scene.pan2Dxyzmm.set(view);
    [pane, ...this.linkedTo(pane)].forEach((each) => each.draw());
  }

  zoom(pane, factor, fraction) {
    this.#moveViews(pane, () => pane.slices.zoomBy(factor, fraction));
  }

  zoomCentred(factor) {
    if (this.layout === "volume") this.pane.volume?.zoomBy(factor);
    else if (this.pane.scan) this.zoom(this.pane, factor, this.pane.crosshair);
  }

  pan(pane, dx, dy, tile) {
    this.#moveViews(pane, () => pane.slices.panBy(dx, dy, tile));
  }

  panCentred(dx, dy) {
    const tile = this.pane.slices.screenSlices.find(({ axCorSag }) => axCorSag === this.plane);
    if (tile) this.pan(this.pane, dx, dy, tile);
  }

  resetView() {
    this.panes.forEach((pane) => pane.resetView());
  }

  setWindow(window) {
    this.window = window;
    const { unit } = this.pane.scan?.facts ?? {};
    this.panes.forEach((pane) => pane.scan?.facts.unit === unit && pane.setWindow(window));
    this.controls.showWindow();
  }

  // Both changes are in parts of the width.
  changeWindow(wider, lower) {
    const { low, high } = this.window;
    const width = Math.max((high - low) * (1 + wider), (high - low) * 0.2);
    const level = (low + high) / 2 - lower * (high - low);
    this.setWindow({ name: "", low: level - width / 2, high: level + width / 2 });
  }

  preset(index) {
    if (this.scene.windows[index]) this.setWindow(this.scene.windows[index]);
  }

  toggleCrosshair() {
    this.crosshair = !this.crosshair;
    this.panes.forEach((pane) => pane.draw());
  }

  toggleSmooth() {
    this.panes.forEach((pane) => pane.setLook({ smoothly: !pane.slices.look.smoothly }));
  }

  toggleOutlines() {
    this.setOutlines(!this.pane.slices.look.outlined);
  }

  setOutlines(outlined) {
    this.panes.forEach((pane) => pane.setLook({ outlined }));
    this.controls.press("outlines", outlined);
  }

  // The structure of the same name in the other scan follows.
  setStructure(structure, change) {
    for (const { scan } of this.panes) {
      for (const each of scan?.structures ?? []) if (each.name === structure.name) Object.assign(each, change);
    }
    this.panes.forEach((each) => each.scan && each.repaint());
    if ("visible" in change) this.#keepFocus(() => this.refresh());
    this.read();
  }

  #keepFocus(work) {
    const controls = () => [...byId("panel").querySelectorAll("input, button")];
    const place = controls().indexOf(document.activeElement);
    work();
    if (place >= 0) controls()[place]?.focus();
  }

  toggleStructures() {
    const all = this.panes.flatMap((pane) => pane.scan?.structures ?? []);
    const shown = all.filter((structure) => structure.visible);
    if (shown.length) this.hidden = shown;
    (shown.length ? shown : this.hidden ?? all).forEach((structure) => (structure.visible = !shown.length));
    this.panes.forEach((pane) => pane.scan && pane.repaint());
    this.refresh();
  }

  chooseSurface(surface) {
    this.surface = surface;
    for (const pane of this.panes.filter(({ volume }) => volume?.ready)) {
      pane.volume.choose(surface);
      pane.painted = null;
      pane.draw();
    }
  }

  setTool(tool) {
    this.tool = tool;
    this.measuring.drop();
    document.body.dataset.tool = tool;
    this.controls.showTool();
  }

  toggleLink() {
    this.linked = !this.linked;
    this.controls.press("link", this.linked);
    // What was brought together by hand stays together.
    const [first, second] = this.panes;
    if (this.linked && second?.scan) this.offset = difference(second.here, first.here);
  }

  togglePanel() {
    const panel = byId("panel");
    panel.hidden = !panel.hidden;
    this.controls.press("toggle-panel", !panel.hidden);
  }

  help() {
    byId("help").showModal();
  }
}
