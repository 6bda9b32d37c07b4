from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.measure.observers import fleiss_kappa, inter_observer, observer_pairs
from cormack.measure.overlap import dice

TABLE = LabelTable((Label(1, "ball", "B", (255, 0, 0)), Label(2, "cube", "C", (0, 255, 0))))


def opinions():
    made = []
    for shift in (0, 1, 3):
        data = np.zeros((24, 20, 16), np.uint8)
        data[4 + shift : 12, 5:15, 4:12] = 1
        if shift < 3:
            data[16:20, 5:15, 4 : 10 + shift] = 2
        made.append(LabelMap(data, np.diag([1.0, 1.0, 2.0, 1.0]), TABLE))
    return made


def test_every_pair_is_compared_once():
    maps = opinions()
    pairs = observer_pairs(maps)
    assert [(p.first, p.second) for p in pairs] == [(1, 2), (1, 3), (2, 3)]
    assert pairs[1].agreements[0].dice == dice(maps[0], maps[2])
    assert pairs[1].agreements[0].hausdorff_mm == 3.0


def test_table_of_all_observers():
    maps = opinions()
    ball, cube = inter_observer(maps, observer_pairs(maps, surfaces=False))
    assert ball.name == "ball"
    assert ball.volumes_ml == pytest.approx([m.volume_ml(1) for m in maps])
    assert ball.dice == pytest.approx([dice(maps[0], maps[1]), dice(maps[0], maps[2]), dice(maps[1], maps[2])])
    assert ball.volume_variation_percent == pytest.approx(100 * np.std([8, 7, 5], ddof=1) / (20 / 3))
    assert cube.dice[1:] == (0, 0)
    empty = [LabelMap(np.zeros((3, 3, 3), np.uint8), np.eye(4), TABLE)] * 2
    nobody = inter_observer(empty, observer_pairs(empty))[0]
    assert isnan(nobody.kappa)
    assert isnan(nobody.volume_variation_percent)


def test_kappa_is_that_of_statsmodels():
    rater = pytest.importorskip("statsmodels.stats.inter_rater")
    maps = opinions()
    ball = inter_observer(maps, observer_pairs(maps, surfaces=False))[0]
    box = np.logical_or.reduce([m.data > 0 for m in maps])
    spans = tuple(slice(w.min(), w.max() + 1) for w in np.nonzero(box))
    votes = np.sum([m.data[spans] == 1 for m in maps], axis=0).ravel()
    table = np.stack([votes, 3 - votes], axis=1)
    assert ball.kappa == pytest.approx(rater.fleiss_kappa(table))
    assert fleiss_kappa(table.astype(float)) == pytest.approx(ball.kappa)


def test_kappa_of_the_table_of_fleiss():
    # The worked example of Fleiss 1971 as retold everywhere: 10 subjects, 14 raters, 5 categories, kappa 0.210.
    rows = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    assert fleiss_kappa(np.array(rows, float)) == pytest.approx(0.210, abs=5e-4)
