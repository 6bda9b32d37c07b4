"""Filtered and resampled scans as files, with what was done beside them, and pictures of before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.provenance import generated_by
from cormack.core.volume import Unit, Volume
from cormack.extract.head import head_mask
from cormack.files.nifti import write_labels, write_volume
from cormack.files.outputs import OutputSet, check_writable
from cormack.files.sidecar import to_json
from cormack.imaging.filters import gaussian, in_type_of, median
from cormack.imaging.n4 import n4
from cormack.imaging.native import volume_to_stack
from cormack.imaging.noise_power import harmonize_kernel, noise_power
from cormack.imaging.orient import axis_codes, reorient
from cormack.imaging.perona_malik import Conductance, perona_malik, time_steps
from cormack.imaging.rectify import rectify
from cormack.imaging.resample import resample
from cormack.pipeline.bias_field import foreground
from cormack.pipeline.convert import check_target, stem
from cormack.pipeline.images import Kind, find_image, read_image
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress, Silent
from cormack.report.plots.canvas import check_picture, save_axes
from cormack.report.plots.sections import plot_pair

#: Orders of interpolation by name.
ORDERS = {"nearest": 0, "linear": 1, "cubic": 3}

#: What a filter gives: the volume, and the parameters that tell how it was made.
Filtered = tuple[Volume, Mapping[str, object]]


@dataclass(frozen=True)
class Written:
    """What was written, and what there is to tell of it."""

    image: Volume | LabelMap
    facts: Mapping[str, object] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def resample_file(
    source: Path,
    out: Path,
    spacing_mm: float,
    options: LoadOptions | None = None,
    *,
    order: str = "linear",
    labels: bool = False,
    progress: Progress | None = None,
) -> Written:
    """Write a scan or label map on cubic voxels; the spacing that is told is read off the new grid.

    Raises
    ------
    CormackError
        If the input or output cannot be used.
    """
    listener = progress or Silent()
    check_target(source, out)
    if labels and order == "cubic":
        raise InputError("labels are not interpolated by cubic splines; take linear or nearest")
    kind = Kind.LABELS if labels else Kind.VALUES
    found = find_image(source, options or LoadOptions(), listener, kind=kind)
    listener.step("Resampling")
    image = resample(found.image, spacing_mm, order=ORDERS[order])
    spacing = np.linalg.norm(image.affine[:3, :3], axis=0)
    facts = {
        "VoxelSize": [round(float(step), 6) for step in spacing],
        "VoxelSizeBefore": [round(float(step), 6) for step in np.linalg.norm(found.image.affine[:3, :3], axis=0)],
        "Shape": list(image.data.shape),
        "Interpolation": f"{order}, once",
    }
    _write(out, image, facts, found.codes)
    return Written(image, facts, found.findings)


def filter_file(
    source: Path,
    out: Path,
    options: LoadOptions | None,
    work: Callable[[Volume], Filtered],
    *,
    picture: Path | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write a filtered scan with a sidecar, and a picture of before and after if one is asked for.

    Parameters
    ----------
    source, out : Path
    options : LoadOptions or None
    work : callable
        One of the filters of this module, such as `gaussian_by(1.5)`.
    picture : Path, optional
        `.png`, `.svg` or `.pdf`.
    progress : Progress, optional

    Raises
    ------
    CormackError
        If the input or output cannot be used.
    """
    listener = progress or Silent()
    check_target(source, out)
    ending = None if picture is None else check_picture(picture)
    if picture is not None:
        check_writable(picture.parent)
    found = find_image(source, options or LoadOptions(), listener)
    volume = _upright(found.image)
    listener.step("Filtering")
    filtered, facts = work(volume)
    filtered = in_type_of(filtered, volume)
    listener.step("Writing files")
    _write(out, filtered, facts, found.codes)
    if picture is not None and ending is not None:
        axes = plot_pair(volume, filtered)
        with OutputSet(picture.parent) as outputs:
            save_axes(axes[0], outputs.part(picture.name), ending)
    return Written(filtered, facts, found.findings)


def gaussian_by(sigma_mm: float) -> Callable[[Volume], Filtered]:
    """Smooth by a Gaussian of this width."""
    return lambda volume: (gaussian(volume, sigma_mm), {"Filter": "Gaussian", "SigmaMillimetres": sigma_mm})


