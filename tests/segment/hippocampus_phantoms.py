"""Made crops and heads with hippocampi of known size, and a network that knows their grey values."""

import numpy as np
from scipy import ndimage

from cormack.core.volume import Unit, Volume
from cormack.nn.store import Network
from cormack.nn.task import task_from_table

#: Grey values: brain, fluid and marks beside a hippocampus, away from the middle of the head; the two parts.
BRAIN, BRIGHT, ANTERIOR, POSTERIOR = 50.0, 110.0, 80.0, 20.0
#: Semi-axes of a hippocampus, which is parted at its middle (mm).
SEMI_AXES = (7.0, 18.0, 7.0)
#: Volume of one part (mm³).
PART_MM3 = 2 / 3 * np.pi * np.prod(SEMI_AXES)


class KnowsGreyValues:
    """Answers by grey value; unsure where the mark lies on the other side than that of a left hippocampus."""

    name, channels = "a fake", 1

    def rest(self):
        """Nothing is held."""

    def run(self, batch):
        answer = np.zeros((len(batch), 3, *batch.shape[2:]), dtype=np.float32)
        for image, logits in zip(batch[:, 0], answer, strict=True):
            smooth = ndimage.median_filter(image, 3)
            grey = (smooth + 1) / 2 * BRIGHT
            known = ~ndimage.binary_dilation(grey < 2, iterations=3)
            for channel, value in ((1, ANTERIOR), (2, POSTERIOR)):
                logits[channel] = np.where((np.abs(grey - value) < 15) & known, 6.0, -6.0)
            parts, marks = np.argwhere(logits[1:].max(axis=0) > 0), np.argwhere(grey > BRIGHT - 5)
            if len(marks) and len(parts) and marks[:, 0].mean() > parts[:, 0].mean():
                logits *= 0.1
        return answer


def fake_network() -> Network:
    labels = [{"value": n, "name": name, "abbreviation": name, "color": "#ffffff"} for n, name in ((1, "a"), (2, "p"))]
    grid = {
        "channels": [{"kind": "window", "low": 0.0, "high": BRIGHT}],
        "spacing_mm": [1.0, 1.0, 1.0],
        "multiple_of": 8,
        "pad_value": -1.0,
    }
    task = task_from_table({"name": "fake", "modality": "MR", "input": grid, "output": {"labels": labels}})
    return Network(task, KnowsGreyValues())


def crop(*, right=False, spacing=(1.0, 1.0, 1.0), codes_flipped=False) -> Volume:
    """A crop of 36 x 52 x 36 mm around one hippocampus."""
    shape = tuple(round(mm / h) for mm, h in zip((36, 52, 36), spacing, strict=True))
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) / 2 * spacing
    if codes_flipped:
        affine[:3, 3] *= (-1, -1, 1)
        affine[:3, :2] *= -1
    points = _points(affine, shape)
    data = np.full(shape, BRAIN, dtype=np.float32)
    paint(data, points, (0, 0, 0), right=right)
    return Volume(data, affine, Unit.ARBITRARY, outside=0.0)


def head(shift=(0.0, 0.0, 0.0), sides=("left", "right")) -> Volume:
    """A head of 140 x 180 x 150 mm in voxels of 1.5 mm, both hippocampi 26 mm beside its middle."""
    shape, affine = (108, 132, 116), np.diag([1.5, 1.5, 1.5, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) / 2 * 1.5 + shift
    points = _points(affine, shape) - np.reshape(shift, (3, 1, 1, 1))
    data = np.zeros(shape, dtype=np.float32)
    data[_inside(points, (0, 0, 0), (70, 90, 75))] = BRAIN
    for side in sides:
        paint(data, points, (26 if side == "right" else -26, -5, -20), right=side == "right")
    return Volume(data, affine, Unit.ARBITRARY, outside=0.0)


def paint(data, points, middle, *, right):
    middle = np.asarray(middle, dtype=float)
    ahead = points[1] >= middle[1]
    inside = _inside(points, middle, SEMI_AXES)
    data[inside & ahead] = ANTERIOR
    data[inside & ~ahead] = POSTERIOR
    beside = np.array([12 if right else -12, 0, 0])
    data[_inside(points, middle + beside, (3, 8, 4))] = BRIGHT


def _points(affine, shape):
    ijk = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"))
    return np.tensordot(affine[:3, :3], ijk, axes=1) + affine[:3, 3].reshape(3, 1, 1, 1)


def _inside(points, middle, semi_axes):
    return sum(((p - m) / a) ** 2 for p, m, a in zip(points, middle, semi_axes, strict=True)) < 1
