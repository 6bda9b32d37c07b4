// Volumes for NiiVue. It would look through every voxel for a range worth showing, a second for a large scan; the
// server knows that range, and whoever draws an image sets it.

import { NVImage } from "./niivue.js";

NVImage.prototype.calMinMax = function calMinMax() {
  const range = { cal_min: 0, cal_max: 1, robust_min: 0, robust_max: 1, global_min: 0, global_max: 1 };
  Object.assign(this, range);
  return [0, 1, 0, 1];
};

export const imageOf = (file, colormap = "gray") => NVImage.new(file, "volume.nii", colormap);
