"""Pictures of scans: read whatever is given, draw it, write it whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.volume import SliceStack, Unit, Volume
from cormack.files.label_tables import read_label_table
from cormack.files.nifti import is_nifti
from cormack.files.outputs import OutputSet, check_apart, check_writable
from cormack.imaging.condition import condition
from cormack.imaging.sections import PLANES
from cormack.pipeline.images import Kind, find_image, read_image
from cormack.pipeline.load import locate
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress, Silent
from cormack.report.plots.canvas import DPI, check_picture, save_axes, thinned_text
from cormack.report.plots.histogram import plot_histogram
from cormack.report.plots.montage import plot_montage
from cormack.report.plots.palette import draw_legend
from cormack.report.plots.sections import PairKind, Plane, plot_pair, plot_planes


@dataclass(frozen=True)
class LookOptions:
    """How a scan is drawn.

    Parameters
    ----------
    window : str
        A preset, "LEVEL,WIDTH", "auto", "equalised" or "all-range".
    sigmoid : bool
    color_map : str or None
    at_mm : three floats or None
        RAS+ millimetres; the middle of the body by default.
    normal : three floats or None
        Of an oblique plane, drawn beside the three.
    dpi : int
    load : LoadOptions
    """

    window: str = "auto"
    sigmoid: bool = False
    color_map: str | None = None
    at_mm: tuple[float, float, float] | None = None
    normal: tuple[float, float, float] | None = None
    dpi: int = DPI
    load: LoadOptions = field(default_factory=LoadOptions)

    def tones(self) -> dict[str, Any]:
        """What the plots take."""
        return {"window": self.window, "sigmoid": self.sigmoid, "color_map": self.color_map}


def draw_histogram(
    source: Path,
    out: Path,
    options: LookOptions | None = None,
    *,
    log: bool = True,
    stretched: bool = True,
    progress: Progress | None = None,
) -> tuple[Finding, ...]:
    """Draw the histogram of a scan, its padding told apart from air; returns what was noticed.

    Raises
    ------
    CormackError
        If the input or output cannot be used.
    """
    chosen, listener = options or LookOptions(), progress or Silent()
    with _picture(source, out, chosen, listener) as axes:
        with closing(locate(source, chosen.load, listener)) as located:
            loaded = located.load(listener)
        volume, unmeasured = _with_padding(loaded.stack, loaded.padding_hu)
        listener.step("Drawing")
        axes.append(plot_histogram(volume, unmeasured=unmeasured, log=log, stretched=stretched))
    return loaded.findings


def draw_montage(
    source: Path,
    out: Path,
    options: LookOptions | None = None,
    *,
    labels: Path | None = None,
    count: int = 36,
    every: int | None = None,
    plane: str = "axial",
    progress: Progress | None = None,
) -> tuple[Finding, ...]:
    """Draw many slices of a scan in one picture, with labels over them if there are any; returns what was noticed.

    Raises
    ------
    CormackError
        If an input or the output cannot be used.
    """
    chosen, listener = options or LookOptions(), progress or Silent()
    with _picture(source, out, chosen, listener) as axes:
        volume, overlay, findings = _read(source, chosen, listener, labels)
        axes.append(plot_montage(volume, count=count, every=every, plane=plane, labels=overlay, **chosen.tones()))
        if overlay is not None:
            draw_legend(axes[0], overlay)
    return findings


def draw_planes(
    source: Path,
    out: Path,
    options: LookOptions | None = None,
    *,
    labels: Path | None = None,
    names: Path | None = None,
    opacity: float = 0.4,
    planes: Sequence[str] = tuple(PLANES),
    progress: Progress | None = None,
) -> tuple[Finding, ...]:
    """Draw planes of a scan through one point, with labels over them if there are any; returns what was noticed.

    Raises
    ------
    CormackError
        If an input or the output cannot be used.
    """
    chosen, listener = options or LookOptions(), progress or Silent()
    with _picture(source, out, chosen, listener) as axes:
        volume, overlay, findings = _read(source, chosen, listener, labels, names)
        shown: tuple[Plane, ...] = tuple(planes) if chosen.normal is None else (*planes, chosen.normal)
        at = _middle_of(overlay) if overlay is not None and chosen.at_mm is None else chosen.at_mm
        axes.extend(plot_planes(volume, planes=shown, at_mm=at, labels=overlay, opacity=opacity, **chosen.tones()))
        if overlay is not None:
            draw_legend(axes[0], overlay)
    return findings


def draw_pair(
    before: Path,
    after: Path,
    out: Path,
    options: LookOptions | None = None,
    *,
    kind: PairKind = "side",
    plane: str = "axial",
    progress: Progress | None = None,
) -> tuple[Finding, ...]:
    """Draw two scans of one space against each other; returns what was noticed.

    Raises
    ------
    CormackError
        If an input or the output cannot be used.
    """
    chosen, listener = options or LookOptions(), progress or Silent()
    check_apart(after, out)
    with _picture(before, out, chosen, listener) as axes:
        found = [find_image(path, chosen.load, listener) for path in (before, after)]
        first, second = (_as_volume(one.image) for one in found)
        listener.step("Drawing")
        shown = chosen.normal or plane
        axes.extend(plot_pair(first, second, kind=kind, plane=shown, at_mm=chosen.at_mm, window=chosen.window))
    return tuple(finding for one in found for finding in one.findings)


def read_overlay(path: Path, load: LoadOptions, names: Path | None = None) -> LabelMap:
    """Labels to draw over a scan.

    Raises
    ------
    InputError
        If the file holds no labels, or none above 0.
    """
    if not is_nifti(path):
        raise InputError(f"{path}: labels are read from NIfTI files (.nii.gz, .nii)")
    found = read_image(path, Kind.LABELS, assume_mm=load.assume_mm).image
    if not isinstance(found, LabelMap) or not found.data.any():
        raise InputError(f"{path}: no label above 0: there is nothing to draw")
    if names is None:
        return found
    return LabelMap(found.data, found.affine, read_label_table(names), found.description)


def _read(
    source: Path, options: LookOptions, progress: Progress, labels: Path | None, names: Path | None = None
) -> tuple[Volume, LabelMap | None, tuple[Finding, ...]]:
    """What is to be drawn, the labels over it, and what reading noticed."""
    found = find_image(source, options.load, progress)
    overlay = None if labels is None else read_overlay(labels, options.load, names)
    progress.step("Drawing")
    return _as_volume(found.image), overlay, found.findings


@contextmanager
def _picture(source: Path, out: Path, options: LookOptions, progress: Progress) -> Iterator[list[Any]]:
    """Check the output before any time is spent; write the figure of the first axes that are put into the list."""
    ending = check_picture(out)
    check_apart(source, out)
    check_writable(out.parent)
    axes: list[Any] = []
    yield axes
    if (thinned := thinned_text(axes[0])) is not None:
        progress.note(f"the picture is coarser than the scan: {thinned}")
    with OutputSet(out.parent) as outputs:
        save_axes(axes[0], outputs.part(out.name), ending, dpi=options.dpi)


def _with_padding(stack: SliceStack, padding_hu: tuple[float, ...]) -> tuple[Volume, npt.NDArray[np.bool_] | None]:
    """Values and where nothing was measured; unevenly spaced slices count with their mean distance."""
    unmeasured = None
    if stack.unit is Unit.HU:
        conditioned = condition(stack, padding_hu)
        stack, unmeasured = conditioned.stack, conditioned.padded if conditioned.padding_hu else None
    if stack.affine is not None:
        return stack.to_volume(), unmeasured
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = stack.step_i, stack.step_j
    affine[:3, 2] = (stack.origins[-1] - stack.origins[0]) / max(1, len(stack.origins) - 1)
    return Volume(stack.data, affine, unit=stack.unit, outside=stack.outside), unmeasured


def _as_volume(image: Volume | LabelMap) -> Volume:
    if isinstance(image, Volume):
        return image
    return Volume(image.data, image.affine, unit=Unit.ARBITRARY, outside=0.0)


def _middle_of(labels: LabelMap) -> tuple[float, float, float]:
    """The middle voxel of the labels in RAS+ mm: one that is among them."""
    voxels = np.argwhere(labels.data)
    middle = voxels[np.linalg.norm(voxels - voxels.mean(axis=0), axis=1).argmin()]
    x, y, z = labels.affine[:3, :3] @ middle + labels.affine[:3, 3]
    return float(x), float(y), float(z)
