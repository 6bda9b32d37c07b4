"""Method `network`: a network says which voxels lie inside the skull, the image where exactly their edge is.

The network runs on 2 mm voxels of the head alone. The shape of what it finds tells whether the head lies as the header
says; if not, it runs again on the head as it lies. The edge is then drawn at native resolution (`edge`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from cormack.core.errors import ExtractionError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.volume import Volume
from cormack.extract.edge import Surroundings, draw_edge, look_around
from cormack.extract.hull import enclosed_fraction
from cormack.extract.upright import Lie, how_it_lies, orientation_finding, turned
from cormack.imaging.workgrid import BoolArray, Box, FloatImage, bounding_box, distance_mm, largest_component
from cormack.nn.grid import onto_grid
from cormack.nn.post import apply_steps
from cormack.nn.predict import predict_grid
from cormack.nn.store import Network, load_network

#: The packaged network.
NAME = "ct-brain"
#: What the mask's surface follows.
SURFACE = (
    "intracranial space: all inside the inner table down to the plane of the foramen magnum, as a network finds it; "
    "surface at half the step from brain to bone where bone is near, higher on it across slices thicker than 3.5 mm"
)
#: Skin and what lies within is brighter than this on the network's grid (HU).
BODY_HU = -300.0
#: Air left around the body, and around the skull in a scan that shows more than a head (mm).
MARGIN_MM = 10.0
#: A body longer than this along any axis is more than a head (mm).
HEAD_MM = 290.0
#: So far from the middle of the skull's inside a head reaches (mm).
HEAD_RADIUS_MM = 125.0
#: The middle of a head is at least this far from bone (mm), which surrounds it on this share of all lines of sight.
DEEP_MM, ENCLOSED_SHARE = 22.0, 0.6
#: On the network's grid bone is brighter than this (HU).
BONE_HU = 200.0
#: A head's skull leaves room for more than this (ml), even in a scan that shows a part of it.
LEAST_ML = 50.0
#: Bone lies along this share of the surface of any head, craniectomies included; heads have 0.95 and more.
BONY_SHARE = 0.5
#: The network is sure of heads like those it was trained on: the mean probability inside is greater than this.
SURE = 0.93
#: A stretch of surface without bone of this area is a defect of the skull (cm²), unless it looks down (cosine).
DEFECT_CM2, DOWN = 4.0, -0.5


@dataclass(frozen=True, eq=False)
class Coarse:
    """What the network found: the volume on its grid, probabilities, the mask, and how the head lies."""

    hu: Volume
    probability: FloatImage
    inside: BoolArray
    around: Surroundings
    lie: Lie

    @property
    def sureness(self) -> float:
        """Mean probability inside."""
        return float(self.probability[self.inside].mean())


def network_mask(
    volume: Volume, head: LabelMap | None = None, *, network: Network | None = None
) -> tuple[BoolArray, tuple[Finding, ...]]:
    """The intracranial space of a rectified head CT, and what was noticed.

    Parameters
    ----------
    volume : Volume
        Hounsfield units, shape (i, j, k), at right angles. Its axes may be turned otherwise than they say.
    head : LabelMap, optional
        Not needed.
    network : Network, optional
        Another one than the packaged network.

    Returns
    -------
    tuple
        Bool array of shape (i, j, k), and findings.

    Raises
    ------
    ExtractionError
        If there is no head in the volume.
    WeightsError
        If the network's weights are damaged.
    """
    slices = _body_slices(volume)
    affine = volume.affine.copy()
    affine[:3, 3] = volume.world([0, 0, slices.start])
    part = replace(volume, data=volume.data[:, :, slices], affine=affine)
    coarse = find_inside(part, network or load_network(NAME))
    mask = np.zeros(volume.shape, dtype=bool, order="F")
    mask[:, :, slices] = draw_edge(part, coarse.hu, coarse.probability, coarse.around)
    return mask, _findings(coarse)


def _body_slices(volume: Volume) -> slice:
    """All but slices of padding and air at the ends, into which the last slices of a cut head would fade; or all."""
    held = np.flatnonzero((volume.data[::4, ::4] > BODY_HU).any(axis=(0, 1)))
    return slice(int(held[0]), int(held[-1]) + 1) if held.size else slice(0, volume.shape[2])


def find_inside(volume: Volume, network: Network) -> Coarse:
    """Run the network on the head, the right way up; errors as `network_mask`."""
    hu = _head(onto_grid(volume, network.task.input))
    found = _run(hu, network)
    if not found.lie.turned:
        return found
    upright = _run(turned(hu, found.lie.codes), network)
    return Coarse(upright.hu, upright.probability, upright.inside, upright.around, found.lie)


def _run(hu: Volume, network: Network) -> Coarse:
    probability = predict_grid(hu, network).probability[0]
    inside = apply_steps((probability >= 0.5).astype(np.uint8), network.task.post.steps) > 0
    ml = np.count_nonzero(inside) * hu.voxel_volume_ml
    if ml < LEAST_ML:
        raise ExtractionError(
            f"the network finds {ml:.0f} ml inside a skull, less than {LEAST_ML:.0f}; check that the scan is a CT that "
            "shows the head"
        )
    # What post-processing took away or filled is outside or inside for good.
    probability = np.where(inside, np.maximum(probability, 0.5), np.minimum(probability, 0.499)).astype(np.float32)
    around = look_around(hu, probability)
    if around.bony_share < BONY_SHARE:
        raise ExtractionError(
            f"only {around.bony_share:.0%} of what the network takes for the inside of a skull borders on bone, less "
            f"than {BONY_SHARE:.0%}; check that the scan shows a head with its skull"
        )
    return Coarse(hu, probability, inside, around, how_it_lies(inside, around.depth_mm, hu.spacing_mm))


def _head(grid: Volume) -> Volume:
    """The part of the network's grid that holds the head."""
    body = grid.data > BODY_HU
    if not body.any():
        raise ExtractionError(f"nothing in the volume is denser than {BODY_HU:.0f} HU; a head CT in HU is expected")
    spacing = grid.spacing_mm
    margin = tuple(int(np.ceil(MARGIN_MM / h)) for h in spacing)
    box = bounding_box(largest_component(body), margin)  # type: ignore[arg-type]
    if max((s.stop - s.start) * h for s, h in zip(box, spacing, strict=True)) > HEAD_MM:
        box = _around_skull(grid, box)
    return grid.cropped(box)


