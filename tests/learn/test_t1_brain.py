"""The experiment's table says what its rows say, and its heads are those of models that no network was trained on."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from math import nan
from pathlib import Path

import numpy as np
import pytest

from cormack.physics.synthesis.anatomy import load_anatomy, save_anatomy

_PATH = Path(__file__).resolve().parents[2] / "experiments" / "t1-brain" / "evaluate.py"


@pytest.fixture(scope="module")
def evaluate():
    spec = importlib.util.spec_from_file_location("t1_brain_evaluate", _PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_row_is_the_mean_and_the_deviation_of_its_heads(evaluate):
    rows = [
        evaluate.Row("real", "a", "net", 0.90, 0.80, 4.0, 2.0, 1.0),
        evaluate.Row("real", "b", "net", 0.96, 0.92, 8.0, -1.0, 3.0),
        evaluate.Row("real", "c", "net", 0.96, 0.92, nan, -1.0, 0.5),
    ]
    # Deviations by hand: 0.06 / sqrt(3), 0.12 / sqrt(3), 4 / sqrt(2).
    assert evaluate.table(rows).splitlines()[2:] == [
        "| real | net | 3 | 0.9400 (0.0346) | 0.8800 (0.0693) | 6.0 (2.8) | 0.9000 | +0.0 % | 1.00 |"
    ]
    assert list(evaluate.changes(rows)) == []
    rows.append(replace(rows[1], heads="real, N4", dice=0.97))
    assert list(evaluate.changes(rows)) == ["N4, real, net: Dice 0.0100 (0.0000) on 1 heads"]
    assert "<svg" in evaluate.plot(rows, "dice", "Dice")


def test_heads_are_of_held_out_models_and_the_same_each_time(evaluate, balls, tmp_path):
    for ball, name in (("a-1", "subject43-1"), ("b-1", "subject44-1")):
        save_anatomy(load_anatomy(balls / f"{ball}.npz"), tmp_path / f"{name}.npz")
    once, again = (list(evaluate.synthetic(tmp_path, 2, 8.0)) for _ in range(2))
    assert [head for head, _, _ in once] == ["b-1 0", "b-1 1"]
    assert [volume.shape for _, volume, _ in once] == [(28, 32, 32)] * 2
    for first, second in zip(once, again, strict=True):
        np.testing.assert_array_equal(first[1].data, second[1].data)
        assert first[2].any()
        assert first[2].dtype == bool
    assert not np.array_equal(once[0][1].data, once[1][1].data)
