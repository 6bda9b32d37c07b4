"""From the instances of one series to a SliceStack: every slice where its header puts it, every value as stored."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from cormack.core.errors import DicomError, GeometryError, SeriesError
from cormack.core.findings import Finding
from cormack.core.volume import SliceStack, Unit
from cormack.dicom import headers
from cormack.dicom.decoders import WORKERS, DecodeWorkers
from cormack.dicom.facts import acquisition_of, header_facts
from cormack.dicom.geometry import StackGeometry
from cormack.dicom.instance import Instance
from cormack.dicom.inventory import Progress, SeriesEntry
from cormack.dicom.padding import CT_PADDING_BELOW_HU, conventional_fill, stated_padding
from cormack.dicom.pixels import stored_values
from cormack.dicom.remarks import geometry_findings
from cormack.dicom.rescale import SliceBuffer, rescaled, slope_and_intercept

MIN_SLICES = 3
#: As many files are read and decoded at a time as there are decoders, and so many wait in memory.
WAITING = 4


@dataclass(frozen=True, eq=False)
class Assembly:
    """A series in space.

    Parameters
    ----------
    stack : SliceStack
        Values in HU exactly as stored (padding included): int16 if all of them fit without rounding, else float32.
    padding_hu : tuple of float
        Values that mean "nothing was measured here", in HU: stated by the header, or found as constant border.
    findings : tuple of Finding
    left_out : mapping of str to int
        Images of the series that are not in the stack, counted by reason.
    """

    stack: SliceStack
    padding_hu: tuple[float, ...]
    findings: tuple[Finding, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _File:
    """What one file told beside its slices, which are in the buffer; or why it gave none."""

    places: tuple[int, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    padding: frozenset[float] = frozenset()
    problem: str | None = None


def assemble(entry: SeriesEntry, *, min_slices: int = MIN_SLICES, on_progress: Progress | None = None) -> Assembly:
    """Stack the slices of a series.

    Parameters
    ----------
    entry : SeriesEntry
    min_slices : int
        Fewer slices are refused.
    on_progress : callable, optional
        Called with (files done, files in all).

    Raises
    ------
    GeometryError
        If the images make no stack.
    SeriesError
        If there are fewer than `min_slices` slices.
    DicomError
        If so many files are broken that fewer remain.
    """
    geometry = entry.geometry
    if geometry is None:
        raise GeometryError(f"{entry.label} makes no volume: {entry.geometry_problem}")
    if len(geometry.order) < min_slices:
        raise SeriesError(f"{entry.label} has {len(geometry.order)} slices; a volume needs at least {min_slices}")
    places = [entry.instances[index] for index in geometry.order]
    buffer = SliceBuffer(len(places), entry.first.rows, entry.first.columns)
    files: list[_File] = []
    left_out = Counter(entry.left_out)
    lost: set[int] = set()
    with headers.quiet():
        for done, total, result in _read_files(entry, places, buffer):
            if result.problem is None:
                files.append(result)
            else:
                left_out[result.problem] += len(result.places)
                lost.update(result.places)
            if on_progress is not None:
                on_progress(done, total)
    kept = [k for k in range(len(places)) if k not in lost]
    if len(kept) < min_slices:
        raise DicomError(_too_broken(left_out, len(kept), min_slices))
    return _finish(entry, geometry, kept, buffer.data, files, left_out)


def _read_files(entry: SeriesEntry, places: list[Instance], buffer: SliceBuffer) -> Iterator[tuple[int, int, _File]]:
    """Read, decode and rescale file after file, two at a time, few of them in memory at once."""
    by_item: dict[int, list[int]] = defaultdict(list)
    for k, instance in enumerate(places):
        by_item[instance.item].append(k)
    done, total = 0, len(by_item)
    waiting: deque[Future[_File]] = deque()
    with DecodeWorkers() as workers, ThreadPoolExecutor(WORKERS) as pool:
        # In the order of the files: an archive is then read from its beginning to its end, once.
        for item in sorted(by_item):
            waiting.append(pool.submit(_read_file, entry, item, tuple(by_item[item]), places, buffer, workers))
            if len(waiting) >= WAITING:
                done += 1
                yield done, total, waiting.popleft().result()
        while waiting:
            done += 1
            yield done, total, waiting.popleft().result()


def _read_file(
    entry: SeriesEntry,
    item: int,
    ks: tuple[int, ...],
    places: list[Instance],
    buffer: SliceBuffer,
    workers: DecodeWorkers,
) -> _File:
    try:
        data = entry.source.read(entry.source.items[item])
        dataset = headers.parse_file(data)
        # A multi-frame file is as large as the volume: its bytes go as soon as they are parsed.
        del data
        problem = _not_the_same(dataset, places[ks[0]])
        if problem is not None:
            return _File(ks, problem=problem)
        padding = set[float]()
        for k in ks:
            frame = places[k].frame
            slope, intercept = slope_and_intercept(dataset, frame)
            stored = stored_values(dataset, frame or 0, workers)
            padding |= stated_padding(dataset, stored, slope, intercept)
            buffer.put(k, rescaled(stored, slope, intercept))
        facts = header_facts(dataset)
    except DicomError as error:
        return _File(ks, problem=_reason(error))
    except headers.BACKEND_ERRORS:
        return _File(ks, problem="damaged file")
    return _File(ks, facts, frozenset(padding))


def _not_the_same(dataset: Any, instance: Instance) -> str | None:
    """Whether the file is still what the inventory saw."""
    uid = headers.text(dataset, "SOPInstanceUID", 128) or ""
    if uid == instance.sop_uid:
        return None
    # pydicom gives an empty data set where the file ends within an element: its header was read, so the pixels are cut.
    return "changed while it was read" if uid else "truncated or damaged pixel data"


def _reason(error: DicomError) -> str:
    message = str(error)
    if "pixel data" in message or "compressed image" in message:
        return "truncated or damaged pixel data"
    if "lookup table" in message or "Rescale" in message:
        return message
    return "unreadable file" if "cannot be read" in message else "damaged file"


def _too_broken(left_out: Mapping[str, int], kept: int, needed: int) -> str:
    total = sum(left_out.values()) + kept
    reasons = ", ".join(f"{n} x {reason}" for reason, n in sorted(left_out.items()))
    return (
        f"{total - kept} of {total} files of the series cannot be used ({reasons}); "
        f"{kept} slice{'s remain' if kept != 1 else ' remains'}, a volume needs at least {needed}; "
        "copy the files again"
    )


def _finish(
    entry: SeriesEntry,
    geometry: StackGeometry,
    kept: list[int],
    data: npt.NDArray[Any],
    files: list[_File],
    left_out: Counter[str],
) -> Assembly:
    if len(kept) < len(data):
        data = data[kept]
        geometry = StackGeometry(
            geometry.step_i,
            geometry.step_j,
            geometry.origins[kept],
            tuple(geometry.order[k] for k in kept),
            geometry.doubled,
            geometry.orientation_spread,
        )
    is_ct = entry.modality == "CT"
    padding = frozenset().union(*(file.padding for file in files))
    findings = [
        *geometry_findings(geometry, entry.stated_tilt_deg, entry.field_of_view_mm),
        *_left_out_finding(left_out),
    ]
    if is_ct:
        doubtful = sorted(value for value in padding if value >= CT_PADDING_BELOW_HU)
        if doubtful:
            findings.append(_doubtful_padding(doubtful))
        padding -= set(doubtful)
        fill = conventional_fill(data)
        padding |= {fill} if fill is not None else set()
    acquisition = acquisition_of([file.facts for file in files])
    if acquisition.lossy_compressed:
        findings.append(
            Finding(
                "lossy-compression",
                "the images went through lossy compression: their values are not exact",
                {"transfer_syntax": acquisition.transfer_syntax},
            )
        )
    if geometry.doubled:
        left_out["position that another image has"] += len(geometry.doubled)
    stack = SliceStack(
        data.transpose(2, 1, 0),
        geometry.step_i,
        geometry.step_j,
        geometry.origins,
        tuple(entry.instances[index].key for index in geometry.order),
        unit=Unit.HU if is_ct else Unit.ARBITRARY,
        outside=-1024.0 if is_ct else 0.0,
        acquisition=acquisition,
    )
    return Assembly(
        stack,
        tuple(sorted(padding)),
        tuple(findings),
        dict(left_out),
    )


def _left_out_finding(left_out: Mapping[str, int]) -> tuple[Finding, ...]:
    count = sum(left_out.values())
    if not count:
        return ()
    reasons = ", ".join(f"{n} x {reason}" for reason, n in sorted(left_out.items()))
    verb = "images were" if count != 1 else "image was"
    return (Finding("instances-left-out", f"{count} {verb} left out: {reasons}", dict(left_out)),)


def _doubtful_padding(values: list[float]) -> Finding:
    shown = ", ".join(f"{value:g}" for value in values[:5])
    return Finding(
        "padding-doubtful",
        f"the header calls {shown} HU padding, which may be tissue; it is treated as measured",
        {"values_hu": values[:20]},
    )
