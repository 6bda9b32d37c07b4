"""How far a transform is to be trusted: evidence in numbers, and the reasons to call a registration failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from cormack.core.errors import GeometryError
from cormack.core.findings import Finding
from cormack.core.transforms import Affine, Transform, TransformChain
from cormack.core.volume import AnyArray, FloatArray, Volume
from cormack.imaging.warp import warp
from cormack.register.conditioning import Conditioned
from cormack.register.similarity import SIMILARITIES

#: Foregrounds that agree less than this (Sørensen-Dice, where both were imaged) do not lie on each other.
LEAST_OVERLAP = 0.5
#: More than this share of the foreground with a Jacobian of 0 or less: the transform folds.
MOST_FOLDED = 1e-3
#: Heads differ in volume by less than this factor; an affine beyond it has run away.
MOST_SCALING = 3.0
#: Similarity may end lower than it began by this share of it (nats of mutual information), not by more.
TOLERATED_LOSS = 0.1
#: Points at which the way out and back is measured.
CONSISTENCY_POINTS = 20_000


@dataclass(frozen=True)
class Evidence:
    """Numbers by which a registration is judged.

    Attributes
    ----------
    metric : str
        Name of the similarity: mi (nats), nmi, ls (minus the mean squared difference of values from 0 to 1), cc
        (correlation coefficient).
    similarity_before, similarity_start, similarity_after : float or None
        As the headers place the volumes, where the search for a start ended, and at the end; where both
        volumes have values, background included. None where they do not overlap.
    overlap : float
        Sørensen-Dice coefficient of the two foregrounds after registration, where both were imaged.
    covered : float
        Share of the fixed foreground that the moving volume covers.
    jacobian_min, jacobian_max : float
        Of the transform's determinant within the fixed foreground.
    folded_share : float
        Share of the fixed foreground with a determinant of 0 or less.
    inverse_consistency_mm, inverse_consistency_max_mm : float or None
        How far points end from where they began, out and back: mean and largest; None where there is no inverse.
    """

    metric: str
    similarity_before: float | None
    similarity_start: float | None
    similarity_after: float | None
    overlap: float
    covered: float
    jacobian_min: float
    jacobian_max: float
    folded_share: float
    inverse_consistency_mm: float | None
    inverse_consistency_max_mm: float | None

    def as_dict(self) -> dict[str, object]:
        """The numbers by name."""
        return asdict(self)


def gather(
    moving: Conditioned, fixed: Conditioned, start: Affine, transform: TransformChain, *, metric: str
) -> Evidence:
    """Judge a transform from points of the fixed space to points of the moving one."""
    after, covered, overlap = _compare(moving, fixed, transform, metric)
    determinant = transform.jacobian(fixed.volume.affine, fixed.volume.shape)[fixed.foreground]
    consistency = _inverse_consistency_mm(transform, fixed)
    return Evidence(
        metric=metric,
        similarity_before=_compare(moving, fixed, Affine.identity(), metric)[0],
        similarity_start=_compare(moving, fixed, start, metric)[0],
        similarity_after=after,
        overlap=overlap,
        covered=covered,
        jacobian_min=float(determinant.min()),
        jacobian_max=float(determinant.max()),
        folded_share=float(np.mean(determinant <= 0)),
        inverse_consistency_mm=None if consistency is None else float(consistency.mean()),
        inverse_consistency_max_mm=None if consistency is None else float(consistency.max()),
    )


def _compare(
    moving: Conditioned, fixed: Conditioned, transform: Transform, metric: str
) -> tuple[float | None, float, float]:
    """Similarity, share of the fixed foreground that is covered, and overlap of the foregrounds."""
    ones = np.ones(moving.volume.shape, dtype=np.float32)
    try:
        imaged = _onto(moving.volume.with_data(ones), transform, fixed.volume) > 0.99
    except GeometryError:
        return None, 0.0, 0.0
    values = _onto(moving.volume, transform, fixed.volume)
    front = _onto(moving.volume.with_data(moving.foreground.astype(np.float32)), transform, fixed.volume) >= 0.5
    inside = imaged if fixed.counted is None else imaged & fixed.counted
    covered = float(np.mean(imaged[fixed.foreground]))
    total = int(np.count_nonzero(front & imaged) + np.count_nonzero(fixed.foreground & imaged))
    overlap = 2.0 * int(np.count_nonzero(front & fixed.foreground & imaged)) / max(1, total)
    if not (inside & fixed.foreground).any():
        return None, covered, overlap
    return SIMILARITIES[metric](fixed.volume.data[inside], values[inside]), covered, overlap


def _onto(volume: Volume, transform: Transform, grid: Volume) -> AnyArray:
    return warp(volume, transform, grid.affine, grid.shape).data


def _inverse_consistency_mm(transform: TransformChain, fixed: Conditioned) -> FloatArray | None:
    places = np.argwhere(fixed.foreground)
    points = fixed.volume.world(places[:: max(1, len(places) // CONSISTENCY_POINTS)])
    try:
        back = transform.inverse().apply(transform.apply(points))
    except GeometryError:
        return None
    return np.asarray(np.linalg.norm(back - points, axis=1))


def _apart(evidence: Evidence, scaling: float) -> Finding | None:
    if evidence.overlap >= LEAST_OVERLAP:
        return None
    reason = f"the two foregrounds overlap by {evidence.overlap:.2f} (Sørensen-Dice); expected at least {LEAST_OVERLAP}"
    return Finding("registration-overlap", _in_words(reason), evidence.as_dict())


def _diverged(evidence: Evidence, scaling: float) -> Finding | None:
    if not 1 / MOST_SCALING < scaling < MOST_SCALING:
        return diverged(f"the volume would change by a factor of {scaling:.2f}", evidence.as_dict())
    before, after = evidence.similarity_start, evidence.similarity_after
    if before is not None and (after is None or after < before - TOLERATED_LOSS * abs(before)):
        return diverged("the volumes are less alike than at the start", evidence.as_dict())
    return None


def _folded(evidence: Evidence, scaling: float) -> Finding | None:
    if evidence.folded_share <= MOST_FOLDED:
        return None
    least = evidence.jacobian_min
    reason = f"{evidence.folded_share:.2%} of the fixed foreground is folded (Jacobian down to {least:.2f})"
    return Finding("registration-folded", _in_words(reason), evidence.as_dict())


#: Reasons to call a registration failed, in the order of asking.
FAILURES: tuple[Callable[[Evidence, float], Finding | None], ...] = (_apart, _diverged, _folded)


def failure(evidence: Evidence, transform: TransformChain) -> Finding | None:
    """Why a registration counts as failed; None if it does not."""
    linear = [np.linalg.det(t.matrix[:3, :3]) for t in transform.transforms if isinstance(t, Affine)]
    scaling = float(np.prod(linear))
    return next((found for ask in FAILURES if (found := ask(evidence, scaling)) is not None), None)


def diverged(reason: str, evidence: Mapping[str, object] | None = None) -> Finding:
    """A registration that led nowhere, in words."""
    return Finding("registration-diverged", _in_words(reason), evidence or {})


def _in_words(reason: str) -> str:
    advice = "look at the pictures; try a brain mask for both volumes, a mask of lesions, or another metric"
    return f"registration failed: {reason}; {advice}"
