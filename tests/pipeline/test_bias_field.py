"""N4 before anything is looked for: what it changes, when it is a step, what it is not for."""

import json

import numpy as np
import pytest

from cormack.core.acquisition import Acquisition
from cormack.core.errors import InputError
from cormack.core.volume import Unit, Volume
from cormack.imaging.rectify import Rectified
from cormack.pipeline.bias_field import foreground, grid_steps, without_bias_field
from cormack.pipeline.grids import GRID_STEPS, GridFacts, Grids
from cormack.pipeline.options import RunOptions, check_options
from cormack.pipeline.runner import check_steps
from cormack.pipeline.sidecars import grid_sidecar
from cormack.pipeline.steps import RUN_STEPS, steps_of
from cormack.report.content import StackFacts

SHAPE = (32, 34, 28)


@pytest.fixture
def shaded():
    """Two tissues under a field that doubles from one side to the other, as 16-bit numbers; which voxels are tissue."""
    i, j, k = np.indices(SHAPE, dtype=float)
    away = np.sqrt((i - 16) ** 2 + (j - 17) ** 2 + (k - 14) ** 2)
    tissue = np.where(away < 13, 100.0, 0) + np.where(away < 8, 60.0, 0)
    values = tissue * np.exp(0.7 * j / 34) + np.random.default_rng(0).normal(0, 1, SHAPE)
    volume = Volume(np.rint(values).astype(np.int16), np.diag([5.0, 5, 5, 1]), Unit.ARBITRARY, 0.0)
    stack = StackFacts(SHAPE, (5.0, 5.0), tuple(5.0 * n for n in range(28)), 0.0, True)
    facts = GridFacts(Acquisition(modality="MR"), stack, (5.0,) * 3, Unit.ARBITRARY, (), (), (), "RAS", None)
    return Grids(Rectified(volume, np.ones(SHAPE, bool), False), facts), away < 7


def test_shading_goes_and_mean_type_and_facts_stay(shaded):
    grids, inner = shaded
    made = without_bias_field(grids)

    def variation(volume):
        return volume.data[inner].std() / volume.data[inner].mean()

    assert variation(made.volume) < 0.15 * variation(grids.volume)
    front = foreground(grids.volume)
    assert made.volume.data[front].mean() == pytest.approx(grids.volume.data[front].mean(), rel=0.01)
    assert (made.volume.data.dtype, made.volume.unit) == (np.int16, Unit.ARBITRARY)
    assert (made.facts.bias_field_correction, made.facts.stack) == ("N4", grids.facts.stack)
    assert "BiasFieldCorrection" not in grid_sidecar(grids.facts)
    assert json.loads(json.dumps(grid_sidecar(made.facts)))["BiasFieldCorrection"] == "N4"


def test_it_is_a_step_only_where_it_is_asked_for():
    assert grid_steps(RunOptions()) == GRID_STEPS
    assert "n4" not in RunOptions().as_parameters()
    asked = RunOptions(n4=True)
    assert asked.as_parameters()["n4"] is True
    names = [step.gives for step in steps_of(asked)]
    assert names[:4] == ["loaded", "conditioned", "shaded", "grids"]
    assert names[4:] == [step.gives for step in RUN_STEPS[3:]]
    check_steps(steps_of(asked), ("located", "progress", "load_options", "options", "provenance", "subject", "space"))


def test_a_ct_has_none():
    check_options(RunOptions(n4=True), "MR")
    with pytest.raises(InputError, match="leave out --n4"):
        check_options(RunOptions(n4=True), "CT")
