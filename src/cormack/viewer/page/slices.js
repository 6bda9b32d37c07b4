// Three planes of one scan: NiiVue lays out and draws the tiles, the shader of Cormack colours them.

import { imageOf } from "./image.js";
import { Niivue } from "./niivue.js";
import { LABELS_UNIT, PALETTE_UNIT, PALETTE_WIDTH, SCAN_UNIT, sliceShader } from "./shader.js";

export const AXIAL = 0, CORONAL = 1, SAGITTAL = 2;
// Voxel axes that run to the right, upwards and out of the screen in each plane.
export const AXES = [[0, 1, 2], [0, 2, 1], [1, 2, 0]];
const SLAB = 32;
const BORDER = 1.04;
const OPTIONS = {
  interactive: false, dragAndDropEnabled: false, crosshairWidth: 0, isRadiologicalConvention: true,
  isOrientationTextVisible: false, loadingText: "", backColor: [0, 0, 0, 1], logLevel: "error", isAntiAlias: false,
};

export class Slices extends Niivue {
  constructor() {
    super(OPTIONS);
    this.look = { low: 0, high: 80, smoothly: true, labelled: false, outlined: false };
    this.onDrawn = () => {};
    this.tileSize = [1, 1];
    this.view = [[0, 1], [0, 1], [0, 1]];
  }

  async open(canvas) {
    await this.attachToCanvas(canvas, false);
    this.setCustomSliceShader(sliceShader);
    this.scanTexture = this.labelTexture = this.paletteTexture = null;
    this.putLabels(new Uint8Array(1), [1, 1, 1], 1);
    this.putPalette(new Uint8Array(4));
  }

