"""Registered atlases as a prior, the scan's values as evidence.

Atlases tell where a structure may lie, within the few millimetres by which registrations err; whether a voxel there is
fluid or tissue its value tells. The two are brought together by expectation–maximisation, as Van Leemput et al. 1999
(doi 10.1109/42.811270) and Fischl et al. 2002 (doi 10.1016/S0896-6273(02)00569-X) did for MR. In CT fluid is far from
tissue and grey matter near white, so that values decide on fluid and only lean towards one tissue or the other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.segment.brain_values import brain_levels
from cormack.segment.opinion import BoolArray, FloatImage

#: Shares of fluid, of what lies half-way between fluid and tissue (edges, diseased white matter), of tissue, and of
#: what is brighter (blood, calcium, the rim of the skull) in most structures, and in those that differ.
USUAL = (0.01, 0.05, 0.93, 0.01)
MIXED = {
    "subarachnoid space": (0.55, 0.15, 0.2, 0.1),
    "dural folds and venous sinuses": (0.15, 0.05, 0.35, 0.45),
    "septum pellucidum": (0.2, 0.4, 0.39, 0.01),
    "cerebellum": (0.05, 0.1, 0.8, 0.05),
    "insular cortex": (0.06, 0.1, 0.83, 0.01),
    "ventricular system": (0.9, 0.05, 0.04, 0.01),
    "central sulcus": (0.6, 0.2, 0.19, 0.01),
    **dict.fromkeys(("frontal lobe", "parietal lobe", "occipital lobe", "temporal lobe"), (0.02, 0.2, 0.75, 0.03)),
}
SHARES = np.array([MIXED.get(label.name, USUAL) for label in NEUROANATOMY_FINE], dtype=np.float32)
_FLUID, _BETWEEN, _TISSUE, _BRIGHT = range(4)
#: Structures whose tissue has a mean of its own; that of all others is one.
DEEP = ("caudate nucleus", "lentiform nucleus", "internal capsule", "thalamus")
#: Tissue's standard deviation is kept within this, so that values lean only (HU); it is this of fluid and between.
TISSUE_SD_HU, FLUID_SD_HU = (4.0, 6.0), 4.0
#: Fluid's level is this percentile of the voxels in which more atlases than this see ventricles, and which are at least
#: so far below the tissue (HU).
FLUID_PERCENT, VENTRICLES, DARK_HU = 25.0, 0.5, 8.0
#: Fewer voxels than this tell no level.
LEAST_VOXELS = 20
#: What is brighter starts so far above the tissue and spreads so wide, at most so wide (HU).
BRIGHT_HU, BRIGHT_SD_HU, BRIGHT_MOST_HU = 25.0, 12.0, 25.0
#: Values beyond tell no more (HU).
RANGE_HU = (-20.0, 110.0)
#: Width of the Gaussian over atlases' votes, in voxels; no structure is less likely than this anywhere.
SMOOTHING, LEAST_PRIOR = 0.7, 1e-5
#: A density is nowhere less than this: values that fit nothing leave the prior as it is (1/HU).
LEAST_DENSITY = 1e-5
ROUNDS = 10


def with_values(votes: FloatImage, inside: BoolArray, values: npt.NDArray[np.float32]) -> FloatImage:
    """How likely every voxel belongs to each structure, by what atlases say and by its value.

    Parameters
    ----------
    votes : float32 array, shape (16, i, j, k)
        Share of the atlases that see a structure, in the order of `NEUROANATOMY_FINE`; 0 in all where none sees any.
    inside : bool array, shape (i, j, k)
        The intracranial space.
    values : float32 array, shape (i, j, k)
        HU.

    Returns
    -------
    float32 array, shape (16, i, j, k)
        Adds up to 1 inside and is 0 outside.
    """
    prior = _prior(votes, inside)
    x = np.clip(values[inside], *RANGE_HU)
    tissue_hu = brain_levels(x).tissue_hu
    fluid_hu = _fluid_level(x, prior, tissue_hu)
    fluid = _density(x, fluid_hu, FLUID_SD_HU)
    between = _density(x, (fluid_hu + tissue_hu) / 2, FLUID_SD_HU)
    bright_hu = (tissue_hu + BRIGHT_HU, BRIGHT_SD_HU)
    groups = _groups()
    tissues_hu = [(tissue_hu, TISSUE_SD_HU[0])] * len(groups)
    for _ in range(ROUNDS):
        bright = _density(x, *bright_hu)
        others = np.outer(SHARES[:, _FLUID], fluid)
        others += np.outer(SHARES[:, _BETWEEN], between)
        others += np.outer(SHARES[:, _BRIGHT], bright)
        own = np.empty_like(prior)
        for rows, level in zip(groups, tissues_hu, strict=True):
            own[rows] = np.outer(SHARES[rows, _TISSUE], _density(x, *level))
        posterior = prior * (others + own)
        total = posterior.sum(axis=0)
        weights = [(prior[rows] * own[rows]).sum(axis=0) / total for rows in groups]
        tissues_hu = [_level(x, w, old, TISSUE_SD_HU) for w, old in zip(weights, tissues_hu, strict=True)]
        weight = (prior * SHARES[:, _BRIGHT, None]).sum(axis=0) * bright / total
        bright_hu = _level(x, weight, bright_hu, (TISSUE_SD_HU[0], BRIGHT_MOST_HU))
    likely = np.zeros(votes.shape, dtype=np.float32)
    likely[:, inside] = posterior / total
    return likely


def _prior(votes: FloatImage, inside: BoolArray) -> FloatImage:
    """Votes smoothed, shape (16, voxels inside); where no atlas reaches, the nearest that one says counts."""
    empty = inside & ~votes.any(axis=0)
    if empty.any():
        nearest = ndimage.distance_transform_edt(~votes.any(axis=0), return_distances=False, return_indices=True)
        votes = votes.copy()
        votes[:, empty] = votes[(slice(None), *(axis[empty] for axis in nearest))]
    prior = np.stack([ndimage.gaussian_filter(vote, SMOOTHING)[inside] for vote in votes])
    prior /= np.maximum(prior.sum(axis=0), np.float32(1e-6))
    return np.asarray(np.maximum(prior, np.float32(LEAST_PRIOR)))


def _fluid_level(x: FloatImage, prior: FloatImage, tissue_hu: float) -> float:
    """HU of fluid: that of the ventricles' darker part, or of all that is dark where atlases see no ventricles."""
    ventricles = prior[NEUROANATOMY_FINE["ventricular system"].index - 1]
    dark = x[(ventricles > VENTRICLES) & (x < tissue_hu - DARK_HU)]
    return float(np.percentile(dark, FLUID_PERCENT)) if dark.size > LEAST_VOXELS else brain_levels(x).fluid_hu


def _groups() -> list[npt.NDArray[np.intp]]:
    """Rows of the structures whose tissue has one mean."""
    deep = [NEUROANATOMY_FINE[name].index - 1 for name in DEEP]
    return [*(np.array([row]) for row in deep), np.setdiff1d(np.arange(len(NEUROANATOMY_FINE)), deep)]


def _density(x: FloatImage, mean: float, sd: float) -> FloatImage:
    """Of a Gaussian, but for a factor that all share."""
    return np.asarray(np.exp(-0.5 * np.square((x - mean) / sd)) / sd + LEAST_DENSITY, dtype=np.float32)


def _level(x: FloatImage, weight: FloatImage, old: tuple[float, float], sd: tuple[float, float]) -> tuple[float, float]:
    """Weighted mean and standard deviation, the latter within its limits; the old ones where nothing counts."""
    total = float(weight.sum())
    if total < LEAST_VOXELS:
        return old
    mean = float((weight * x).sum()) / total
    spread = float(np.sqrt((weight * np.square(x - mean)).sum() / total))
    return mean, float(np.clip(spread, *sd))
