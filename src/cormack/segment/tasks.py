"""What can be segmented: one entry per task. Nothing is loaded before a task is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol, cast

if TYPE_CHECKING:
    from cormack.core.volume import Volume
    from cormack.segment.segmentation import Segmentation


class Segment(Protocol):
    """Finds the structures of a task in a volume of its modality."""

    def __call__(self, volume: Volume, *, method: str) -> Segmentation:
        """Segment one volume."""
        ...


@dataclass(frozen=True)
class Option:
    """A choice that one task alone offers.

    Parameters
    ----------
    name : str
        As the user types it, without dashes.
    help : str
        What it does, in a sentence without its full stop.
    metavar : str
        What follows it, such as "DIR"; empty for a switch.
    output : bool
        True if it names a file that the task writes.
    """

    name: str
    help: str
    metavar: str = ""
    output: bool = False


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
        Which series of a DICOM folder is taken, and how pictures are windowed.
    home : (module, function), optional
        Where a `Segment` is found; without it the task takes several rooms, and `pipeline.segment.STEPS` has its steps.
    options : tuple of Option
        What it offers beside what all tasks do.
    modality : "CT" or "MR"
    """

    name: str
    summary: str
    methods: Mapping[str, str]
    region: str
    home: tuple[str, str] | None = None
    options: tuple[Option, ...] = ()
    modality: Literal["CT", "MR"] = "CT"

    @property
    def default_method(self) -> str:
        """The method that is taken where none is named."""
        return next(iter(self.methods))

    def load(self) -> Segment:
        """The function that does it.

        Raises
        ------
        LookupError
            If the task has no home.
        """
        if self.home is None:
            raise LookupError(f"task {self.name} has steps in the pipeline, and no function of its own")
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
        Task(
            "hippocampus",
            "Anterior and posterior hippocampus on T1-weighted MR, of a crop or on both sides of a head",
            {
                "auto": "a crop where the image is as small as one, else a head",
                "crop": "the image shows one hippocampus and little else",
                "head": "both sides, found in a head with skull or without",
            },
            "head",
            ("cormack.segment.hippocampus", "segment_hippocampus"),
            modality="MR",
        ),
        Task(
            "neuroanatomy",
            "Eleven structures inside the skull on head CT without contrast medium, with clinical measures",
            {
                "network": "the packaged networks: the brain and its mirror image, then slice by slice",
                "atlas": "labelled atlases brought onto the scan and fused; needs --atlases",
            },
            "head",
            options=(
                Option("fine", "Sixteen labels: lobes, thalamus and brainstem told apart, too"),
                Option("sides", "Paired structures get labels of their own on the left: 100 more than on the right"),
                Option("brain", "Intracranial mask on the grid of IN, in place of one that is made", "MASK.nii.gz"),
                Option(
                    "network",
                    "Another network than the packaged ones, by `cormack export`; not corrected in slices",
                    "DIR",
                ),
                Option(
                    "atlases",
                    "Folder of labelled atlases (NAME.nii.gz with NAME_dseg.nii.gz of the sixteen labels; or .npz "
                    "anatomies). With the network they are a second opinion",
                    "DIR",
                ),
                Option("confidence", "Write how likely each voxel's label is, too", "FILE.nii.gz", output=True),
                Option(
                    "disagreement",
                    "Write what the atlases say where they disagree with the network, too; needs --atlases",
                    "FILE.nii.gz",
                    output=True,
                ),
            ),
        ),
    )
}
