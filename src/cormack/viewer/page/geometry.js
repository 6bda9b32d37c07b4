// From voxels to patient millimetres (RAS+) and back. Voxels count from 0; places run from 0 to 1 along an axis.

export class Geometry {
  constructor(affine, shape, spacing) {
    Object.assign(this, { affine, shape, spacing, inverse: inverted(affine) });
  }

  voxel(fraction) {
    return fraction.map((f, axis) => f * this.shape[axis] - 0.5);
  }

  fraction(voxel) {
    return voxel.map((v, axis) => (v + 0.5) / this.shape[axis]);
  }

  world(fraction) {
    return applied(this.affine, this.voxel(fraction));
  }

  fromWorld(mm) {
    return this.fraction(applied(this.inverse, mm));
  }

  nearest(fraction) {
    return this.voxel(fraction).map((v, axis) => Math.min(this.shape[axis] - 1, Math.max(0, Math.round(v))));
  }

  contains(fraction) {
    return fraction.every((f) => f >= 0 && f <= 1);
  }

  centred(fraction) {
    return this.fraction(this.nearest(fraction));
  }
}

export const difference = (a, b) => a.map((value, axis) => value - b[axis]);
export const length = (v) => Math.hypot(...v);
export const distance = (a, b) => length(difference(a, b));

// Degrees at the middle one of three points.
export function angle([a, corner, b]) {
  const [u, v] = [difference(a, corner), difference(b, corner)];
  const cosine = u.reduce((sum, value, axis) => sum + value * v[axis], 0) / (length(u) * length(v));
  return (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI;
}

function applied(matrix, point) {
  return [0, 1, 2].map((row) => matrix[row][3] + point.reduce((sum, p, column) => sum + p * matrix[row][column], 0));
}

function inverted(m) {
  const minor = (r, c) => {
    const [r1, r2] = [0, 1, 2].filter((n) => n !== r);
    const [c1, c2] = [0, 1, 2].filter((n) => n !== c);
    return (m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]) * ((r + c) % 2 ? -1 : 1);
  };
  const determinant = [0, 1, 2].reduce((sum, c) => sum + m[0][c] * minor(0, c), 0);
  const turned = [0, 1, 2].map((r) => [0, 1, 2].map((c) => minor(c, r) / determinant));
  const shift = [0, 1, 2].map((r) => -turned[r].reduce((sum, value, c) => sum + value * m[c][3], 0));
  return turned.map((row, r) => [...row, shift[r]]);
}
