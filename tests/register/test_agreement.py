from dataclasses import dataclass, field

import numpy as np
import pytest
from register_heads import head

from cormack.core.transforms import Affine, TransformChain
from cormack.core.volume import Unit, Volume
from cormack.register.agreement import agreement, comparable
from cormack.register.conditioning import condition
from cormack.register.engine import Kind, Metric, Task
from cormack.register.register import RegisterOptions, register_volumes


@dataclass
class Recorder:
    """An engine that finds the identity and remembers what it was asked."""

    name: str = "recorder"
    tasks: list[Task] = field(default_factory=list)

    def align(self, task: Task) -> TransformChain:
        self.tasks.append(task)
        return TransformChain((Affine.identity(),))


@pytest.fixture(scope="module")
def still() -> Volume:
    return head()


def brighter(volume: Volume, hu: float) -> Volume:
    """As contrast medium or another scanner makes it: tissue brighter, air and bone as they were."""
    tissue = (volume.data > -200) & (volume.data < 200)
    return volume.with_data(np.where(tissue, volume.data + hu, volume.data).astype(np.int16))


def as_mr(volume: Volume) -> Volume:
    values = np.where(abs(volume.data) < 200, 150 - volume.data, 0).astype(np.float32)
    return volume.with_data(values, unit=Unit.ARBITRARY, outside=0.0)


def test_equal_values_agree_wholly_and_an_offset_lowers_it(still):
    fixed = condition(still, spacing_mm=4.0)
    found = [
        agreement(condition(brighter(still, hu), spacing_mm=4.0), fixed, Affine.identity()) for hu in (0, 10, 20, 30)
    ]
    assert found[0] == pytest.approx(1.0)
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.3
    far = np.eye(4)
    far[0, 3] = 900
    assert agreement(fixed, fixed, Affine(far)) == 0.0


def test_only_values_of_one_kind_are_compared(still):
    assert comparable(still, still.with_data(still.data, unit=Unit.CORMACK))
    assert comparable(as_mr(still), as_mr(still))
    assert not comparable(as_mr(still), still)


@pytest.mark.parametrize(
    ("change", "kind", "asked", "took"),
    [
        (lambda v: v, "syn", "auto", [("affine", "mi"), ("syn", "ls")]),
        (lambda v: brighter(v, 30), "syn", "auto", [("affine", "mi"), ("syn", "mi")]),
        (as_mr, "syn", "auto", [("syn", "mi")]),
        (lambda v: v, "affine", "auto", [("affine", "mi")]),
        (lambda v: v, "syn", "mi", [("syn", "mi")]),
    ],
)
def test_auto_takes_least_squares_only_where_a_ct_deforms_to_its_like(still, change, kind, asked, took):
    engine = Recorder()
    options = RegisterOptions(spacing_mm=4.0, search=False)
    made = register_volumes(change(still), still, kind, metric=asked, options=options, engine=engine)
    assert [(task.kind, task.metric) for task in engine.tasks] == [(Kind(k), Metric(m)) for k, m in took]
    assert made.metric == took[-1][1]
    assert (made.agreement is None) == (len(took) == 1)
    assert engine.tasks[-1].linear is None or len(took) == 2
    assert made.evidence.metric == "mi"
