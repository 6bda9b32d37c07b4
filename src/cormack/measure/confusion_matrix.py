"""Which structures are taken for which: voxels by their label in a reference and in a prediction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError
from cormack.core.volume import AnyArray

Counts = npt.NDArray[np.int64]


def confusion_matrix(reference: AnyArray, predicted: AnyArray, labels: Sequence[int]) -> Counts:
    """Count voxels by both labels.

    Parameters
    ----------
    reference, predicted : integer array, shape (i, j, k)
    labels : sequence of int
        Rows and columns of the result after the background, which takes all other numbers.

    Returns
    -------
    int64 array, shape (1 + labels, 1 + labels)
        Row: the reference's label; column: the prediction's.

    Raises
    ------
    GeometryError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> confusion_matrix(np.array([[[0, 5, 5]]]), np.array([[[0, 5, 0]]]), [5])
    array([[1, 0],
           [1, 1]])
    """
    if reference.shape != predicted.shape:
        raise GeometryError(f"a prediction of shape {predicted.shape} for a reference of shape {reference.shape}")
    size = len(labels) + 1
    rows, columns = (_places(values, labels) for values in (reference, predicted))
    return np.bincount((rows * size + columns).ravel(), minlength=size * size).reshape(size, size)


def _places(values: AnyArray, labels: Sequence[int]) -> Counts:
    table = np.zeros(int(max(values.max(), *labels)) + 1, dtype=np.int64)
    table[list(labels)] = np.arange(1, len(labels) + 1)
    return np.asarray(table[values])
