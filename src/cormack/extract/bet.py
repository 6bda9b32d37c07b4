"""Method `bet`: the recipe of Muschelli et al. 2015 for head CT, with BET's surface model of Smith 2002.

Range 0 to 100 HU, Gaussian of σ = 1 mm, masked again, BET with a fractional intensity of 0.01, filled
(doi 10.1016/j.neuroimage.2015.03.074). BET lets a sphere grow towards the brain's edge, smooth first and foremost
(doi 10.1002/hbm.10062).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.errors import ExtractionError
from cormack.core.labels import LabelMap
from cormack.core.volume import Volume
from cormack.extract.mesh import FloatArray, Topology, icosphere, self_intersection, voxels_inside
from cormack.imaging.workgrid import BoolArray, FloatImage, WorkGrid

#: What the mask's surface follows.
SURFACE = (
    "brain and cerebrospinal fluid up to the inner edge of bone (100 HU), by a smooth surface; "
    "3 to 6 % smaller than at half the step to bone"
)

#: HU that the recipe keeps.
RANGE_HU = (0.0, 100.0)
SMOOTHING_MM = 1.0
FRACTIONAL_INTENSITY = 0.01
#: The recipe runs on voxels of about this size (mm).
GRID_MM = 1.0
#: The head is taken to reach this far below the vertex; the neck must not pull the sphere down (mm).
HEAD_HEIGHT_MM = 170.0
#: A brain has more than this (ml), even in a scan that shows a part of it.
LEAST_ML = 50.0
#: Divisions of the icosahedron: 2562 vertices.
DIVISIONS = 4
ITERATIONS = 1000
#: Radii of curvature between which smoothing sets in (mm).
LEAST_RADIUS_MM, GREATEST_RADIUS_MM = 3.33, 10.0
#: How far inside the surface the darkest and the brightest voxel are sought (mm).
DARKEST_REACH_MM, BRIGHTEST_REACH_MM = 7, 3
#: A self-intersection above this calls for another run with more smoothing, at most so many times.
LARGEST_SELF_INTERSECTION, RETRIES = 4000.0, 4
#: Each further run smooths this many times more while the surface grows.
SMOOTHER = 2.0


@dataclass(frozen=True)
class Intensities:
    """Robust limits (2 % and 98 %), threshold of background and median inside the first sphere."""

    low: float
    high: float
    threshold: float
    median: float


def bet_mask(volume: Volume, head: LabelMap | None = None) -> BoolArray:
    """Brain by the published recipe for CT.

    Parameters
    ----------
    volume : Volume
        Hounsfield units, shape (i, j, k), axes closest to right, anterior, superior.
    head : LabelMap, optional
        The head on the same grid; what lies outside it is not looked at.

    Returns
    -------
    bool array, shape (i, j, k)

    Raises
    ------
    ExtractionError
        If the range of the brain is empty or the surface encloses next to nothing.
    """
    whole = tuple(slice(0, n) for n in volume.shape)
    grid = WorkGrid.over(whole, volume.spacing_mm, GRID_MM)  # type: ignore[arg-type]
    hu = grid.coarsen(volume.data)
    if head is not None:
        hu[grid.coarsen(head.data, lambda slab: (slab > 0).astype(np.float32)) < 0.5] = -1024
    image = _recipe_image(hu, grid.spacing_mm)
    vertices, topology = brain_surface(image, grid.spacing_mm)
    inside = voxels_inside(vertices / grid.spacing_mm, topology.triangles, image.shape)
    mask = ndimage.binary_fill_holes(inside & (image > 0) & (hu < RANGE_HU[1]))
    ml = np.count_nonzero(mask) * float(np.prod(grid.spacing_mm)) / 1000.0
    if ml < LEAST_ML:
        raise ExtractionError(f"the surface encloses {ml:.0f} ml only; check that the scan is a CT that shows the head")
    return grid.threshold_native(mask.astype(np.float32) - 0.5, volume.shape)


def _recipe_image(hu: FloatImage, spacing_mm: tuple[float, float, float]) -> FloatImage:
    """The range of the brain, smoothed and masked again."""
    kept = (hu >= RANGE_HU[0]) & (hu <= RANGE_HU[1])
    if not kept.any():
        raise ExtractionError("nothing lies between 0 and 100 HU; a head CT in Hounsfield units is expected")
    filled = ndimage.binary_fill_holes(kept)
    smooth = ndimage.gaussian_filter(np.where(kept, hu, 0.0), [SMOOTHING_MM / h for h in spacing_mm])
    return np.where(filled, smooth, 0.0).astype(np.float32)


def brain_surface(
    image: FloatImage,
    spacing_mm: tuple[float, float, float],
    *,
    fractional_intensity: float = FRACTIONAL_INTENSITY,
) -> tuple[FloatArray, Topology]:
    """BET's surface: vertices in mm along the voxel axes, shape (v, 3), and how they hang together.

    Parameters
    ----------
    image : float array, shape (i, j, k)
        Brain bright on a dark ground; k grows upwards.
    spacing_mm : three floats
    fractional_intensity : float
        0 to 1; greater gives a smaller brain.

    Raises
    ------
    ExtractionError
        If the image holds nothing brighter than its background.
    """
    centre, radius, levels = _first_sphere(image, spacing_mm)
    sphere, topology = icosphere(DIVISIONS)
    start = centre + sphere * radius / 2
    vertices = start
    for attempt in range(RETRIES + 1):
        vertices = _grow(image, spacing_mm, start, topology, levels, fractional_intensity, SMOOTHER**attempt)
        if self_intersection(vertices, start, topology) <= LARGEST_SELF_INTERSECTION:
            break
    return vertices, topology


def _first_sphere(image: FloatImage, spacing_mm: tuple[float, float, float]) -> tuple[FloatArray, float, Intensities]:
    """Centre (mm), radius (mm) and intensities of the head, by its upper part."""
    low, high = (float(x) for x in np.percentile(image, (2, 98)))
    threshold = low + 0.1 * (high - low)
    bright = image > threshold
    if not bright.any():
        raise ExtractionError("the image holds nothing brighter than its background; a head is expected")
    top = int(np.flatnonzero(bright.any(axis=(0, 1)))[-1])
    bright[:, :, : max(0, top - int(HEAD_HEIGHT_MM / spacing_mm[2]))] = False
    index = np.nonzero(bright)
    weight = np.minimum(image[index], high)
    points = np.stack(index, axis=1) * np.asarray(spacing_mm)
    centre = np.average(points, axis=0, weights=weight)
    radius = float((3 * len(points) * np.prod(spacing_mm) / (4 * np.pi)) ** (1 / 3))
    within = (np.linalg.norm(points - centre, axis=1) < radius) & (image[index] < high)
    median = float(np.median(image[index][within])) if within.any() else high
    return centre, radius, Intensities(low, high, threshold, median)


def _grow(
    image: FloatImage,
    spacing_mm: tuple[float, float, float],
    start: FloatArray,
    topology: Topology,
    levels: Intensities,
    fractional_intensity: float,
    smoother: float,
) -> FloatArray:
    """Move the vertices: towards even spacing, towards smoothness, and outwards while the image is bright."""
    local = fractional_intensity**0.275
    mean_curvature = (1 / LEAST_RADIUS_MM + 1 / GREATEST_RADIUS_MM) / 2
    steepness = 6 / (1 / LEAST_RADIUS_MM - 1 / GREATEST_RADIUS_MM)
    vertices, length = start.copy(), topology.mean_edge(start)
    for iteration in range(ITERATIONS):
        if iteration % 20 == 0:
            length = topology.mean_edge(vertices)
        normals = topology.normals(vertices)
        to_mean = topology.neighbour_mean @ vertices - vertices
        along = np.einsum("ij,ij->i", to_mean, normals)
        normal_part = along[:, None] * normals
        smoothing = (1 + np.tanh(steepness * (2 * np.abs(along) / length**2 - mean_curvature))) / 2
        if smoother > 1 and iteration < 0.75 * ITERATIONS:
            # Hollows are filled more eagerly, so that folds do not close over them.
            smoothing = np.where(along > 0, np.minimum(smoothing * smoother, 1.0), smoothing)
        outwards = _pull(image, spacing_mm, vertices, normals, levels, local)
        vertices = (
            vertices
            + 0.5 * (to_mean - normal_part)
            + smoothing[:, None] * normal_part
            + (0.05 * length * outwards)[:, None] * normals
        )
    return vertices


def _pull(
    image: FloatImage,
    spacing_mm: tuple[float, float, float],
    vertices: FloatArray,
    normals: FloatArray,
    levels: Intensities,
    local: float,
) -> npt.NDArray[np.float64]:
    """The image's pull outwards on every vertex: positive in the brain, negative outside it."""
    depths = np.arange(1, DARKEST_REACH_MM + 1)
    at = (vertices[:, None] - depths[:, None] * normals[:, None]) / np.asarray(spacing_mm)
    index = np.round(at).astype(np.intp)
    seen = np.all((index >= 0) & (index < image.shape), axis=2)
    index = np.clip(index, 0, np.asarray(image.shape) - 1)
    values = np.where(seen, image[index[..., 0], index[..., 1], index[..., 2]], 0.0)
    darkest = np.maximum(levels.low, np.minimum(levels.median, values.min(axis=1)))
    brightest = np.minimum(levels.median, np.maximum(levels.threshold, values[:, :BRIGHTEST_REACH_MM].max(axis=1)))
    edge = (brightest - levels.low) * local + levels.low
    return np.asarray(2 * (darkest - edge) / np.maximum(brightest - levels.low, 1e-6))
