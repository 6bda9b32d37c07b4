// The place of one scan on the page: its slices, its 3-D picture, and what is written over them.

import { drawMarks } from "./marks.js";
import { Scan } from "./scan.js";
import * as server from "./server.js";
import { AXIAL, CORONAL, SAGITTAL, Slices } from "./slices.js";
import { Volume } from "./volume.js";

const HALF = 0.5;
// Fractions of the canvas: left, top, width, height. The fourth quarter is the 3-D picture's own canvas.
const ALL = [[AXIAL, 0, 0], [CORONAL, HALF, 0], [SAGITTAL, 0, HALF]].map(([sliceType, x, y]) =>
  ({ sliceType, position: [x, y, HALF - 0.001, HALF - 0.001] }));
const LAYOUTS = {
  all: ALL,
  axial: [{ sliceType: AXIAL, position: [0, 0, 1, 1] }],
  coronal: [{ sliceType: CORONAL, position: [0, 0, 1, 1] }],
  sagittal: [{ sliceType: SAGITTAL, position: [0, 0, 1, 1] }],
  volume: ALL,
};

export class Pane {
  constructor(index, app) {
    Object.assign(this, { index, app, scan: null, crosshair: [HALF, HALF, HALF], waiting: false, showsVolume: true });
    this.element = document.getElementById("pane-template").content.firstElementChild.cloneNode(true);
    this.find = (selector) => this.element.querySelector(selector);
    this.canvas = this.find(".slices");
    this.layer = this.find("svg");
    this.slices = new Slices();
    this.slices.customLayout = ALL;
    this.slices.onDrawn = () => this.scan && this.slices.initialized && drawMarks(this.layer, this, app);
    this.opened = null;
  }

  get pixelRatio() {
    return this.canvas.width / this.canvas.clientWidth || 1;
  }

  // The crosshair in patient millimetres.
  get here() {
    return this.scan.geometry.world(this.crosshair);
  }

  async load(number, name) {
    this.say(`Reading ${name} …`);
    this.scan = null;
    this.layer.replaceChildren();
    try {
      // Asked for first: opening keeps the page busy with shaders.
      const fetched = Scan.fetch(number, name);
      this.opened ??= this.slices.open(this.canvas);
      const [scan] = await Promise.all([fetched, this.opened]);
      await this.slices.show(scan.file, scan.facts.view);
      if (scan.labels.length) this.slices.putLabels(scan.labels, scan.facts.shape, scan.facts.label_bytes);
      this.scan = scan;
    } catch (error) {
      this.say(error instanceof server.Refused ? error.message : `This scan cannot be shown (${error.message}).`, true);
      return;
    }
    this.find(".name").textContent = name;
    this.find(".notes").replaceChildren(...this.scan.facts.notes.map((note) => {
      const line = document.createElement("li");
      line.textContent = note;
      return line;
    }));
    this.find("details").hidden = this.scan.facts.notes.length === 0;
    this.find("details").open = this.scan.facts.reduced;
    this.find("summary").textContent = `Notes (${this.scan.facts.notes.length})`;
    this.canvas.setAttribute("aria-label", `Slices of ${name}`);
    this.moveTo(this.scan.geometry.centred([HALF, HALF, HALF]));
    this.slices.scene.pan2Dxyzmm.set([0, 0, 0, 1]);
    this.repaint();
    this.setLayout(this.app.layout);
    this.setWindow(this.app.windowFor(this));
    this.slices.drawScene();
    this.say("");
    this.firstPaint();
    this.preview = this.showVolume(number);
  }

  // The mark is set when the graphics card has finished, which reading a pixel back waits for.
  firstPaint() {
    const { gl } = this.slices;
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    performance.mark(`shown-${this.index}`);
  }

  async showVolume(number) {
    const { scan } = this;
    const labelled = scan.structures.length > 0;
    const [file, labels] = await Promise.all([
      server.bytes(number, "preview"), labelled ? server.bytes(number, "preview-labels") : new ArrayBuffer(0),
    ]).catch(() => []);
    if (!file || this.scan !== scan) return;
    if (!this.volume) {
      this.volume = new Volume();
      await this.volume.open(this.find(".volume"));
    }
    this.painted = null;
    await this.volume.show(file, labels, scan.facts);
    this.app.chooseSurface(this.app.surface);
    this.drawVolume();
    performance.mark(`volume-${this.index}`);
  }

  setLayout(layout) {
    this.element.dataset.layout = layout;
    this.slices.customLayout = LAYOUTS[layout];
    this.showsVolume = layout === "all" || layout === "volume";
    this.draw();
  }

  setLook(look) {
    Object.assign(this.slices.look, look);
    this.draw();
  }

  setWindow(window) {
    if (this.scan) this.setLook(this.scan.toStored(window));
  }

  repaint() {
    const palette = this.scan.palette();
    this.slices.putPalette(palette);
    this.slices.look.labelled = this.scan.structures.length > 0;
    this.palette = palette;
    this.draw();
  }

  moveTo(fraction) {
    this.crosshair = fraction.map((f) => Math.min(1, Math.max(0, f)));
    this.slices.scene.crosshairPos.set(this.crosshair);
    this.draw();
  }

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      if (this.slices.initialized && this.scan) this.slices.drawScene();
      if (this.showsVolume) this.drawVolume();
    });
  }

  // The 3-D picture is the dearest: it is drawn anew only where it is seen and its colours have changed.
  drawVolume() {
    if (!this.volume?.ready || this.painted === this.palette) return;
    this.painted = this.palette;
    this.volume.paint(this.palette);
  }

  resetView() {
    this.slices.scene.pan2Dxyzmm.set([0, 0, 0, 1]);
    this.volume?.resetView();
    this.draw();
  }

  // Browsers allow few drawing contexts, and give them back late unless told.
  close() {
    for (const view of [this.slices, this.volume]) view?.gl?.getExtension("WEBGL_lose_context")?.loseContext();
    this.scan = null;
    this.element.remove();
  }

  say(text, failed = false) {
    const message = this.find(".message");
    message.textContent = text;
    message.hidden = !text;
    message.classList.toggle("failed", failed);
  }
}
