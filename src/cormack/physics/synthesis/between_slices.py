"""Labels drawn on thick slices, carried on to voxels of 1 mm by their shapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from cormack.core.errors import InputError
from cormack.physics.synthesis.anatomy import Codes, FloatImage
from cormack.physics.synthesis.smooth import signed

#: Distances count up to this far from a contour (mm): beyond it another slice says nothing about this one.
FARTHEST_MM = 4.0
#: Rounds in which the areas of the labels between two slices are brought between those of the slices.
ROUNDS = 12
#: Areas are compared as if each were larger by this (mm²): slivers of a few voxels may come and go.
SLACK_MM2 = 20.0
#: Largest offset (mm), and its change per round for an area that is e times too small.
MOST_MM, RATE_MM = 1.5, 0.5


def between_slices(labels: Codes, spacing_mm: Sequence[float]) -> Codes:
    """Labels of thick axial slices on voxels of 1 mm.

    Signed distances to the contours are interpolated from slice to slice (Raya and Udupa 1990, doi 10.1109/42.52980),
    with one offset per label that keeps its area between those of the two slices: sheets and sulci that lie elsewhere
    on the next slice would vanish half-way otherwise.

    Parameters
    ----------
    labels : uint8 array, shape (i, j, k)
        Slices along k.
    spacing_mm : three floats
        Distances of the voxels.

    Returns
    -------
    uint8 array, shape (round(i * spacing), round(j * spacing), round(k * spacing)), on the same field of view.

    Raises
    ------
    InputError
        If the slices are closer than 1 mm.
    """
    if spacing_mm[2] < 1:
        raise InputError(f"slices {spacing_mm[2]:g} mm apart are no thick slices; give 1 mm or more")
    known = np.unique(labels)
    stack = np.stack([_distances(labels[:, :, k], known, spacing_mm) for k in range(labels.shape[2])])
    count = round(labels.shape[2] * spacing_mm[2])
    places = np.clip((np.arange(count) + 0.5) / spacing_mm[2] - 0.5, 0, labels.shape[2] - 1)
    result = np.empty((*stack.shape[2:], count), dtype=np.uint8)
    for n, place in enumerate(places):
        low = min(int(place), labels.shape[2] - 2)
        result[:, :, n] = known[_between(stack[low], stack[low + 1], float(place - low))]
    return result


def _distances(plane: Codes, known: Codes, spacing_mm: Sequence[float]) -> FloatImage:
    """Signed distance (mm, positive inside) to every label's contour on a grid of 1 mm, shape (labels, i, j)."""
    size = [round(n * step) for n, step in zip(plane.shape, spacing_mm, strict=False)]
    axes = [(np.arange(n) + 0.5) / step - 0.5 for n, step in zip(size, spacing_mm, strict=False)]
    places = np.meshgrid(*axes, indexing="ij")
    result = np.full((len(known), *size), -FARTHEST_MM, dtype=np.float32)
    for n, label in enumerate(known):
        here = plane == label
        if here.any():
            away = np.clip(signed(here) * np.float32(spacing_mm[0]), -FARTHEST_MM, FARTHEST_MM)
            result[n] = ndimage.map_coordinates(away, places, order=1, mode="nearest")
    return result


def _between(first: FloatImage, second: FloatImage, share: float) -> Codes:
    """Position of the label at every place, `share` of the way from one slice to the next, shape (i, j)."""
    score = (1 - share) * first + share * second
    wanted = (1 - share) * _areas(first.argmax(axis=0), len(first)) + share * _areas(second.argmax(axis=0), len(first))
    offset = np.zeros(len(first), dtype=np.float32)
    for _ in range(ROUNDS):
        found = _areas((score + offset[:, None, None]).argmax(axis=0), len(first))
        step = RATE_MM * np.log((wanted + SLACK_MM2) / (found + SLACK_MM2))
        offset = np.clip(offset + step, -MOST_MM, MOST_MM).astype(np.float32)
    return np.asarray((score + offset[:, None, None]).argmax(axis=0))


def _areas(positions: Codes, count: int) -> FloatImage:
    return np.bincount(positions.ravel(), minlength=count).astype(np.float32)
