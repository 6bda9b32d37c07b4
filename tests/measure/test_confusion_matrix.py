"""Counts by two labels against a loop."""

from __future__ import annotations

import numpy as np
import pytest

from cormack.core.errors import GeometryError
from cormack.measure.confusion_matrix import confusion_matrix


def test_counts_are_those_of_a_loop() -> None:
    rng = np.random.default_rng(0)
    labels = [2, 7]
    a, b = rng.choice([0, 2, 5, 7], (2, 4, 5, 6)).astype(np.uint8)
    counts = confusion_matrix(a, b, labels)
    for row, first in enumerate([0, *labels]):
        for column, second in enumerate([0, *labels]):
            x = np.isin(a, labels, invert=True) if row == 0 else a == first
            y = np.isin(b, labels, invert=True) if column == 0 else b == second
            assert counts[row, column] == np.count_nonzero(x & y)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(GeometryError):
        confusion_matrix(np.zeros((1, 2, 3), int), np.zeros((3, 2, 1), int), [1])
