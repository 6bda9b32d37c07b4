// Measurements in patient millimetres: distances, angles, and values in a circle.

import { AXES } from "./slices.js";
import { angle, distance } from "./geometry.js";

// How many points each kind of measurement takes.
export const KINDS = { distance: 2, angle: 3, roi: 2 };
const NAMES = { distance: "Distance", angle: "Angle", roi: "ROI" };
let last = 0;

export class Measurement {
  constructor(kind, plane, scan, points = [], id = ++last) {
    Object.assign(this, { kind, plane, scan, points, id });
  }

  get name() {
    return `${NAMES[this.kind]} ${this.id}`;
  }

  get complete() {
    return this.points.length === KINDS[this.kind];
  }

  // The points with the pointer's place as the next one.
  preview(mm) {
    return new Measurement(this.kind, this.plane, this.scan, [...this.points, mm].slice(0, KINDS[this.kind]), this.id);
  }

  get text() {
    if (!this.complete) return "";
    if (this.kind === "distance") return `${distance(...this.points).toFixed(1)} mm`;
    if (this.kind === "angle") return `${angle(this.points).toFixed(1)}°`;
    const { mean, deviation, area_mm2, count } = this.statistics();
    if (!count) return "outside";
    const { unit } = this.scan.facts;
    const digits = unit === "HU" ? 1 : 3;
    const suffix = unit === "HU" ? " HU" : "";
    return `${mean.toFixed(digits)} ± ${deviation.toFixed(digits)}${suffix}, ${(area_mm2 / 100).toFixed(2)} cm²`;
  }

  // What is written beside the figure; the panel has room for the rest.
  get brief() {
    return this.text.split(",")[0];
  }

  // Mean, standard deviation, extremes of the voxels of the nearest plane whose centres lie in the circle.
  statistics() {
    const { geometry } = this.scan;
    const [across, up, out] = AXES[this.plane];
    const centre = geometry.voxel(geometry.fromWorld(this.points[0]));
    const radius = distance(...this.points);
    const steps = [across, up].map((axis) => radius / geometry.spacing[axis]);
    const voxel = [];
    voxel[out] = Math.min(geometry.shape[out] - 1, Math.max(0, Math.round(centre[out])));
    const values = [];
    const [from, to] = [0, 1].map((end) => [across, up].map((axis, n) => (end
      ? Math.min(geometry.shape[axis] - 1, Math.floor(centre[axis] + steps[n]))
      : Math.max(0, Math.ceil(centre[axis] - steps[n])))));
    for (voxel[up] = from[1]; voxel[up] <= to[1]; voxel[up]++) {
      for (voxel[across] = from[0]; voxel[across] <= to[0]; voxel[across]++) {
        const du = (voxel[across] - centre[across]) * geometry.spacing[across];
        const dv = (voxel[up] - centre[up]) * geometry.spacing[up];
        if (du * du + dv * dv <= radius * radius) values.push(this.scan.value(voxel));
      }
    }
    const count = values.length;
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, count - 1));
    const extremes = { least: values.reduce((a, b) => Math.min(a, b), Infinity), most: values.reduce((a, b) => Math.max(a, b), -Infinity) };
    return { count, mean, deviation, ...extremes, area_mm2: Math.PI * radius * radius };
  }
}
