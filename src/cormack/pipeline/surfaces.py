"""Surfaces of a scan or of labels: a picture, a page, or a file to print from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from cormack.core.errors import ExtractionError, InputError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.mesh import Mesh
from cormack.core.volume import Unit, Volume
from cormack.extract.head import head_mask
from cormack.files.meshes import MESH_ENDINGS, Space, write_mesh
from cormack.files.outputs import OutputSet, check_apart, check_writable
from cormack.imaging.blocks import block_mean
from cormack.imaging.orient import reorient
from cormack.imaging.resample import resample
from cormack.imaging.surfaces import TRACED_MM, closed, iso_surface, label_surface
from cormack.pipeline.images import find_image
from cormack.pipeline.look import LookOptions, read_overlay
from cormack.pipeline.progress import Progress, Silent
from cormack.report.plots.canvas import ENDINGS, check_picture, save_axes
from cormack.report.plots.palette import label_colors, label_names
from cormack.report.plots.surface import plot_surface
from cormack.report.plots.surface_page import fitted, surface_page

#: Levels by name (HU): between air and skin, and between soft tissue and spongy bone.
LEVELS_HU = {"skin": -300.0, "bone": 250.0}
#: Pieces smaller than this are noise, calcium and parts of the table (ml).
LEAST_ML = {"skin": 50.0, "bone": 1.0}
#: What is put where the table was.
AIR_HU = -1000
#: Triangles of a file for printing; a surface of 1 mm voxels has several times as many.
FACES = 200_000
#: Scans of more voxels than this are averaged before anything else is done.
MOST_VOXELS = 150_000_000
#: Still pictures are made for print.
STILL_DPI = 300


@dataclass(frozen=True)
class SurfaceOptions:
    """Which surfaces are drawn, and how.

    Parameters
    ----------
    surfaces : tuple of str
        "skin", "bone", or a level in the unit of the scan.
    faces : int
        At most so many triangles in all; 0 keeps them.
    spacing_mm : float
        Finer voxels are averaged to about this edge.
    view : str
        Of a still picture.
    space : "LPS" or "RAS"
        Of STL, PLY and OBJ.
    look : LookOptions
    """

    surfaces: tuple[str, ...] = ("skin",)
    faces: int = FACES
    spacing_mm: float = TRACED_MM
    view: str = "oblique"
    space: Space = "LPS"
    look: LookOptions = LookOptions(dpi=STILL_DPI)  # noqa: RUF009  (frozen)


def draw_surface(
    source: Path,
    out: Path,
    options: SurfaceOptions | None = None,
    *,
    labels: Path | None = None,
    names: Path | None = None,
    progress: Progress | None = None,
) -> tuple[tuple[Mesh, ...], tuple[Finding, ...]]:
    """Write surfaces of a scan, or of labels, as its ending says; returns the surfaces and what was noticed.

    Parameters
    ----------
    source : Path
        DICOM folder, file or archive, or NIfTI. With `labels`, it is not read unless surfaces are named.
    out : Path
        `.png`, `.svg` or `.pdf`: a still picture; `.html`: a page to turn; `.stl`, `.ply` or `.obj`: for printing.
    options : SurfaceOptions, optional
    labels, names : Path, optional
        A label map whose labels are drawn, and the table of their names.
    progress : Progress, optional

    Raises
    ------
    CormackError
        If an input or the output cannot be used, or there is no such surface.
    """
    chosen, listener = options or SurfaceOptions(), progress or Silent()
    ending = check_picture(out, (".html", *MESH_ENDINGS))
    check_apart(source, out)
    check_writable(out.parent)
    findings: tuple[Finding, ...] = ()
    meshes: list[Mesh] = []
    colors: list[str] = []
    if labels is not None:
        overlay = read_overlay(labels, chosen.look.load, names)
        listener.step("Tracing labels")
        colors = list(label_colors(overlay).values())
        meshes = [replace(closed(label_surface(overlay, n)), name=name) for n, name in label_names(overlay).items()]
    else:
        found = find_image(source, chosen.look.load, listener)
        if isinstance(found.image, LabelMap):
            raise InputError(f"{source}: these are labels; give them by --labels")
        volume, thinned = _thinned(found.image)
        findings = (*found.findings, *thinned)
        listener.step("Tracing surfaces")
        meshes = trace(volume, chosen)
    if chosen.faces:
        meshes = fitted(meshes, chosen.faces)
    listener.step("Writing files")
    with OutputSet(out.parent) as outputs:
        _write(outputs.part(out.name), ending, meshes, colors, chosen, out.stem)
    return tuple(meshes), findings


def trace(volume: Volume, options: SurfaceOptions) -> list[Mesh]:
    """The surfaces that are asked for; skin and bone of a head without its table.

    Raises
    ------
    InputError
        If a level is no number, or nothing lies at it.
    """
    meshes = []
    named = volume.unit is Unit.HU and set(options.surfaces) & set(LEVELS_HU)
    body = _without_table(volume, options.spacing_mm) if named else volume
    for name in options.surfaces:
        if name in LEVELS_HU:
            if volume.unit is not Unit.HU:
                raise InputError(f"{name} is found by Hounsfield units; give a level in the unit of the scan instead")
            level, least, seen = LEVELS_HU[name], LEAST_ML[name], body
        else:
            level, least, seen = _number(name), 0.0, volume
        meshes.append(closed(iso_surface(seen, level, spacing_mm=options.spacing_mm, least_ml=least, name=name)))
    return meshes


def _number(text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = np.nan
    if not np.isfinite(level):
        raise InputError(f"surface {text!r}: give {', '.join(LEVELS_HU)}, or a level in the unit of the scan")
    return level


def _without_table(volume: Volume, spacing_mm: float) -> Volume:
    """The scan with air around head or body, where one can be found; a tilted stack on cubic voxels of this size."""
    if not volume.is_orthogonal:
        volume = resample(volume, spacing_mm or min(volume.spacing_mm))
    data, affine = reorient(volume.data, volume.affine)
    upright = replace(volume, data=data, affine=affine)
    try:
        head = head_mask(upright)
    except (ExtractionError, InputError):
        return upright
    # The mask ends where tissue does; the voxels around it hold the slope from which the surface is read.
    near = ndimage.binary_dilation(head.data > 0, iterations=2)
    return upright.with_data(np.where(near, data, np.asarray(AIR_HU, dtype=data.dtype)))


def _thinned(volume: Volume) -> tuple[Volume, tuple[Finding, ...]]:
    """A huge volume on larger voxels, and a finding that says so."""
    if volume.data.size <= MOST_VOXELS:
        return volume, ()
    factor = int(np.ceil((volume.data.size / MOST_VOXELS) ** (1 / 3)))
    affine = volume.affine.copy()
    affine[:3, 3] = volume.world([(factor - 1) / 2] * 3)
    affine[:3, :3] *= factor
    data = block_mean(volume.data, (factor, factor, factor))
    told = Finding(
        "downsampled-for-display",
        f"the volume has {volume.data.size / 1e6:.0f} million voxels; surfaces are those of blocks of {factor} x "
        f"{factor} x {factor}",
        {"voxels": volume.data.size, "factor": factor},
    )
    return replace(volume, data=data, affine=affine), (told,)


def _write(path: Path, ending: str, meshes: list[Mesh], colors: list[str], options: SurfaceOptions, title: str) -> None:
    inks = colors or None
    if ending in MESH_ENDINGS:
        write_mesh(path, meshes, ending=ending, space=options.space)
    elif ending == ".html":
        path.write_text(surface_page(meshes, title=title, colors=inks), encoding="utf-8")
    elif ending in ENDINGS:
        axes = plot_surface(meshes, view=options.view, colors=inks)
        save_axes(axes, path, ending, dpi=options.look.dpi)
