// One scan as the page holds it: its voxels, where they lie, what it shows, which structures are visible.

import { Geometry } from "./geometry.js";
import * as server from "./server.js";

const HEADER_BYTES = 352;
const FILL = 0.25;

export class Scan {
  static async fetch(number, name) {
    const facts = await server.facts(number);
    const labelled = facts.structures.length > 0;
    const [file, labels] = await Promise.all([
      server.bytes(number, "voxels"),
      labelled ? server.bytes(number, "labels") : new ArrayBuffer(0),
    ]);
    return new Scan(number, name, facts, file, labels);
  }

  constructor(number, name, facts, file, labels) {
    Object.assign(this, { number, name, facts, file });
    this.geometry = new Geometry(facts.affine, facts.shape, facts.spacing_mm);
    this.stored = new Int16Array(file, HEADER_BYTES);
    this.labels = facts.label_bytes === 1 ? new Uint8Array(labels) : new Uint16Array(labels);
    this.structures = facts.structures.map((structure, position) => ({
      ...structure, opacity: FILL, visible: !this.#contains(position),
    }));
  }

  // A mask that holds another structure whole, as the head does the brain, would hide what is in it.
  #contains(position) {
    const { members, structures } = this.facts;
    return structures.some((_, other) => other !== position &&
      members.some((combination) => combination.includes(other)) &&
      members.every((combination) => !combination.includes(other) || combination.includes(position)) &&
      members.some((combination) => combination.includes(position) && !combination.includes(other)));
  }

  // A mask is drawn by its outline: nothing then hides what it was made from.
  get masksOnly() {
    const files = this.structures.filter(({ visible }) => visible).map(({ source }) => source);
    return new Set(files).size === files.length;
  }

  offset([i, j, k]) {
    const [width, height] = this.facts.shape;
    return i + width * (j + height * k);
  }

  value(voxel) {
    return this.stored[this.offset(voxel)] * this.facts.slope + this.facts.intercept;
  }

  structuresAt(voxel) {
    const combination = this.labels.length ? this.labels[this.offset(voxel)] : 0;
    return this.facts.members[combination].map((position) => this.structures[position]);
  }

  // The colour of each combination of structures, later ones on top (RGBA, not premultiplied).
  palette() {
    const rgba = new Uint8Array(this.facts.members.length * 4);
    this.facts.members.forEach((combination, index) => {
      let [color, alpha] = [[0, 0, 0], 0];
      for (const { visible, opacity, color: own } of combination.map((position) => this.structures[position])) {
        if (!visible || opacity === 0) continue;
        const whole = opacity + alpha * (1 - opacity);
        color = color.map((c, n) => (own[n] * opacity + c * alpha * (1 - opacity)) / whole);
        alpha = whole;
      }
      rgba.set([...color.map(Math.round), Math.round(alpha * 255)], index * 4);
    });
    return rgba;
  }

  toStored({ low, high }) {
    const { slope, intercept } = this.facts;
    return { low: (low - intercept) / slope, high: (high - intercept) / slope };
  }
}
