"""Two scans of one person, each brought halfway to the other, so that neither is favoured.

Resampling one scan onto the other blurs one of them only, and what is measured then differs with the choice (Reuter and
Fischl 2011, doi 10.1016/j.neuroimage.2011.02.076). Halfway, both are interpolated once, by the same turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.transforms import Affine, TransformChain
from cormack.core.volume import FloatArray, Volume
from cormack.register.engine import Engine, Kind, Metric
from cormack.register.register import RegisterOptions, Registration, register_volumes

#: The two directions of registration may differ by this much at the surface of a head (mm).
AGREEMENT_MM = 1.0
#: Half the size of a head: where the two directions are compared (mm).
HEAD_RADIUS_MM = 80.0


@dataclass(frozen=True, eq=False)
class Halfway:
    """Where two scans meet.

    Attributes
    ----------
    to_first, to_second : Affine
        Points of the space halfway to points of each scan, RAS+ mm; rigid. `to_second` after the inverse of `to_first`
        leads from the first to the second.
    registrations : tuple of two Registration
        The first as fixed volume, and the second.
    disagreement_mm : float
        Largest distance between the two directions' answers on a sphere of a head's size.
    failure : Finding or None
        Why the alignment is not to be used.
    findings : tuple of Finding
    """

    to_first: Affine
    to_second: Affine
    registrations: tuple[Registration, Registration]
    disagreement_mm: float
    failure: Finding | None
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> Affine:
        """Points of the first scan to points of the second."""
        return Affine(self.to_second.matrix @ np.linalg.inv(self.to_first.matrix))

    @property
    def turn_deg(self) -> float:
        """Angle by which the second scan is turned against the first."""
        cosine = (np.trace(self.whole.matrix[:3, :3]) - 1) / 2
        return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def register_halfway(
    first: Volume,
    second: Volume,
    *,
    metric: str = Metric.MI,
    first_mask: LabelMap | None = None,
    second_mask: LabelMap | None = None,
    options: RegisterOptions = RegisterOptions(),  # noqa: B008  (frozen)
    engine: Engine | None = None,
) -> Halfway:
    """Align two scans of one person rigidly, with no regard to which comes first.

    Both directions are registered. The mean of the two answers is taken along the shortest way between them, so that
    exchanging the scans gives the inverse, and its square root leads halfway.

    Parameters
    ----------
    first, second : Volume
        Head CT, or CT and MR.
    metric : str
        See `register`.
    first_mask, second_mask : LabelMap, optional
        What counts, each on the grid of its volume; both or none.
    options : RegisterOptions
    engine : Engine, optional

    Raises
    ------
    InputError
        If a volume or mask cannot be used.
    GeometryError
        If the scans are turned against each other by 180 degrees, so that nothing lies halfway.
    """
    masks = {"moving_mask": second_mask, "fixed_mask": first_mask}
    there = register_volumes(second, first, Kind.RIGID, metric=metric, options=options, engine=engine, **masks)
    masks = {"moving_mask": first_mask, "fixed_mask": second_mask}
    back = register_volumes(first, second, Kind.RIGID, metric=metric, options=options, engine=engine, **masks)
    out, home = _rigid(there.transform), _rigid(back.transform).inverse()
    middle = _mean(out, home)
    apart = _distance_mm(out, home, _centre(first))
    half = middle.half()
    findings = list(_both(there.findings, back.findings))
    if apart > AGREEMENT_MM:
        findings.append(
            Finding(
                "halfway-doubtful",
                f"registering the second scan to the first and the first to the second differ by up to {apart:.1f} mm "
                "at the surface of the head; look at the checkerboard",
                {"disagreement_mm": round(apart, 2)},
            )
        )
    failure = there.failure or back.failure
    return Halfway(half.inverse(), half, (there, back), apart, failure, tuple(findings))


def common_grid(
    volumes: tuple[Volume, Volume], halfway: Halfway, spacing_mm: float
) -> tuple[FloatArray, tuple[int, int, int]]:
    """An upright grid of even voxels halfway, over what both scans cover; the same whichever comes first.

    Returns
    -------
    affine : array, shape (4, 4)
    shape : (i, j, k)
    """
    boxes = [_box(volume, to) for volume, to in zip(volumes, (halfway.to_first, halfway.to_second), strict=True)]
    low = np.maximum(boxes[0][0], boxes[1][0])
    high = np.minimum(boxes[0][1], boxes[1][1])
    # Where the boxes hardly meet, one voxel remains, and warping says that nothing overlaps.
    counts = np.maximum(1, np.ceil((high - low) / spacing_mm - 1e-6)).astype(int)
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = (low + high) / 2 - (counts - 1) * spacing_mm / 2
    i, j, k = (int(n) for n in counts)
    return affine, (i, j, k)


def _box(volume: Volume, to: Affine) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest coordinates of a volume, halfway."""
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in volume.shape])).reshape(3, -1).T
    places = to.inverse().apply(volume.world(corners))
    return places.min(axis=0), places.max(axis=0)


def _rigid(chain: TransformChain) -> Affine:
    """The affine of a chain with its linear part made orthonormal to the last digit (engines work in 32 bit)."""
    matrix = np.eye(4)
    for transform in chain.transforms:
        if isinstance(transform, Affine):
            matrix = transform.matrix @ matrix
    left, _, right = np.linalg.svd(matrix[:3, :3])
    matrix[:3, :3] = left @ right
    return Affine(matrix)


def _mean(a: Affine, b: Affine) -> Affine:
    """Halfway along the shortest way from a to b: the same from both sides, and for the inverses the inverse."""
    return Affine(a.matrix @ Affine(np.asarray(np.linalg.inv(a.matrix) @ b.matrix)).half().matrix)


def _centre(volume: Volume) -> FloatArray:
    return volume.world((np.array(volume.shape) - 1) / 2)


def _distance_mm(a: Affine, b: Affine, centre: FloatArray) -> float:
    directions = np.array(np.meshgrid(*[(-1.0, 0.0, 1.0)] * 3)).reshape(3, -1).T
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    sphere = centre + HEAD_RADIUS_MM * directions / np.where(lengths > 0, lengths, 1)
    return float(np.linalg.norm(a.apply(sphere) - b.apply(sphere), axis=1).max())


def _both(*findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings of both directions, each code once."""
    return tuple({finding.code: finding for group in findings for finding in group}.values())
