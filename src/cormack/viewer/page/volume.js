// The 3-D picture: a small copy of the scan, rendered by NiiVue with the structures in their colours.

import { imageOf } from "./image.js";
import { Niivue, SLICE_TYPE } from "./niivue.js";

const OPTIONS = {
  interactive: false, dragAndDropEnabled: false, show3Dcrosshair: false, isOrientationTextVisible: false,
  loadingText: "", backColor: [0, 0, 0, 1], logLevel: "error", isOrientCube: true, sliceType: SLICE_TYPE.RENDER, isAntiAlias: false,
};
// Values (HU) that become visible, from invisible to opaque, for what a person wants to see.
export const SURFACES = { skin: [-300, -100], bone: [180, 500] };

// Ivory rather than white, so that light and shade have room above it.
const IVORY = { R: [0, 196], G: [0, 186], B: [0, 170], A: [0, 255], I: [0, 255] };

export class Volume extends Niivue {
  constructor() {
    super(OPTIONS);
  }

  async open(canvas) {
    await this.attachToCanvas(canvas, false);
    this.addColormap("ivory", IVORY);
    this.resetView();
  }

  async show(file, labels, facts) {
    this.facts = facts;
    this.ready = false;
    const image = await imageOf(file, "ivory");
    this.volumes = [];
    this.addVolume(image);
    this.overlay = labels.byteLength ? await this.#labels(file, labels) : null;
    await this.setVolumeRenderIllumination(0.6);
    this.ready = true;
  }

  choose(surface) {
    const { facts } = this;
    const [low, high] = SURFACES[surface] ?? facts.window ?? facts.range;
    const image = this.volumes[0];
    image.cal_min = (low - facts.intercept) / facts.slope;
    image.cal_max = (high - facts.intercept) / facts.slope;
    image.opacity = surface === "structures" ? 0 : 1;
  }

  // Colours of the combinations of structures, as in the slices, but opaque; and what was chosen before.
  paint(palette) {
    if (!this.overlay) return void this.updateGLVolume();
    const columns = { R: [], G: [], B: [], A: [], I: [] };
    for (let index = 0; index * 4 < palette.length; index++) {
      const [red, green, blue, alpha] = palette.subarray(index * 4, index * 4 + 4);
      columns.R.push(red), columns.G.push(green), columns.B.push(blue), columns.I.push(index);
      columns.A.push(alpha > 0 ? 255 : 0);
    }
    this.overlay.setColormapLabel({ ...columns, labels: columns.I.map(String) });
    this.updateGLVolume();
  }

  resetView() {
    this.setRenderAzimuthElevation(160, 15);
    this.setScale(1.3);
  }

  turn(azimuth, elevation) {
    const { renderAzimuth, renderElevation } = this.scene;
    this.setRenderAzimuthElevation(renderAzimuth + azimuth, Math.min(90, Math.max(-90, renderElevation + elevation)));
  }

  zoomBy(factor) {
    this.setScale(Math.min(4, Math.max(0.4, this.scene.volScaleMultiplier * factor)));
  }

  // The header of the small scan fits the small labels, but for the type of the numbers.
  async #labels(file, labels) {
    const bytes = this.facts.label_bytes;
    const header = file.slice(0, 352);
    const fields = new DataView(header);
    fields.setInt16(40 + 15 * 2, bytes === 1 ? 2 : 512, true);
    fields.setInt16(40 + 16 * 2, bytes * 8, true);
    fields.setInt16(68, 1002, true);
    const whole = new Uint8Array(header.byteLength + labels.byteLength);
    whole.set(new Uint8Array(header));
    whole.set(new Uint8Array(labels), header.byteLength);
    const image = await imageOf(whole.buffer);
    this.addVolume(image);
    return image;
  }
}
