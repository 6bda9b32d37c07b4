"""Anterior and posterior hippocampus on T1 MR: a crop around one, or a head with both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cormack.core.errors import ExtractionError, InputError, ValuesError
from cormack.core.findings import Finding
from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.volume import Unit, Volume
from cormack.imaging.workgrid import largest_component
from cormack.nn.grid import onto_grid
from cormack.nn.predict import Prediction
from cormack.nn.store import Network, load_network
from cormack.segment.hippocampus_place import Place, find_place, is_crop, left_and_right
from cormack.segment.hippocampus_views import VIEWS, Seen, likeliest, look, mirrored
from cormack.segment.segmentation import Segmentation

NETWORK = "hippocampus"
HIPPOCAMPUS = LabelTable(
    (
        Label(1, "anterior hippocampus", "ant", (230, 159, 0)),
        Label(2, "posterior hippocampus", "post", (86, 180, 233)),
    )
)
HIPPOCAMPI = LabelTable(
    (
        Label(1, "left anterior hippocampus", "L ant", (230, 159, 0)),
        Label(2, "left posterior hippocampus", "L post", (86, 180, 233)),
        Label(3, "right anterior hippocampus", "R ant", (213, 94, 0)),
        Label(4, "right posterior hippocampus", "R post", (0, 114, 178)),
    )
)
METHODS = ("auto", "crop", "head")
#: Voxels longer than the first are told of, than the second refused (mm).
COARSE_MM, COARSEST_MM = 1.6, 3.5
#: Smaller along any axis, an image holds no hippocampus (mm).
LEAST_MM = (12.0, 25.0, 12.0)
#: Of the mean probability (times plausibility); found, and found beyond doubt.
LEAST_SCORE, SURE_SCORE = 0.4, 0.7
#: The sides of a crop are told apart if their scores differ by this.
SIDES_APART = 0.05
#: Pieces apart from the largest are told of from this share of its volume.
PIECES_SHARE = 0.1

Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Spread:
    """Volume of a structure as drawn, and its mean and standard deviation over the views, in mm³."""

    volume_mm3: float
    mean_mm3: float
    sd_mm3: float


def segment_hippocampus(volume: Volume, *, method: str = "auto", network: str | Path = NETWORK) -> Segmentation:
    """Find the anterior and the posterior hippocampus.

    Parameters
    ----------
    volume : Volume
        T1-weighted MR in arbitrary units, shape (i, j, k), at right angles, in any orientation that its affine states.
    method : {"auto", "crop", "head"}
    network : str or Path
        A packaged network, or the folder of an exported one with the same labels.

    Returns
    -------
    Segmentation
        Labels on the grid of the volume: 1 anterior, 2 posterior of a crop; of a head 1 and 2 left, 3 and 4 right. The
        record holds volumes, and their mean and standard deviation over views. Findings: `coarse-voxels`,
        `side-unsure`, `hippocampus-unsure`, `hippocampus-missing`, `hippocampus-cut`, `hippocampus-pieces`.

    Raises
    ------
    ValuesError
        If the unit is not that of MR.
    InputError
        If the voxels are too large, or the image is smaller than a hippocampus.
    ExtractionError
        If no hippocampus is found.
    """
    if method not in METHODS:
        raise InputError(f"method {method!r}: known methods are {', '.join(METHODS)}")
    coarse = _check(volume)
    ready = load_network(network)
    grid = onto_grid(volume, ready.task.input)
    if method == "crop" or (method == "auto" and is_crop(grid)):
        found, findings = _in_crop(volume, grid, ready)
    else:
        found, findings = _in_head(volume, grid, ready)
    return replace(found, findings=(*coarse, *findings))


def _check(volume: Volume) -> tuple[Finding, ...]:
    if volume.unit is not Unit.ARBITRARY:
        raise ValuesError(
            f"the hippocampus is found on T1-weighted MR in arbitrary units, not in {volume.unit}: give an MR"
        )
    spacing = max(volume.spacing_mm)
    if spacing > COARSEST_MM:
        raise InputError(
            f"voxels are up to {spacing:.1f} mm long; a hippocampus is about 12 mm thick and needs voxels of "
            f"{COARSEST_MM:g} mm at most: give a 3-D T1"
        )
    extent = np.multiply(volume.shape, volume.spacing_mm)
    if sorted(extent)[0] < min(LEAST_MM) or max(extent) < max(LEAST_MM):
        size = " x ".join(f"{mm:.0f}" for mm in extent)
        raise InputError(f"the image covers {size} mm, less than a hippocampus with its surroundings: give more of it")
    if spacing <= COARSE_MM:
        return ()
    message = f"voxels are up to {spacing:.1f} mm long, those of the training 1 mm: volumes are less certain"
    return (Finding("coarse-voxels", message, {"longest_voxel_edge_mm": round(spacing, 2)}),)


def _in_crop(volume: Volume, grid: Volume, network: Network) -> tuple[Segmentation, tuple[Finding, ...]]:
    """One hippocampus of a side that its shape tells."""
    places = find_place(grid, network), find_place(mirrored(grid), network)
    scores = [0.0 if place is None else place.score for place in places]
    right = scores[1] > scores[0]
    place = places[int(right)]
    if place is None or place.score < LEAST_SCORE:
        raise ExtractionError(_nowhere("the crop", max(scores)))
    findings = list(_doubts(place, "the hippocampus"))
    if abs(scores[0] - scores[1]) < SIDES_APART:
        findings.append(
            Finding(
                "side-unsure",
                "by its shape the hippocampus may be a left or a right one; its parts are labelled all the same",
                {"score_left": round(scores[0], 3), "score_right": round(scores[1], 3)},
            )
        )
    seen = look(place.window, network)
    labels, noticed = _drawn(volume, seen, "the hippocampus")
    findings += noticed
    side = "right" if right else "left"
    described = LabelMap(labels, volume.affine, HIPPOCAMPUS, _description(f"a {side} one by its shape"))
    spreads = _spreads(described, HIPPOCAMPUS, "hippocampus", seen)
    return Segmentation(described, record=_record(spreads)), tuple(findings)


def _in_head(volume: Volume, grid: Volume, network: Network) -> tuple[Segmentation, tuple[Finding, ...]]:
    """Left and right hippocampus of a head."""
    both = LabelMap(np.zeros(volume.shape, dtype=np.uint8), volume.affine, HIPPOCAMPI, _description("of a head"))
    spreads: dict[str, Spread] = {}
    findings: list[Finding] = []
    best = 0.0
    for side, part, first in zip(("left", "right"), left_and_right(grid), (0, 2), strict=True):
        place = find_place(part, network)
        score = 0.0 if place is None else place.score
        best = max(best, score)
        if place is None or score < LEAST_SCORE:
            findings.append(
                Finding("hippocampus-missing", _nowhere(f"the {side} side", score), {"score": round(score, 3)})
            )
            continue
        findings += _doubts(place, f"the {side} hippocampus")
        seen = look(place.window, network)
        drawn, noticed = _drawn(volume, seen, f"the {side} hippocampus")
        both.data[drawn > 0] = drawn[drawn > 0] + first
        spreads |= _spreads(both, HIPPOCAMPI.labels[first : first + 2], f"{side} hippocampus", seen)
        findings += noticed
    if not spreads:
        raise ExtractionError(_nowhere("either side of the head", best))
    return Segmentation(both, record=_record(spreads)), tuple(findings)


def _drawn(volume: Volume, seen: Seen, what: str) -> tuple[Labels, tuple[Finding, ...]]:
    """Labels on the grid of the volume, one piece; findings where something of the hippocampus is lost."""
    box, part = _box(volume, seen.prediction)
    affine = volume.affine.copy()
    affine[:3, 3] = volume.world([s.start for s in box])
    labels = likeliest(seen.prediction.on_grid(affine, part))
    apart = (labels > 0) & ~largest_component(labels > 0)
    labels[apart] = 0
    out = np.zeros(volume.shape, dtype=np.uint8, order="F")
    out[box] = labels
    findings = []
    if np.count_nonzero(apart) > PIECES_SHARE * np.count_nonzero(labels):
        findings.append(_pieces_finding(what, 1000 * np.count_nonzero(apart) * volume.voxel_volume_ml))
    if any(edge.any() for edge in (out[0], out[-1], out[:, 0], out[:, -1], out[:, :, 0], out[:, :, -1])):
        findings.append(_cut_finding(what))
    return out, tuple(findings)


def _box(volume: Volume, prediction: Prediction) -> tuple[tuple[slice, slice, slice], tuple[int, int, int]]:
    """The voxels of a volume that a prediction covers, and how many along each axis."""
    grid = prediction.volume(1)
    last = np.array(grid.shape) - 0.5
    corners = np.stack(np.meshgrid(*((-0.5, end) for end in last), indexing="ij"), axis=-1).reshape(-1, 3)
    voxels = volume.voxel(grid.world(corners))
    low = np.clip(np.floor(voxels.min(axis=0)), 0, np.subtract(volume.shape, 1)).astype(int)
    high = np.clip(np.ceil(voxels.max(axis=0)) + 1, low + 1, volume.shape).astype(int)
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return (i, j, k), (i.stop - i.start, j.stop - j.start, k.stop - k.start)


def _spreads(labels: LabelMap, parts: Iterable[Label], whole: str, seen: Seen) -> dict[str, Spread]:
    """Volumes as drawn, and their mean and standard deviation over the views: of the parts, and of the whole."""
    drawn = {label.name: 1000 * labels.volume_ml(label.index) for label in parts}
    volumes = [*drawn.values(), sum(drawn.values())]
    columns = [*seen.volumes_mm3.T, seen.volumes_mm3.sum(axis=1)]
    return {
        name: Spread(volume, float(column.mean()), float(column.std(ddof=1)))
        for name, volume, column in zip((*drawn, whole), volumes, columns, strict=True)
    }


def _record(spreads: Mapping[str, Spread]) -> dict[str, object]:
    """Fields of the sidecar."""
    parts = {"VolumesMm3": "volume_mm3", "ViewsMeanMm3": "mean_mm3", "ViewsSdMm3": "sd_mm3"}
    return {
        field: {name: round(float(getattr(spread, of)), 1) for name, spread in spreads.items()}
        for field, of in parts.items()
    }


def _doubts(place: Place, what: str) -> tuple[Finding, ...]:
    if place.score >= SURE_SCORE:
        return ()
    message = f"{what} was found with a confidence of {place.score:.2f} (sure from {SURE_SCORE:g}): look at the labels"
    return (Finding("hippocampus-unsure", message, {"score": round(place.score, 3)}),)


def _cut_finding(what: str) -> Finding:
    return Finding("hippocampus-cut", f"{what} reaches the edge of the image: its volume is that of the visible part")


def _pieces_finding(what: str, apart_mm3: float) -> Finding:
    message = (
        f"{what} was found in pieces: {apart_mm3:.0f} mm³ apart from the largest are left out; a gap in the image, or "
        "something taken for a hippocampus: look at the labels"
    )
    return Finding("hippocampus-pieces", message, {"apart_mm3": round(apart_mm3, 1)})


def _nowhere(where: str, score: float) -> str:
    return (
        f"no hippocampus was found in {where} (confidence {score:.2f}, at least {LEAST_SCORE:g} is needed); is it a "
        "T1-weighted MR, and does its header state the right orientation?"
    )


def _description(of: str) -> str:
    return (
        f"anterior and posterior hippocampus, {of}; network {NETWORK}, mean probability of {VIEWS + 1} views; protocol "
        "of Task04 of the Medical Segmentation Decathlon, where the uncal apex parts anterior from posterior"
    )
