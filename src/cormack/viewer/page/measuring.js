// Making measurements: points are set by mouse or at the crosshair, finished ones are kept.

import { KINDS, Measurement } from "./measure.js";

// Farther than this (CSS pixels) from where it was pressed, letting the button go sets a point, too.
const DRAGGED = 6;

export class Measuring {
  constructor(app) {
    Object.assign(this, { app, list: [], pending: null, ghost: null });
  }

  shownIn(pane) {
    return [...this.list, ...(this.ghost ? [this.ghost] : [])].filter(({ scan }) => scan === pane.scan);
  }

  addPoint(pane, plane, fraction) {
    const { tool } = this.app;
    if (!(tool in KINDS) || !pane.scan) return;
    this.pending ??= new Measurement(tool, plane, pane.scan);
    this.pending.points.push(pane.scan.geometry.world(fraction));
    this.ghost = this.pending;
    if (this.pending.complete) {
      this.list.push(this.pending);
      this.pending = this.ghost = null;
    }
    this.app.refresh();
  }

  addCrosshair() {
    const { pane, plane } = this.app;
    this.addPoint(pane, plane, pane.crosshair);
  }

  // The measurement as it would be with the next point under the pointer.
  hover(pane, fraction) {
    if (!this.pending || this.pending.scan !== pane.scan) return;
    this.ghost = this.pending.preview(pane.scan.geometry.world(fraction));
    pane.draw();
  }

  release(pane, tile, fraction) {
    if (this.pending?.points.length !== 1) return;
    const start = pane.slices.project(pane.scan.geometry.fromWorld(this.pending.points[0]), tile);
    const end = pane.slices.project(fraction, tile);
    const moved = Math.hypot(end[0] - start[0], end[1] - start[1]);
    if (moved > DRAGGED * pane.pixelRatio) this.addPoint(pane, tile.axCorSag, fraction);
  }

  drop() {
    if (!this.pending) return;
    this.pending = this.ghost = null;
    this.app.panes.forEach((pane) => pane.draw());
  }

  remove(measurement) {
    this.list = this.list.filter((other) => other !== measurement);
    this.app.refresh();
  }

  removeLast() {
    if (this.pending) this.drop();
    else if (this.list.length) this.remove(this.list.at(-1));
  }

  forget(scan) {
    this.drop();
    this.list = this.list.filter((measurement) => measurement.scan !== scan);
  }

  show({ scan, points, plane }) {
    const pane = this.app.panes.find((each) => each.scan === scan);
    this.app.activate(pane, plane);
    this.app.moveTo(pane, scan.geometry.fromWorld(points[0]));
  }
}
