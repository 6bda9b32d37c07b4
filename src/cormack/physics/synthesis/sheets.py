"""Folds of dura and the sinuses at their edges, drawn between the parts of a brain that they divide."""

from __future__ import annotations

import numpy as np

from cormack.physics.synthesis.anatomy import BoolArray, Codes, FloatImage
from cormack.physics.synthesis.labelled_head import LOBES, Fine
from cormack.physics.synthesis.smooth import distance

#: Half the difference of the distances to both sides of a fold that still belongs to it (mm).
FALX_MM, TENTORIUM_MM = 0.8, 0.6
#: How deep the falx reaches below the vault (mm), at shares of the way from the front to the back.
FALX_PLACES, FALX_DEPTHS_MM = (0.0, 0.45, 0.7, 1.0), (20.0, 14.0, 45.0, 45.0)
#: Width and depth of the superior sagittal sinus behind; in front it is half as wide (mm).
SAGITTAL_MM = (3.5, 8.0)
#: Width and depth of the transverse sinuses (mm).
TRANSVERSE_MM = (3.0, 7.0)
#: Farther from both the cerebrum and the cerebellum than this is no tentorium (mm).
TENTORIUM_REACH_MM = 6.0


def folds_of_dura(codes: Codes, fine: Codes, depth: FloatImage) -> tuple[BoolArray, BoolArray]:
    """Falx, tentorium and the sinuses along the vault; and the sinuses alone.

    Parameters
    ----------
    codes : uint8 array, shape (i, j, k)
        Neuromorphometrics labels: of the cortex, even ones are right and odd ones left.
    fine : uint8 array
        `Fine` values of the same voxels.
    depth : float array
        Signed distance below the inner table (mm).
    """
    cerebrum = np.isin(fine, (*LOBES, Fine.INSULA)) & ((codes >= 100) | np.isin(codes, (44, 45)))
    right, left = (distance(~(cerebrum & (codes % 2 == side))) for side in (0, 1))
    across = np.abs(right - left) / 2
    loose = (depth > 0) & np.isin(fine, (Fine.SUBARACHNOID, *LOBES)) & ~np.isin(codes, (44, 45))
    share = _from_front(depth > 0)
    lowest = int(np.flatnonzero((fine == Fine.CAUDATE).any(axis=(0, 1)))[0])
    upper = (np.minimum(right, left) < 8) & ((share > 0.5) | (np.arange(fine.shape[2]) > lowest))
    falx = loose & upper & (across < FALX_MM) & (depth < np.interp(share, FALX_PLACES, FALX_DEPTHS_MM))
    width, deep = SAGITTAL_MM
    sagittal = loose & upper & (depth < deep) & (across < width * (0.5 + 0.5 * share) * (1 - depth / deep))
    below = distance(fine != Fine.CEREBELLUM)
    above = np.minimum(right, left)
    between = np.abs(above - below) / 2
    reached = (np.maximum(above, below) < TENTORIUM_REACH_MM) & loose_below(fine, depth)
    tentorium = reached & (between < TENTORIUM_MM)
    width, deep = TRANSVERSE_MM
    transverse = reached & (depth < deep) & (between < width * (1 - depth / deep)) & (share > 0.5)
    sinuses = (sagittal | transverse) & (fine != Fine.VENTRICLES)
    return falx | tentorium | sinuses, sinuses


def loose_below(fine: Codes, depth: FloatImage) -> BoolArray:
    """Where the tentorium may lie: not in ventricles, brainstem or nuclei."""
    return np.asarray((depth > 0) & np.isin(fine, (Fine.SUBARACHNOID, Fine.CEREBELLUM, *LOBES)))


def _from_front(inside: BoolArray) -> FloatImage:
    """Position along j, 0 at the front and 1 at the back of a mask, shape (1, j, 1)."""
    found = np.flatnonzero(inside.any(axis=(0, 2)))
    places = (found[-1] - np.arange(inside.shape[1])) / max(found[-1] - found[0], 1)
    return np.asarray(np.clip(places, 0, 1)[None, :, None], dtype=np.float32)
