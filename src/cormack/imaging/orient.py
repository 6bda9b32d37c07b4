"""Orientation: which voxel axis points where, and the same grid with its axes in another order."""

from __future__ import annotations

import numpy as np

from cormack.core.errors import InputError
from cormack.core.volume import AnyArray, FloatArray

_POSITIVE, _NEGATIVE = "RAS", "LPI"


def axis_codes(affine: FloatArray) -> str:
    """The direction in which each voxel axis grows, as three letters such as "RAS" or "LPS".

    Each world axis is named once; an oblique grid gets the nearest assignment, the most aligned axis first.

    >>> axis_codes(np.diag([-1.0, -1.0, 2.0, 1.0]))
    'LPS'
    """
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    codes, remaining = ["", "", ""], {0, 1, 2}
    for axis in np.argsort(-np.abs(cosines).max(axis=0)):
        world = max(remaining, key=lambda w: abs(cosines[w, axis]))
        remaining.remove(world)
        codes[axis] = _POSITIVE[world] if cosines[world, axis] > 0 else _NEGATIVE[world]
    return "".join(codes)


def reorient(
    data: AnyArray, affine: FloatArray, codes: str = "RAS", *, present: str | None = None
) -> tuple[AnyArray, FloatArray]:
    """The same voxels with the axes in another order and direction; nothing is interpolated.

    Parameters
    ----------
    data : array, shape (i, j, k)
    affine : array, shape (4, 4)
    codes : str
        Wanted directions, three letters such as "RAS".
    present : str, optional
        Where the axes point, in place of what the affine says.

    Returns
    -------
    tuple
        A view of `data` and the affine that belongs to it.

    Raises
    ------
    InputError
        If the letters do not name each of the three directions once.
    """
    order, flipped = axis_order(present or axis_codes(affine), codes)
    out = np.eye(4)
    out[:3, 3] = affine[:3, 3]
    index: list[slice] = [slice(None)] * 3
    for new, old in enumerate(order):
        step = affine[:3, old]
        if flipped[new]:
            index[old] = slice(None, None, -1)
            out[:3, 3] = out[:3, 3] + step * (data.shape[old] - 1)
            step = -step
        out[:3, new] = step
    return np.transpose(data[tuple(index)], order), out


def axis_order(present: str, wanted: str) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Which present axis becomes each wanted one, and whether it is reversed.

    Raises
    ------
    InputError
        If the letters do not name each of the three directions once.

    >>> axis_order("LPS", "RAS")
    ((0, 1, 2), (True, True, False))
    """
    has, needs = ([_world(letter) for letter in codes] for codes in (present, wanted))
    if sorted(world for world, _ in needs) != [0, 1, 2]:
        raise InputError(f"orientation {wanted!r}: give one letter each of R/L, A/P and S/I, such as RAS")
    order = tuple(next(axis for axis, (w, _) in enumerate(has) if w == world) for world, _ in needs)
    return order, tuple(has[old][1] != needs[new][1] for new, old in enumerate(order))


def _world(letter: str) -> tuple[int, bool]:
    for direction, letters in ((True, _POSITIVE), (False, _NEGATIVE)):
        if letter in letters:
            return letters.index(letter), direction
    return -1, False
