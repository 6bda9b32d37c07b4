// Fragment shader of a slice: the scan as whole numbers with the window applied here, the labels through a palette.
// Changing the window or a label's opacity is then a matter of a few numbers, not of the whole volume.

export const SCAN_UNIT = 11;
export const LABELS_UNIT = 12;
export const PALETTE_UNIT = 13;
export const PALETTE_WIDTH = 256;

export const sliceShader = `#version 300 es
precision highp int;
precision highp float;
uniform highp isampler3D scan;
uniform highp usampler3D labels;
uniform highp sampler2D palette;
uniform vec2 windowing;
uniform bool smoothly;
uniform bool labelled;
uniform bool outlined;
in vec3 texPos;
out vec4 color;

float stored(ivec3 voxel, ivec3 size) {
  return float(texelFetch(scan, clamp(voxel, ivec3(0), size - 1), 0).r);
}

float interpolated(vec3 place, ivec3 size) {
  vec3 at = place * vec3(size) - 0.5;
  ivec3 v = ivec3(floor(at));
  vec3 f = at - vec3(v);
  vec4 low = vec4(stored(v, size), stored(v + ivec3(1, 0, 0), size),
                  stored(v + ivec3(0, 1, 0), size), stored(v + ivec3(1, 1, 0), size));
  vec4 high = vec4(stored(v + ivec3(0, 0, 1), size), stored(v + ivec3(1, 0, 1), size),
                   stored(v + ivec3(0, 1, 1), size), stored(v + ivec3(1, 1, 1), size));
  vec4 plane = mix(low, high, f.z);
  vec2 row = mix(plane.xz, plane.yw, f.x);
  return mix(row.x, row.y, f.y);
}

uint labelAt(vec3 place) {
  ivec3 size = textureSize(labels, 0);
  return texelFetch(labels, clamp(ivec3(place * vec3(size)), ivec3(0), size - 1), 0).r;
}

vec4 tint(uint label) {
  return texelFetch(palette, ivec2(int(label) % ${PALETTE_WIDTH}, int(label) / ${PALETTE_WIDTH}), 0);
}

void main() {
  ivec3 size = textureSize(scan, 0);
  float value = smoothly ? interpolated(texPos, size) : stored(ivec3(texPos * vec3(size)), size);
  float grey = clamp((value - windowing.x) / (windowing.y - windowing.x), 0.0, 1.0);
  color = vec4(vec3(grey), 1.0);
  if (!labelled) return;
  vec3 right = dFdx(texPos), up = dFdy(texPos);
  uint here = labelAt(texPos);
  vec4 own = tint(here);
  bool edge = false;
  if (own.a > 0.0) {
    edge = tint(labelAt(texPos + right)) != own || tint(labelAt(texPos - right)) != own ||
           tint(labelAt(texPos + up)) != own || tint(labelAt(texPos - up)) != own;
  }
  float strength = outlined ? (edge ? 1.0 : 0.0) : (edge ? min(1.0, 3.0 * own.a) : own.a);
  color.rgb = mix(color.rgb, own.rgb, strength);
}`;