def median_by(radius_mm: float) -> Callable[[Volume], Filtered]:
    """Take the median within this radius."""
    return lambda volume: (median(volume, radius_mm), {"Filter": "median", "RadiusMillimetres": radius_mm})


def perona_malik_by(sigma_mm: float, edge_per_mm: float, conductance: Conductance) -> Callable[[Volume], Filtered]:
    """Diffuse as far as a Gaussian of this width would, but not across edges."""

    def work(volume: Volume) -> Filtered:
        smooth = perona_malik(volume, sigma_mm, edge_per_mm=edge_per_mm, conductance=conductance)
        steps, time_mm2 = time_steps(sigma_mm, volume.spacing_mm)
        return smooth, {
            "Filter": "Perona-Malik",
            "SigmaMillimetres": sigma_mm,
            "EdgePerMillimetre": edge_per_mm,
            "Conductance": conductance,
            "Steps": steps,
            "StepSquareMillimetres": round(time_mm2, 6),
        }

    return work


def n4_within(mask: Path | None) -> Callable[[Volume], Filtered]:
    """Divide by the slow field that N4 finds within a mask: the head by default."""

    def work(volume: Volume) -> Filtered:
        corrected, bias = n4(volume, _mask(volume, mask))
        low, high = (round(float(v), 4) for v in np.quantile(bias.data, [0.01, 0.99]))
        return corrected, {"Filter": "N4", "FieldQuantiles": [low, high]}

    return work


def harmonized_to(
    like: Path | None, frequency_per_mm: float | None, options: LoadOptions
) -> Callable[[Volume], Filtered]:
    """Smooth within the slices until the noise is as coarse as that of another scan, or as a number says."""
    if (like is None) == (frequency_per_mm is None):
        raise InputError("harmonising needs one target: a soft scan (--like) or a mean frequency (--frequency)")

    def work(volume: Volume) -> Filtered:
        target = frequency_per_mm
        if like is not None:
            target = noise_power(_upright(find_image(like, options, Silent()).image))  # type: ignore[assignment]
        made = harmonize_kernel(volume, target)  # type: ignore[arg-type]
        return made.volume, {
            "Filter": "kernel harmonisation (Gaussian within the slices)",
            "SigmaMillimetres": round(made.sigma_mm, 4),
            "NoiseFrequencyTarget": round(made.target_per_mm, 4),
            "NoiseFrequencyBefore": round(made.before.mean_frequency_per_mm, 4),
            "NoiseFrequencyAfter": round(made.after.mean_frequency_per_mm, 4),
            "NoiseBefore": round(made.before.deviation_hu, 2),
            "NoiseAfter": round(made.after.deviation_hu, 2),
        }

    return work


def _upright(image: Volume | LabelMap) -> Volume:
    """The scan without shear: a tilted stack is rectified."""
    if isinstance(image, LabelMap):
        raise InputError("the image holds labels, which are not filtered")
    return image if image.is_orthogonal else rectify(volume_to_stack(image)).volume


def _mask(volume: Volume, path: Path | None) -> npt.NDArray[np.bool_]:
    """The mask of a file, the head of a CT, or what is not background."""
    if path is not None:
        given = read_image(path, Kind.LABELS).image
        if given.data.shape != volume.shape or not np.allclose(given.affine, volume.affine, atol=1e-3):
            raise InputError(f"{path}: the mask lies on another grid than the scan")
        return np.asarray(given.data > 0)
    if volume.unit is Unit.HU:
        codes = axis_codes(volume.affine)
        data, affine = reorient(volume.data, volume.affine)
        mask = head_mask(replace(volume, data=data, affine=affine)).data > 0
        return np.asarray(reorient(mask, affine, codes)[0])
    return foreground(volume)


def _write(out: Path, image: Volume | LabelMap, facts: Mapping[str, object], codes: str) -> None:
    if isinstance(image, Volume):
        facts = {**facts, "Units": str(image.unit), "OutsideValue": image.outside}
    about = {**facts, "GeneratedBy": generated_by()}
    with OutputSet(out.parent) as outputs:
        if isinstance(image, LabelMap):
            write_labels(outputs.part(out.name), image, codes=codes)
        else:
            write_volume(outputs.part(out.name), image, codes=codes)
        outputs.write_text(stem(out) + ".json", to_json(about))
