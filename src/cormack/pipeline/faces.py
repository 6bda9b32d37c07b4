"""Which images of a source show a face, and where: for Clean Recognizable Visual Features (PS3.15 Annex E.3.2).

Every image gets a verdict. Where a head is or may be, and its face cannot be found, the verdict is `refused`: nothing
passes because it was not understood.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from cormack.core.errors import CormackError, GeometryError
from cormack.dicom.assemble import MIN_SLICES, assemble
from cormack.dicom.geometry import stack_geometry
from cormack.dicom.headers import BACKEND_ERRORS
from cormack.dicom.instance import Instance
from cormack.dicom.inventory import Inventory, SeriesEntry, take_inventory
from cormack.dicom.look import look_at
from cormack.dicom.source import Source
from cormack.extract.face import MARGIN_MM, FaceRegion
from cormack.imaging.trunk import shows_trunk_only
from cormack.pipeline.face_rules import ABSENT, MASKED, REFUSED, FaceVerdict, of_body_part, without_volume
from cormack.pipeline.head_face import HeadFace, Modality, find_face
from cormack.pipeline.progress import Progress, Silent

#: What a UID that the plan does not know gets.
UNKNOWN = FaceVerdict(REFUSED, "an object that was not looked at when faces were sought")
_NO_VOXEL = FaceVerdict(ABSENT, "a head whose face lies outside the field of view")


@dataclass(frozen=True)
class _Place:
    """Where the bits of one image lie in the file of masks."""

    frame: int
    offset: int


@dataclass(frozen=True, eq=False)
class FacePlan:
    """Verdicts and masks by SOPInstanceUID; masks lie bit-packed in a temporary folder that only its owner can read.

    It can be given to other processes, which read the masks from that folder. Leaving it as a context removes the
    folder.
    """

    folder: Path
    _verdicts: dict[str, FaceVerdict] = field(default_factory=dict, repr=False)
    _sizes: dict[str, tuple[int, int, int | None]] = field(default_factory=dict, repr=False)
    _places: dict[str, list[_Place]] = field(default_factory=dict, repr=False)

    def verdict(self, sop_instance_uid: str) -> FaceVerdict:
        """What is to be done with an object; `refused` for one that the plan does not know."""
        return self._verdicts.get(sop_instance_uid, UNKNOWN)

    def mask(self, sop_instance_uid: str) -> npt.NDArray[np.bool_] | None:
        """Where an object shows the face: bool, (rows, columns) or (frames, rows, columns); None if nowhere."""
        places = self._places.get(sop_instance_uid)
        if not places:
            return None
        rows, columns, frames = self._sizes[sop_instance_uid]
        mask = np.zeros((frames or 1, rows, columns), dtype=bool)
        with self._file.open("rb") as f:
            for place in places:
                f.seek(place.offset)
                bits = np.frombuffer(f.read(-(-rows * columns // 8)), dtype=np.uint8)
                mask[place.frame] = np.unpackbits(bits, count=rows * columns).reshape(rows, columns)
        return mask[0] if frames is None else mask

    def counts(self) -> Mapping[str, int]:
        """Objects by verdict, as `kind: reason`."""
        return dict(Counter(str(verdict) for verdict in self._verdicts.values()))

    def close(self) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> FacePlan:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    @property
    def _file(self) -> Path:
        return self.folder / "masks.bin"

    def _judge(self, uid: str, verdict: FaceVerdict) -> None:
        """Keep the strictest verdict of an object that several series hold parts of."""
        known = self._verdicts.get(uid)
        if known is None or verdict.strictness > known.strictness:
            self._verdicts[uid] = verdict

    def _keep(self, instance: Instance, mask: npt.NDArray[np.bool_]) -> None:
        frames = self._sizes.get(instance.sop_uid, (0, 0, None))[2]
        if instance.frame is not None:
            frames = max(frames or 0, instance.frame + 1)
        self._sizes[instance.sop_uid] = (instance.rows, instance.columns, frames)
        if mask.any():
            with self._file.open("ab") as f:
                place = _Place(instance.frame or 0, f.tell())
                f.write(np.packbits(mask).tobytes())
            self._places.setdefault(instance.sop_uid, []).append(place)


def plan_faces(
    source: Source,
    *,
    inventory: Inventory | None = None,
    parts: Iterable[str] = ("face", "ears"),
    margin_mm: float = MARGIN_MM,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> FacePlan:
    """Judge every image of a source, and find the face of every head.

    One series is in memory at a time. A series that cannot be read, or whose face cannot be found, is refused in the
    plan; nothing is raised for it.

    Parameters
    ----------
    source : Source
        Open; the one that the objects will be read from.
    inventory : Inventory, optional
        Taken from the source if not given.
    parts : iterable of str
        Of `face`, `ears`, `teeth`.
    margin_mm : float
        Nothing nearer to the brain mask is touched.
    folder : Path, optional
        Where the temporary folder is made; the system's place if not given.
    progress : Progress, optional

    Raises
    ------
    InputError
        If the source holds no DICOM, or a part is unknown.
    """
    listener = progress or Silent()
    found = take_inventory(source) if inventory is None else inventory
    chosen = tuple(parts)
    plan = FacePlan(Path(tempfile.mkdtemp(prefix="cormack-faces-", dir=folder)))
    try:
        listener.step("Finding faces")
        heads: dict[int, bool] = {}
        volumes = [entry for entry in found.series if _is_volume(entry)]
        for done, entry in enumerate(volumes, start=1):
            verdict = _judge_volume(plan, entry, chosen, margin_mm)
            heads[entry.study] = heads.get(entry.study, False) or verdict.kind != ABSENT or verdict is _NO_VOXEL
            listener.advance(done, len(volumes))
        others = [entry for entry in found.series if not _is_volume(entry)]
        for entry in others:
            verdict = without_volume(
                entry, study_shows_head=heads.get(entry.study, False), study_has_volume=entry.study in heads
            )
            for instance in entry.instances:
                plan._judge(instance.sop_uid, verdict)
    except BaseException:
        plan.close()
        raise
    return plan


def _is_volume(entry: SeriesEntry) -> bool:
    """True for what can be stacked to a volume of a CT or MR."""
    geometry = entry.geometry
    stacks = geometry is not None and len(geometry.order) >= MIN_SLICES and not entry.broken
    return entry.modality in ("CT", "MR") and stacks and not entry.is_localizer


def _judge_volume(plan: FacePlan, entry: SeriesEntry, parts: tuple[str, ...], margin_mm: float) -> FaceVerdict:
    shows_brain = _shows_brain(entry)
    verdict = of_body_part(entry, shows_brain=shows_brain)
    if verdict is None:
        found = _find(entry, parts, margin_mm, may_be_trunk=shows_brain is False)
        verdict = found if isinstance(found, FaceVerdict) else _masks(plan, entry, found.region)
    for instance in entry.instances:
        plan._judge(instance.sop_uid, verdict)
    return verdict


def _shows_brain(entry: SeriesEntry) -> bool | None:
    """What a look into a few slices tells of a CT; None if it does not tell."""
    return look_at([entry])[0].head if entry.modality == "CT" else None


def _find(
    entry: SeriesEntry, parts: tuple[str, ...], margin_mm: float, *, may_be_trunk: bool
) -> HeadFace | FaceVerdict:
    """The face of one series, or why there is none, or why it is refused."""
    modality = Modality.CT if entry.modality == "CT" else Modality.MR
    try:
        assembly = assemble(entry)
        if may_be_trunk and shows_trunk_only(assembly.stack):
            return FaceVerdict(ABSENT, "no brain is seen in its slices, and each of them is wider than any head")
        found = find_face(assembly.stack, assembly.padding_hu, modality, parts=parts, margin_mm=margin_mm)
    except CormackError as error:
        return FaceVerdict(REFUSED, f"{entry.modality} that may show a head, whose face was not found: {error}")
    except MemoryError:
        return FaceVerdict(REFUSED, "too large for the memory of this machine")
    except BACKEND_ERRORS:
        # What numpy and scipy raise on numbers that nobody thought of: refused, like all that is not understood.
        return FaceVerdict(REFUSED, f"{entry.modality} that may show a head, in which the search for the face failed")
    if found.leaves_face:
        return FaceVerdict(REFUSED, "a head whose brain mask reaches into the face, so that parts of it would stay")
    return found


def _masks(plan: FacePlan, entry: SeriesEntry, region: FaceRegion) -> FaceVerdict:
    """Write the masks of all images of a series, each where its own header puts it."""
    touched = False
    for instance, mask in _planes(entry, region):
        plan._keep(instance, mask)
        touched |= bool(mask.any())
    return FaceVerdict(MASKED, f"face found in a {entry.modality} of a head") if touched else _NO_VOXEL


def _planes(entry: SeriesEntry, region: FaceRegion) -> Iterator[tuple[Instance, npt.NDArray[np.bool_]]]:
    for instance in entry.instances:
        if not (instance.position and instance.orientation and instance.pixel_spacing):
            raise GeometryError("an image of a stack has no place")  # the stack's geometry was made from them all
        place = stack_geometry([instance.orientation], [instance.position], instance.pixel_spacing)
        labels = region.plane(place.origins[0], place.step_i, place.step_j, (instance.columns, instance.rows))
        yield instance, labels.T > 0
