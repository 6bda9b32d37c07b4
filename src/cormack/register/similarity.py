"""How alike two images are, from the values that they have at the same places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatValues = npt.NDArray[np.floating]

#: Bins of a joint histogram along each axis, over 0 to 1.
BINS = 24
#: Fewer values than this say nothing.
LEAST_VALUES = 50


def joint_histogram(a: FloatValues, b: FloatValues, bins: int = BINS) -> npt.NDArray[np.float64]:
    """Counts of pairs of values, shape (bins, bins).

    Parameters
    ----------
    a, b : arrays of equal shape
        Values from 0 to 1; b is shared linearly among its two nearest bins, so that the counts change smoothly.
    bins : int
    """
    row = np.clip(a * bins, 0, bins - 1).astype(np.intp) * bins
    place = np.clip(b, 0, 1) * (bins - 1)
    low = np.minimum(place.astype(np.intp), bins - 2)
    share = place - low
    below = np.bincount(row + low, weights=1 - share, minlength=bins * bins)
    above = np.bincount(row + low + 1, weights=share, minlength=bins * bins)
    return np.asarray((below + above).reshape(bins, bins), dtype=np.float64)


def _entropies(counts: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Entropy of the rows, of the columns and of both together, in nats."""
    p = counts / max(counts.sum(), 1e-12)

    def entropy(q: npt.NDArray[np.float64]) -> float:
        q = q[q > 0]
        return float(-(q * np.log(q)).sum())

    return entropy(p.sum(axis=1)), entropy(p.sum(axis=0)), entropy(p.ravel())


def mutual_information(a: FloatValues, b: FloatValues) -> float:
    """H(a) + H(b) - H(a, b) in nats, 0 for independent images (doi 10.1109/42.563664)."""
    one, two, both = _entropies(joint_histogram(a, b))
    return one + two - both


def normalised_mutual_information(a: FloatValues, b: FloatValues) -> float:
    """(H(a) + H(b)) / H(a, b): 1 for independent images, 2 for equal ones (doi 10.1016/S0031-3203(98)00091-0)."""
    one, two, both = _entropies(joint_histogram(a, b))
    return (one + two) / both if both > 0 else 1.0


def negative_mean_square(a: FloatValues, b: FloatValues) -> float:
    """Minus the mean squared difference; 0 for equal images."""
    return -float(np.mean((np.asarray(a, dtype=np.float64) - b) ** 2))


def correlation(a: FloatValues, b: FloatValues) -> float:
    """Pearson's correlation coefficient; 0 where one image is constant."""
    x, y = np.asarray(a, dtype=np.float64) - np.mean(a), np.asarray(b, dtype=np.float64) - np.mean(b)
    scale = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / scale) if scale > 0 else 0.0


#: By the name of the metric; greater is more alike.
SIMILARITIES: dict[str, Callable[[FloatValues, FloatValues], float]] = {
    "mi": mutual_information,
    "nmi": normalised_mutual_information,
    "ls": negative_mean_square,
    "cc": correlation,
}
