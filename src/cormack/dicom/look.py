"""Look into the images of a few series, to choose between them by what they show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cormack.core.errors import DicomError
from cormack.core.volume import AnyArray
from cormack.dicom import headers
from cormack.dicom.criteria import Look
from cormack.dicom.decoders import WORKERS, DecodeWorkers
from cormack.dicom.geometry import StackGeometry
from cormack.dicom.instance import Instance
from cormack.dicom.inventory import SeriesEntry
from cormack.dicom.pixels import stored_values
from cormack.dicom.rescale import rescaled, slope_and_intercept
from cormack.imaging.glance import CONTRAST_ML, Section, filled_vessels_ml, section

#: Slices looked at for a skull: one in so many millimetres, within these limits of their number.
SKULL_EVERY_MM = 20.0
SKULL_SLICES = (14, 32)
#: Brain in so many of them makes a head; in one, where no more than this many are there.
BRAIN_SLICES = 2
FEW_SLICES = 6
#: Vessels are looked for in this part of the slices that show brain (from end to end, 0 to 1): above the skull's base,
#: below the vertex; in one slice of so many millimetres, and in so many at most.
VESSEL_PART = (0.25, 0.75)
VESSEL_EVERY_MM = 1.8
VESSEL_SLICES = 32
#: Where this much brain lies within the skull, the vertex is about 1 cm away or more (cm²): in the uppermost slices of
#: three whole heads it is 0 to 2 cm², 1 cm farther down 8 to 30.
VERTEX_CM2 = 20.0
#: Pixels of other sizes are not those of a head (mm).
PIXEL_MM = (0.05, 5.0)
#: Larger files are not read for a look (bytes).
LARGEST_FILE = 256 * 2**20
#: Many parts of one series, as perfusion gives, are not all looked at.
MOST_SERIES = 12


def look_at(entries: Sequence[SeriesEntry]) -> tuple[Look, ...]:
    """Look into the first `MOST_SERIES` CT series given: a few slices of each are read and decoded.

    Never raises for damaged images: what cannot be read is not known.
    """
    with headers.quiet(), DecodeWorkers() as workers:
        return tuple(
            _look(entry, workers) if n < MOST_SERIES and entry.modality == "CT" else Look()
            for n, entry in enumerate(entries)
        )


def _look(entry: SeriesEntry, workers: DecodeWorkers) -> Look:
    geometry, spacing = entry.geometry, entry.first.pixel_spacing
    if geometry is None or spacing is None or not all(PIXEL_MM[0] <= step <= PIXEL_MM[1] for step in spacing):
        return Look()
    reader = _Reader(entry, geometry, workers)
    # Columns lie PixelSpacing[1] apart.
    plane_mm = (spacing[1], spacing[0])
    try:
        sections = _sections(reader, geometry, plane_mm)
        brain = [k for k, shown in sections.items() if shown.shows_brain]
        if len(brain) < (BRAIN_SLICES if len(sections) > FEW_SLICES else 1):
            return Look(head=False)
        return Look(True, _missing(sections, geometry), _filled_vessels(reader, geometry, plane_mm, brain))
    except (DicomError, *headers.BACKEND_ERRORS):
        return Look()


class _Reader:
    """Slices of one series by their place in the stack."""

    def __init__(self, entry: SeriesEntry, geometry: StackGeometry, workers: DecodeWorkers) -> None:
        self._entry, self._geometry, self._workers = entry, geometry, workers

    def read(self, places: Sequence[int]) -> list[AnyArray]:
        """Hounsfield units of some slices, each of shape (i, j), in the order asked for."""
        by_item: dict[int, list[int]] = defaultdict(list)
        for k in places:
            by_item[self._instance(k).item].append(k)
        # In the order of the files: an archive is then read from its beginning to its end.
        items = sorted(by_item)
        with ThreadPoolExecutor(WORKERS) as pool:
            images = dict(
                pair for pairs in pool.map(self._read_file, items, [by_item[n] for n in items]) for pair in pairs
            )
        return [images[k] for k in places]

    def _instance(self, k: int) -> Instance:
        return self._entry.instances[self._geometry.order[k]]

    def _read_file(self, index: int, places: list[int]) -> list[tuple[int, AnyArray]]:
        item = self._entry.source.items[index]
        if item.size > LARGEST_FILE:
            raise DicomError("a file is too large for a look")
        dataset = headers.parse_file(self._entry.source.read(item))
        images = []
        for k in places:
            frame = self._instance(k).frame
            stored = stored_values(dataset, frame or 0, self._workers)
            images.append((k, rescaled(stored, *slope_and_intercept(dataset, frame)).T))
        return images


def _sections(reader: _Reader, geometry: StackGeometry, plane_mm: tuple[float, float]) -> dict[int, Section]:
    """What slices spread over the stack show, its ends among them; by their place, ascending."""
    n = len(geometry.order)
    count = min(n, int(np.clip(geometry.extent_mm / SKULL_EVERY_MM, *SKULL_SLICES)))
    places = [int(k) for k in np.unique(np.round(np.linspace(0, n - 1, count)))]
    return {k: section(image, plane_mm) for k, image in zip(places, reader.read(places), strict=True)}


def _missing(sections: dict[int, Section], geometry: StackGeometry) -> tuple[str, ...] | None:
    """Which ends of the head an axial stack lacks: brain within the skull reaches its uppermost or lowest slices."""
    upward = list(sections.values())[:: 1 if geometry.normal[2] > 0 else -1]
    if geometry.plane != "axial" or len(upward) < FEW_SLICES:
        return None
    # The neck may pass for brain in a single slice.
    ends = {"vertex": upward[-1].enclosed_cm2 > VERTEX_CM2, "base": all(shown.shows_brain for shown in upward[:2])}
    return tuple(name for name, missing in ends.items() if missing)


def _filled_vessels(
    reader: _Reader, geometry: StackGeometry, plane_mm: tuple[float, float], brain: list[int]
) -> bool | None:
    distance_mm = geometry.spacing_mm
    low, high = (brain[0] + part * (brain[-1] - brain[0]) for part in VESSEL_PART)
    if not distance_mm or high - low < 1:
        return None
    every = max(1, round(VESSEL_EVERY_MM / distance_mm), int(np.ceil((high - low) / VESSEL_SLICES)))
    slab = np.stack(reader.read(range(round(low), round(high) + 1, every)), axis=2)
    volume_ml = filled_vessels_ml(slab, (*plane_mm, every * distance_mm))
    return None if volume_ml is None else volume_ml >= CONTRAST_ML