  async show(file, view) {
    this.view = view;
    const image = await imageOf(file);
    const size = image.hdr.dims.slice(1, 4);
    this.scanTexture = this.#volumeTexture(
      SCAN_UNIT, this.scanTexture, size, image.img, this.gl.R16I, this.gl.RED_INTEGER, this.gl.SHORT);
    this.size = size;
    if (this.volumes.length) this.volumes = [];
    this.addVolume(image);
  }

  putLabels(numbers, size, bytes) {
    const { gl } = this;
    const [inside, type] = bytes === 1 ? [gl.R8UI, gl.UNSIGNED_BYTE] : [gl.R16UI, gl.UNSIGNED_SHORT];
    this.labelTexture = this.#volumeTexture(
      LABELS_UNIT, this.labelTexture, size, numbers, inside, gl.RED_INTEGER, type);
  }

  putPalette(rgba) {
    const { gl } = this;
    const rows = Math.ceil(rgba.length / 4 / PALETTE_WIDTH);
    const whole = new Uint8Array(PALETTE_WIDTH * rows * 4);
    whole.set(rgba);
    this.paletteTexture ??= gl.createTexture();
    gl.activeTexture(gl.TEXTURE0 + PALETTE_UNIT);
    gl.bindTexture(gl.TEXTURE_2D, this.paletteTexture);
    this.#sampling(gl.TEXTURE_2D);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, PALETTE_WIDTH, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, whole);
  }

  #volumeTexture(unit, old, size, numbers, inside, format, type) {
    const { gl } = this;
    if (old) gl.deleteTexture(old);
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_3D, texture);
    this.#sampling(gl.TEXTURE_3D);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texStorage3D(gl.TEXTURE_3D, 1, inside, ...size);
    const plane = size[0] * size[1];
    for (let k = 0; k < size[2]; k += SLAB) {
      const depth = Math.min(SLAB, size[2] - k);
      const part = numbers.subarray(k * plane, (k + depth) * plane);
      gl.texSubImage3D(gl.TEXTURE_3D, 0, 0, 0, k, size[0], size[1], depth, format, type, part);
    }
    return texture;
  }

  #sampling(target) {
    const { gl } = this;
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(target, filter, gl.NEAREST);
    for (const wrap of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(target, wrap, gl.CLAMP_TO_EDGE);
  }

  // What NiiVue would do here is colour the whole volume anew; all that is needed of it is the geometry.
  refreshLayers(image, layer) {
    if (layer !== 0) return;
    const field = [1, 2, 3].map((axis) => image.dimsRAS[axis] * image.pixDimsRAS[axis]);
    const [extentsMin, extentsMax] = [image.extentsMinOrtho, image.extentsMaxOrtho];
    this.volumeObject3D = { fieldOfViewDeObliqueMM: field, extentsMin, extentsMax };
    Object.assign(this.back, { matRAS: image.matRAS, dims: image.dimsRAS, pixDims: image.pixDimsRAS });
    const { volScale, vox } = this.sliceScale(true);
    Object.assign(this, { volScale, vox });
  }

  drawScene() {
    super.drawScene();
    this.onDrawn?.();
  }

  // Tiles are filled to their edges; NiiVue would leave what does not fit the image's proportions unused.
  draw2D(rectangle, plane) {
    this.tileSize = [rectangle[2], rectangle[3]];
    this.draw2DMain(rectangle.map(Math.round), plane);
  }

  // The box that the first view shows, in NiiVue's millimetres, its axes across, up and out of the plane.
  #viewed(plane) {
    const [low, high] = [0, 1].map((end) => this.frac2mm(this.view.map((ends) => ends[end])));
    return AXES[plane].map((axis) => [low[axis], high[axis]]);
  }

  // Millimetres per pixel at which every plane that is shown fits its tile: the same in all of them.
  get scale() {
    const fits = this.customLayout.flatMap(({ sliceType }) =>
      this.tileSize.map((pixels, n) => {
        const [low, high] = this.#viewed(sliceType)[n];
        return (high - low) / pixels;
      }));
    return BORDER * Math.max(...fits);
  }

  screenFieldOfViewExtendedVox(plane) {
    const field = super.screenFieldOfViewExtendedVox(plane);
    const { scale, tileSize } = this;
    tileSize.forEach((pixels, n) => {
      const [low, high] = this.#viewed(plane)[n];
      field.mnMM[n] = (low + high - scale * pixels) / 2;
      field.mxMM[n] = (low + high + scale * pixels) / 2;
      field.fovMM[n] = scale * pixels;
    });
    return field;
  }

  draw2DMain(rectangle, plane, ...rest) {
    const { gl, look } = this;
    const shader = this.customSliceShader;
    if (shader && this.scanTexture) {
      shader.use(gl);
      const bind = (unit, target, texture, name) => {
        gl.activeTexture(gl.TEXTURE0 + unit);
        gl.bindTexture(target, texture);
        gl.uniform1i(shader.uniforms[name], unit);
      };
      bind(SCAN_UNIT, gl.TEXTURE_3D, this.scanTexture, "scan");
      bind(LABELS_UNIT, gl.TEXTURE_3D, this.labelTexture, "labels");
      bind(PALETTE_UNIT, gl.TEXTURE_2D, this.paletteTexture, "palette");
      gl.uniform2f(shader.uniforms.windowing, look.low, look.high);
      for (const flag of ["smoothly", "labelled", "outlined"]) gl.uniform1i(shader.uniforms[flag], look[flag] ? 1 : 0);
    }
    super.draw2DMain(rectangle, plane, ...rest);
  }

  // Canvas pixels of a place (0 to 1 along each voxel axis) in a tile.
  project(fraction, tile) {
    const mm = this.frac2mm(fraction);
    const [across, up] = AXES[tile.axCorSag];
    const [left, top, width, height] = tile.leftTopWidthHeight;
    return [
      left + ((mm[across] - tile.leftTopMM[0]) / tile.fovMM[0]) * width,
      top + (1 - (mm[up] - tile.leftTopMM[1]) / tile.fovMM[1]) * height,
    ];
  }

  // The place (0 to 1 along each voxel axis) that a canvas pixel of a tile shows.
  unproject([x, y], tile) {
    const [across, up] = AXES[tile.axCorSag];
    const [left, top, width, height] = tile.leftTopWidthHeight;
    const mm = this.frac2mm(this.scene.crosshairPos).slice(0, 3);
    mm[across] = tile.leftTopMM[0] + ((x - left) / width) * tile.fovMM[0];
    mm[up] = tile.leftTopMM[1] + (1 - (y - top) / height) * tile.fovMM[1];
    return Array.from(this.mm2frac(mm));
  }

  tileAt([x, y]) {
    return this.screenSlices.find(({ leftTopWidthHeight: [left, top, width, height] }) =>
      x >= left && y >= top && x < left + width && y < top + height);
  }

  zoomBy(factor, fraction) {
    const pan = this.scene.pan2Dxyzmm;
    const zoom = Math.min(40, Math.max(0.5, pan[3] * factor));
    const mm = this.frac2mm(fraction);
    for (let axis = 0; axis < 3; axis++) pan[axis] += (pan[3] - zoom) * mm[axis];
    pan[3] = zoom;
  }

  panBy(dx, dy, tile) {
    const pan = this.scene.pan2Dxyzmm;
    const [across, up] = AXES[tile.axCorSag];
    const [, , width, height] = tile.leftTopWidthHeight;
    pan[across] += (dx / width) * pan[3] * tile.fovMM[0];
    pan[up] -= (dy / height) * pan[3] * tile.fovMM[1];
  }
}
