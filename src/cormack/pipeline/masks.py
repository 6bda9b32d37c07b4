"""From the rectified grid to the masks of head and brain."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cormack.core.labels import LabelMap
from cormack.core.volume import Unit, Volume
from cormack.extract.brain import brain_mask
from cormack.extract.head import head_mask
from cormack.extract.mr_head import mr_head_mask
from cormack.pipeline.grids import Grids
from cormack.pipeline.options import RunOptions
from cormack.pipeline.runner import Step

#: How the head is found, by the unit of the values.
HEAD_MASKS: Mapping[Unit, Callable[[Volume], LabelMap]] = {Unit.HU: head_mask, Unit.ARBITRARY: mr_head_mask}


def head(grids: Grids) -> LabelMap:
    """Find the head."""
    return HEAD_MASKS[grids.volume.unit](grids.volume)


def brain(grids: Grids, head: LabelMap, options: RunOptions) -> LabelMap:
    """Find the intracranial space, or on an MR the brain with its fluid."""
    return brain_mask(grids.volume, method=options.method, head=head)


def brain_alone(grids: Grids, options: RunOptions) -> LabelMap:
    """Find the intracranial space by a method that needs no head."""
    return brain_mask(grids.volume, method=options.method)


HEAD_STEP = Step("head", "Finding the head", head)
BRAIN_STEP = Step("brain", "Extracting the brain", brain)
BRAIN_ALONE_STEP = Step("brain", "Extracting the brain", brain_alone)
