"""How slices are cut from a sampled head and put on an even grid again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cormack.physics.synthesis.anatomy import Codes, FloatImage


@dataclass(frozen=True, eq=False)
class Slices:
    """Slices of a scan on samples along z.

    Parameters
    ----------
    positions_mm : array, shape (s,)
        Middle of every slice along the samples' axis.
    thickness_mm : float
    slope : float
        Slices lean: slice position = z + slope * y.
    """

    positions_mm: FloatImage
    thickness_mm: float
    slope: float

    def averaging(self, z: FloatImage) -> FloatImage:
        """Weights of the samples at z in every slice, shape (s, m): its thickness as a box."""
        step = float(z[1] - z[0])
        half = max(self.thickness_mm, step) / 2
        away = np.abs(self.positions_mm[:, None] - z[None, :])
        weights = np.clip(half + step / 2 - away, 0, min(step, 2 * half))
        total = weights.sum(axis=1, keepdims=True)
        return np.asarray(weights / np.maximum(total, 1e-6), dtype=np.float32)

    def onto(self, z: FloatImage, y: float) -> tuple[FloatImage, FloatImage]:
        """Weights of the slices at heights z for a row at y, shape (k, s), and 1 where slices reach, shape (k,)."""
        wanted = z + self.slope * y
        first, last, count = self.positions_mm[0], self.positions_mm[-1], len(self.positions_mm)
        gap = (last - first) / max(count - 1, 1)
        place = np.clip((wanted - first) / max(gap, 1e-3), 0, count - 1)
        weights = np.clip(1 - np.abs(place[:, None] - np.arange(count)[None, :]), 0, None)
        reach = (wanted >= first - gap / 2) & (wanted <= last + gap / 2)
        return weights.astype(np.float32), reach.astype(np.float32)


def resliced(
    image: FloatImage, share: FloatImage, slices: Slices, y: FloatImage, z: FloatImage, outside: float
) -> tuple[FloatImage, FloatImage]:
    """Slices, shape (i, j, s), on the heights z, shape (i, j, k); `outside` and 0 where none reach."""
    ni, nj, _ = image.shape
    out_image = np.empty((ni, nj, len(z)), dtype=np.float32)
    out_share = np.empty_like(out_image)
    if slices.slope == 0:
        weights, reach = slices.onto(z, 0.0)
        both = ((image, out_image, outside), (share, out_share, 0.0))
        for stack, result, empty in both:
            np.matmul(stack, weights.T * reach, out=result)
            result += (1 - reach) * np.float32(empty)
        return out_image, out_share
    for j in range(nj):
        weights, reach = slices.onto(z, float(y[j]))
        matrix = weights.T * reach
        out_image[:, j] = image[:, j] @ matrix + (1 - reach) * np.float32(outside)
        out_share[:, j] = share[:, j] @ matrix
    return out_image, out_share


def resliced_labels(labels: Codes, samples: FloatImage, slices: Slices, y: FloatImage, z: FloatImage) -> Codes:
    """Labels at samples along z, shape (i, j, m), on the heights z by the nearest sample; 0 where no slice reaches."""
    result = np.zeros((*labels.shape[:2], len(z)), dtype=np.uint8)
    step = float(samples[1] - samples[0])
    for j in range(labels.shape[1]):
        height = z + slices.slope * float(y[j])
        place = np.clip(np.rint((height - samples[0]) / step), 0, len(samples) - 1).astype(np.intp)
        reach = slices.onto(z, float(y[j]))[1]
        result[:, j] = labels[:, j, place] * reach.astype(np.uint8)
    return result
