"""What can be segmented: one entry per task. Nothing is loaded before a task is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from cormack.core.volume import Volume
    from cormack.segment.segmentation import Segmentation


class Segment(Protocol):
    """Finds the structures of a task in a volume of its modality."""

    def __call__(self, volume: Volume, *, method: str) -> Segmentation:
        """Segment one volume."""
        ...


@dataclass(frozen=True)
class Task:
    """One task of segmentation.

    Parameters
    ----------
    name : str
        As the user calls it.
    summary : str
        What it finds in what, in a sentence without its full stop.
    methods : mapping of str to str
        Names of the methods with what each does, the default first.
    region : "head" or "chest"
        Which series of a DICOM folder is taken.
    home : (module, function)
        Where a `Segment` is found.
    """

    name: str
    summary: str
    methods: Mapping[str, str]
    region: str
    home: tuple[str, str]

    @property
    def default_method(self) -> str:
        """The method that is taken where none is named."""
        return next(iter(self.methods))

    def load(self) -> Segment:
        """The function that does it."""
        module, name = self.home
        return cast("Segment", getattr(import_module(module), name))


TASKS = {
    task.name: task
    for task in (
        Task(
            "lungs",
            "Right and left lung on chest CT, with vessels and nodules, without trachea and main bronchi",
            {
                "3d": "in three dimensions, dents of nodules at the wall and the hilum filled",
                "slices": "the tutorial's two-cluster k-means, slice by slice, one label for both lungs",
            },
            "chest",
            ("cormack.segment.lungs", "segment_lungs"),
        ),
    )
}
