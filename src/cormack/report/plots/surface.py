"""Still pictures of surfaces: shaded, to scale, each pixel showing what is nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from cormack.core.errors import InputError
from cormack.core.mesh import Mesh
from cormack.core.volume import FloatArray
from cormack.imaging.sections import direction_letters
from cormack.report.plots.canvas import PICTURE_INCHES, draw_letters, draw_picture, draw_scale_bar, new_axes
from cormack.report.plots.palette import FEW
from cormack.report.plots.raster import corner_weights, rasterise

#: Directions of view: azimuth from the front to the patient's left, elevation upwards (degrees).
VIEWS: dict[str, tuple[float, float]] = {
    "front": (0, 0),
    "oblique": (42, 12),
    "left": (90, 0),
    "back": (180, 0),
    "right": (270, 0),
    "top": (0, 90),
    "bottom": (0, -90),
}
#: Colours of surfaces that have none: skin and bone as people draw them.
SURFACE_COLORS = {"skin": "#d9a58c", "bone": "#e9e0c9", "brain": "#dba9a1", "surface": "#c9c4b8"}
#: Pixels along the longer side; each is the mean of this many squared.
PIXELS, OVERSAMPLING = 1200, 2
#: Shares of light: what reaches everywhere, from the key light over the viewer's left shoulder, and from the right.
AMBIENT, KEY, FILL = 0.34, 0.60, 0.20
_KEY_LIGHT, _FILL_LIGHT = np.array([-0.45, 0.5, 0.74]), np.array([0.7, 0.1, 0.7])
#: Gloss: its share, and how narrow it is.
_GLOSS, _SHININESS = 0.10, 24
#: Edges in depth larger than this share of the picture are drawn a little darker.
_RIDGE, _RIDGE_DARKENING = 0.02, 0.35
#: Empty rim (share of the size).
_RIM = 0.06
_PAPER = "#ffffff"


@dataclass(frozen=True, eq=False)
class _Camera:
    """Directions to the right, up and towards the viewer, and the rectangle that is seen (mm)."""

    axes: FloatArray
    low: FloatArray
    size_mm: tuple[float, float]

    @property
    def letters(self) -> tuple[str, ...]:
        right, up = self.axes[:, 0], self.axes[:, 1]
        return tuple(direction_letters(side) for side in (-right, right, up, -up))


def plot_surface(
    meshes: Mesh | Sequence[Mesh],
    ax: Axes | None = None,
    *,
    view: str | tuple[float, float] = "oblique",
    colors: Sequence[str] | None = None,
    pixels: int = PIXELS,
) -> Axes:
    """Draw surfaces in parallel projection, to scale, with the patient's directions.

    A depth buffer decides what is seen, so that nothing shines through; normals are interpolated between vertices.

    Parameters
    ----------
    meshes : Mesh or sequence of Mesh
    ax : matplotlib Axes, optional
        Where to draw; axes in a figure of their own by default. Data units become millimetres.
    view : str or (azimuth, elevation)
        "front", "oblique", "left", "back", "right", "top", "bottom", or degrees from the front to the patient's left,
        and upwards.
    colors : sequence of str, optional
        One for each mesh; by name or by turns by default.
    pixels : int
        Along the longer side.

    Raises
    ------
    InputError
        If there is no triangle, the view is unknown, or colours and meshes differ in number.
    """
    shown, inks = inked(meshes, colors)
    camera = _camera(np.concatenate([mesh.vertices for mesh in shown]), view)
    picture = _rendered(shown, inks, camera, pixels)
    if ax is None:
        width, height = camera.size_mm
        ax = new_axes(PICTURE_INCHES * width / height, PICTURE_INCHES)
    draw_picture(ax, picture, camera.size_mm, interpolation="antialiased")
    draw_scale_bar(ax, camera.size_mm, color="#222222", halo=_PAPER)
    draw_letters(ax, camera.letters, camera.size_mm, color="#222222", halo=_PAPER)
    return ax


def inked(meshes: Mesh | Sequence[Mesh], colors: Sequence[str] | None) -> tuple[list[Mesh], list[str]]:
    """Surfaces to draw, and the colour of each: by its name or by turns where none is given.

    Raises
    ------
    InputError
        If there is no triangle, or colours and meshes differ in number.
    """
    shown = [meshes] if isinstance(meshes, Mesh) else list(meshes)
    if not shown or not all(len(mesh.faces) for mesh in shown):
        raise InputError("there is no surface to draw: a mesh has no triangle")
    named = [SURFACE_COLORS.get(mesh.name, FEW[n % len(FEW)]) for n, mesh in enumerate(shown)]
    inks = named if colors is None else list(colors)
    if len(inks) != len(shown):
        raise InputError(f"{len(shown)} surfaces need as many colours, not {len(inks)}")
    return shown, inks


def view_axes(view: str | tuple[float, float]) -> FloatArray:
    """Directions to the right, up and towards the viewer as columns, unit vectors in RAS+.

    Raises
    ------
    InputError
        If there is no such view.
    """
    if isinstance(view, str):
        if view not in VIEWS:
            raise InputError(f"view {view!r}: give {', '.join(VIEWS)}, or azimuth and elevation in degrees")
        view = VIEWS[view]
    azimuth, elevation = (np.radians(float(angle)) for angle in view)
    level = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    towards = level * np.cos(elevation) + np.array([0, 0, np.sin(elevation)])
    up = np.array([0, 0, np.cos(elevation)]) - level * np.sin(elevation)
    return np.column_stack([np.cross(up, towards), up, towards])


def _camera(vertices: FloatArray, view: str | tuple[float, float]) -> _Camera:
    axes = view_axes(view)
    seen = vertices @ axes[:, :2]
    low, high = seen.min(axis=0), seen.max(axis=0)
    rim = _RIM * float((high - low).max())
    width, height = (high - low + 2 * rim).tolist()
    return _Camera(axes, low - rim, (max(width, 0.5 * height), max(height, 0.4 * width)))


def _rendered(meshes: list[Mesh], inks: list[str], camera: _Camera, pixels: int) -> npt.NDArray[np.uint8]:
    """RGB, shape (rows, columns, 3)."""
    width, height = camera.size_mm
    fine = pixels * OVERSAMPLING
    scale = fine / max(width, height)
    shape = (round(height * scale / OVERSAMPLING) * OVERSAMPLING, round(width * scale / OVERSAMPLING) * OVERSAMPLING)
    vertices = np.concatenate([mesh.vertices for mesh in meshes]) @ camera.axes
    extent = vertices[:, :2].max(axis=0) + vertices[:, :2].min(axis=0)
    middle = extent / 2
    normals = np.concatenate([mesh.vertex_normals for mesh in meshes]) @ camera.axes
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)])
    on_screen = np.column_stack([
        (vertices[:, 0] - middle[0]) * scale + (shape[1] - 1) / 2,
        -(vertices[:, 1] - middle[1]) * scale + (shape[0] - 1) / 2,
        -vertices[:, 2] * scale,
    ])  # fmt: skip
    corners = on_screen[faces]
    depth, face = rasterise(corners, shape)
    paint = np.repeat([to_rgb(ink) for ink in inks], [len(mesh.faces) for mesh in meshes], axis=0)
    hit = face >= 0
    weights = corner_weights(corners[face[hit]], np.argwhere(hit)[:, ::-1].astype(np.float64))
    normal = np.einsum("pc,pcx->px", weights, normals[faces[face[hit]]])
    picture = np.tile(np.array(to_rgb(_PAPER)), (*shape, 1))
    picture[hit] = _lit(normal, paint[face[hit]], _ridges(depth, _RIDGE * max(shape))[hit])
    blocks = picture.reshape(shape[0] // OVERSAMPLING, OVERSAMPLING, shape[1] // OVERSAMPLING, OVERSAMPLING, 3)
    return np.asarray(np.rint(blocks.mean(axis=(1, 3)) * 255), dtype=np.uint8)


def _lit(normal: FloatArray, paint: FloatArray, ridge: FloatArray) -> FloatArray:
    """Lambert's law with two lights, a little gloss, and darker ridges; colours 0…1, shape (pixels, 3)."""
    normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    normal *= np.where(normal[:, 2:] < 0, -1.0, 1.0)
    key, fill = (light / np.linalg.norm(light) for light in (_KEY_LIGHT, _FILL_LIGHT))
    light = AMBIENT + KEY * np.clip(normal @ key, 0, None) + FILL * np.clip(normal @ fill, 0, None)
    half = key + np.array([0.0, 0.0, 1.0])
    gloss = _GLOSS * np.clip(normal @ (half / np.linalg.norm(half)), 0, None) ** _SHININESS
    dark = 1 - _RIDGE_DARKENING * ridge
    return np.asarray(np.clip((paint * light[:, None] + gloss[:, None]) * dark[:, None], 0, 1))


def _ridges(depth: FloatArray, threshold: float) -> FloatArray:
    """0…1: how far a pixel lies behind a neighbour, so that one part is told from another behind it."""
    far = np.where(np.isfinite(depth), depth, np.nan)
    behind = np.zeros_like(depth)
    with np.errstate(invalid="ignore"):
        for axis in (0, 1):
            for shift in (OVERSAMPLING, -OVERSAMPLING):
                behind = np.fmax(behind, far - np.roll(far, shift, axis))
    return np.clip(behind / threshold, 0, 1)
