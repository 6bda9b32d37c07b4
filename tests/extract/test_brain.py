from __future__ import annotations

from inspect import signature

import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import Unit
from cormack.extract.brain import METHODS, brain_mask
from cormack.extract.head import head_mask
from cormack.extract.methods import DEFAULT_METHOD
from cormack.measure.overlap import dice


@pytest.mark.parametrize("method", sorted(METHODS["CT"]))
def test_every_method_gives_a_described_mask_on_the_grid(phantom, method):
    head = head_mask(phantom.volume)
    mask = brain_mask(phantom.volume, method=method, head=head)
    assert mask.on_grid_of(phantom.volume)
    assert mask.data.dtype == np.uint8
    assert mask.table["intracranial space"].index == 1
    assert mask.description.endswith(f"method {method}")
    assert METHODS["CT"][method].surface in mask.description
    assert dice(mask, phantom.brain) > 0.95
    assert "doi" in METHODS["CT"][method].citation


def test_the_default_is_one_of_all_with_the_surface_at_half_the_step():
    assert "half the step" in METHODS["CT"][DEFAULT_METHOD].surface
    assert signature(brain_mask).parameters["method"].default == DEFAULT_METHOD


def test_metal_outside_the_head_is_not_taken_for_bone(phantom):
    data = phantom.volume.data.copy()
    data[:, 1:4, :] = 3000
    volume = phantom.volume.with_data(data)
    assert dice(brain_mask(volume, head=head_mask(phantom.volume)), phantom.brain) > 0.98


def test_what_cannot_be_used_is_refused(phantom):
    with pytest.raises(
        InputError, match=r"unknown method 'guess'; known are bet, network, skull, t1-brain-2d, t1-brain-3d"
    ):
        brain_mask(phantom.volume, method="guess")
    with pytest.raises(InputError, match="not from Cormack"):
        brain_mask(phantom.volume.with_data(phantom.volume.data, unit=Unit.CORMACK))
    head = head_mask(phantom.volume)
    with pytest.raises(InputError, match="not on the grid"):
        brain_mask(phantom.volume, head=LabelMap(head.data[1:], head.affine, head.table))