def _around_skull(grid: Volume, box: Box) -> Box:
    """A box around the place that bone encloses most, in a scan that shows more than a head."""
    # Every other voxel: a head is found, not drawn.
    thin = tuple(slice(s.start, s.stop, 2) for s in box)
    hu = grid.data[thin]
    spacing = tuple(2 * h for h in grid.spacing_mm)
    bone = ndimage.maximum_filter(grid.data[box], 2)[::2, ::2, ::2] > BONE_HU
    depth = distance_mm(~bone & (hu > -150.0), spacing)  # type: ignore[arg-type]
    parts, count = ndimage.label(depth > DEEP_MM)
    places = ndimage.maximum_position(depth, parts, range(1, count + 1))
    shares = [enclosed_fraction(bone, place, spacing) for place in places]  # type: ignore[arg-type]
    if max(shares, default=0.0) < ENCLOSED_SHARE:
        raise ExtractionError(
            f"no space as large as a brain is enclosed by bone ({max(shares, default=0.0):.0%} at most, less than "
            f"{ENCLOSED_SHARE:.0%}); a scan that shows the head is expected"
        )
    middle = places[int(np.argmax(shares))]
    around = []
    for side, at, h in zip(box, middle, grid.spacing_mm, strict=True):
        centre, reach = side.start + 2 * int(at), int(HEAD_RADIUS_MM / h)
        around.append(slice(max(side.start, centre - reach), min(side.stop, centre + reach)))
    return around[0], around[1], around[2]


def _findings(coarse: Coarse) -> tuple[Finding, ...]:
    findings = []
    if coarse.lie.turned:
        findings.append(orientation_finding(coarse.lie))
    defect_cm2 = largest_defect_cm2(coarse)
    if defect_cm2 > DEFECT_CM2:
        findings.append(
            Finding(
                "skull-defect-suspected",
                f"bone is missing along {defect_cm2:.0f} cm² of the brain's surface, as after a craniectomy",
                {"area_cm2": defect_cm2},
            )
        )
    if coarse.sureness < SURE:
        findings.append(unsure_finding(coarse.sureness, SURE))
    return tuple(findings)


def unsure_finding(sureness: float, usual: float) -> Finding:
    """The mean probability inside is lower than usual."""
    return Finding(
        "brain-unsure",
        f"the network is less sure of the brain's outline than usual ({sureness:.2f}, usually above {usual:.2f}); look "
        "at the mask",
        {"mean_probability": sureness},
    )


def largest_defect_cm2(coarse: Coarse) -> float:
    """Area of the largest stretch of the surface that has no bone beside it and does not look down."""
    around, hu = coarse.around, coarse.hu
    bare = np.zeros(coarse.inside.shape, dtype=bool)
    bare[around.surface] = (around.bone[around.surface] < 0.5) & (around.outward[2] >= DOWN)
    parts, count = ndimage.label(bare, ndimage.generate_binary_structure(3, 2))
    if not count:
        return 0.0
    sizes = np.bincount(parts.ravel())[1:]
    return float(sizes.max() * np.prod(hu.spacing_mm) ** (2 / 3) / 100)
