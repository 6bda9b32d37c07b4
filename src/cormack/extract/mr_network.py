"""The brain on MR of a head: a network says how likely every voxel is brain or the fluid around it.

The mask is where the probability, brought to the native grid by linear interpolation, is a half. The network knows
heads that lie as their header says. Where it is unsure, the image is sharpened: thick slices blur it. If the shape of
what it finds is not that of a brain that lies so, or it is still unsure, the head is tried in all 24 ways in which axes
can be exchanged. A mirrored head fits as well as the true one: left and right cannot be told from a shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from cormack.core.errors import ExtractionError, WeightsError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.volume import Unit, Volume
from cormack.extract.mr_head import tissue_threshold
from cormack.extract.mr_slices import NAME as SLICES
from cormack.extract.mr_slices import corrected_in_slices, is_fine
from cormack.extract.network import unsure_finding
from cormack.extract.upright import BETTER_MM, FARTHEST_MM, Lie, how_it_lies, orientation_finding, turned, ways
from cormack.imaging.workgrid import BoolArray, FloatImage, bounding_box, largest_component, signed_distance_mm
from cormack.nn.grid import WayBack, onto_grid
from cormack.nn.post import apply_steps
from cormack.nn.predict import predict_grid
from cormack.nn.store import Network, load_network, networks

#: The packaged network that is used unless another is named.
NAME = "t1-brain-3d"
#: What the mask's surface follows.
SURFACE = "brain with the cerebrospinal fluid in and around it, down to the foramen magnum, as a network finds it"
#: Coarser voxels show no brain's edge (mm along any axis).
COARSEST_MM = 7.0
#: The network sees so much of a head, from the vertex down (mm), as it did in its training; and less where what it
#: finds then has not the shape of a brain.
HEAD_HEIGHT_MM, SHORT_HEAD_MM = 240.0, 180.0
#: Images that show less get nothing measured below, as in its training: the neck has a part in the percentiles that the
#: network's channels are scaled by (mm).
LEAST_HEIGHT_MM = 220.0
#: Air left around the head (mm).
MARGIN_MM = 10.0
#: A head holds more brain than this (ml), even in a scan that shows a part of it.
LEAST_ML = 100.0
#: A brain whose surface lies so close to a skull's, laid on it as the header says, lies so (mm), if the network is sure
#: of it; real ones 2 to 3.
LIES_SO_MM = 3.4
#: One that lies so close, which the network is sure of and no other way fits clearly better, lies so, too (mm).
#: Synthetic heads had up to 4.7; of eight real ones turned 23 ways each, none had less than 4.77.
SURELY_SO_MM = 4.2
#: What fits no better than this in any way is no brain (mm), unless it lies as stated and the network is sure, …
WORST_FIT_MM = 5.0
#: … when it may fit so badly. A synthetic head of 5.1 mm was found well; a body, a neck, halves of heads and noise that
#: fitted worse than 5 mm had a mean probability of 0.92 at most.
WORST_SURE_FIT_MM = 6.5
#: A turned head has lost brain if the network finds less than this share of what it finds as the header says.
FINDS_LESS = 0.9
#: Where the network is unsure, the image is sharpened by its difference from a Gaussian of so many voxels.
SHARPENED_VOXELS = 1.0
#: The network is sure of heads like those it was trained on: the mean probability inside is greater than this.
SURE = 0.93


@dataclass(frozen=True, eq=False)
class Coarse:
    """What the network found: on its grid, probabilities and the mask, and how well a skull fits it as the axes say."""

    grid: Volume
    probability: FloatImage
    inside: BoolArray
    lie: Lie

    @property
    def brain(self) -> Volume:
        """The probabilities on their grid."""
        return self.grid.with_data(self.probability, unit=Unit.PROBABILITY, outside=0.0)

    @property
    def misfit_mm(self) -> float:
        """Mean distance of a skull's inner surface from the mask's, the axes as they are."""
        return self.lie.stated_misfit_mm

    @property
    def sureness(self) -> float:
        """Mean probability inside."""
        return float(self.probability[self.inside].mean())

    @property
    def voxels(self) -> int:
        """How many the mask has."""
        return int(np.count_nonzero(self.inside))


def mr_network_mask(
    volume: Volume, head: LabelMap | None = None, *, name: str = NAME, network: Network | None = None
) -> tuple[BoolArray, tuple[Finding, ...]]:
    """The brain with its fluid on an MR of a head, and what was noticed.

    Parameters
    ----------
    volume : Volume
        Values of no unit, shape (i, j, k), at right angles. Its axes may be turned otherwise than they say.
    head : LabelMap, optional
        Not needed.
    name : str
        Of a packaged network.
    network : Network, optional
        Another one than the packaged ones.

    Returns
    -------
    tuple
        Bool array of shape (i, j, k), and findings.

    Raises
    ------
    ExtractionError
        If voxels are too large to show a brain, or there is none in the volume.
    WeightsError
        If the network is not there, or its weights are damaged.
    """
    if max(volume.spacing_mm) > COARSEST_MM:
        raise ExtractionError(
            f"voxels of {' x '.join(f'{h:.1f}' for h in volume.spacing_mm)} mm show no brain's edge; at most "
            f"{COARSEST_MM:g} mm along each axis are needed"
        )
    chosen = network or _packaged(name)
    found, lie = _find(onto_grid(volume, chosen.task.input), chosen)
    brain = found.brain
    if network is None and name == NAME and is_fine(volume):
        brain = _corrected(brain, volume, _packaged(SLICES))
    return _native(brain, volume), _findings(found, lie)


def coarse_brain(volume: Volume, network: Network) -> Volume:
    """How likely the voxels of the network's grid are brain, before slices correct it; errors as of `mr_network_mask`.

    Half and more is the mask, in one part without cavities.
    """
    found, _ = _find(onto_grid(volume, network.task.input), network)
    return found.brain


def _packaged(name: str) -> Network:
    if name not in networks():
        raise WeightsError(f"the network {name} is not part of this installation; there are {', '.join(networks())}")
    return load_network(name)


def _around_head(grid: Volume, height_mm: float) -> Volume:
    """The part of the network's grid that holds the head and so much of the neck, as the axes say it lies.

    What is lower than `LEAST_HEIGHT_MM` gets zeros below.
    """
    tissue = largest_component(grid.data > tissue_threshold(grid.data))
    top = int(np.flatnonzero(tissue.any(axis=(0, 1)))[-1])
    neck = max(0, top - round(height_mm / grid.spacing_mm[2]))
    margin = tuple(int(np.ceil(MARGIN_MM / h)) for h in grid.spacing_mm)
    i, j, k = bounding_box(largest_component(tissue[:, :, neck:]), margin)  # type: ignore[arg-type]
    head = grid.cropped((i, j, slice(neck + k.start, neck + k.stop)))
    below = max(0, round(LEAST_HEIGHT_MM / grid.spacing_mm[2]) - head.shape[2])
    affine = head.affine.copy()
    affine[:3, 3] = head.world((0, 0, -below))
    data = np.pad(head.data, ((0, 0), (0, 0), (below, 0)))
    return Volume(data, affine, head.unit, head.outside, head.acquisition)


def _find(grid: Volume, network: Network) -> tuple[Coarse, Lie]:
    """Run the network on the head as the header says it lies, or as it lies in truth; and how that is."""
    stated = _as_stated(grid, network)
    best, codes = stated, "RAS"
    if stated is not None and _settled(stated, LIES_SO_MM if stated.lie.turned else SURELY_SO_MM):
        return stated, Lie(codes, stated.misfit_mm, stated.misfit_mm)
    told = [] if stated is None else [stated.lie.codes]
    for way in dict.fromkeys([*told, *ways()]):
        found = None if way == "RAS" else _run(turned(grid, way), network)
        if found is not None and (best is None or found.misfit_mm < best.misfit_mm):
            best, codes = found, way
        if best is not None and _settled(best):
            break
    as_stated = FARTHEST_MM if stated is None else stated.misfit_mm
    # A head that fits hardly better another way lies as it says, unless the network is sure of it only so; and so does
    # one of which the network finds less another way, less surely: it knows heads that lie right.
    if stated is not None and best is not None:
        sure_only_so = best.misfit_mm < LIES_SO_MM and best.sureness >= SURE > stated.sureness
        better = sure_only_so or Lie(codes, best.misfit_mm, as_stated).turned
        if not better or (best.sureness < stated.sureness and best.voxels < FINDS_LESS * stated.voxels):
            best, codes = stated, "RAS"
    sure_as_stated = best is not None and codes == "RAS" and best.sureness >= SURE
    if best is None or best.misfit_mm > (WORST_SURE_FIT_MM if sure_as_stated else WORST_FIT_MM):
        shape = "nothing" if best is None else f"nothing of a brain's shape (misfit {best.misfit_mm:.1f} mm)"
        raise ExtractionError(
            f"the network finds {shape} in the image, turned any way; an MR that shows most of a head is expected"
        )
    return best, Lie(codes, best.misfit_mm, as_stated)


def _settled(found: Coarse, closest_mm: float = LIES_SO_MM) -> bool:
    """No other way need be tried. A head upside down had 3.2 mm as its header says, and the network was not sure."""
    return found.misfit_mm < closest_mm and found.sureness >= SURE


def _as_stated(grid: Volume, network: Network) -> Coarse | None:
    """What the network finds in a head that lies as its header says; sharpened, if it is surer of it so.

    Thick slices blur a head more than those that it was trained on.
    """
    found = _with_enough_neck(grid, network)
    if found is not None and found.sureness >= SURE:
        return found
    sharp = _with_enough_neck(_sharpened(grid), network)
    if found is None or sharp is None:
        return found or sharp
    fits = sharp.misfit_mm < max(LIES_SO_MM, found.misfit_mm)
    return sharp if fits and sharp.sureness > found.sureness else found


def _sharpened(grid: Volume) -> Volume:
    """An image with its difference from a blurred one added to it, in its range (unsharp masking)."""
    blurred = ndimage.gaussian_filter(grid.data, SHARPENED_VOXELS)
    return grid.with_data(np.clip(2 * grid.data - blurred, grid.data.min(), grid.data.max()))


def _with_enough_neck(grid: Volume, network: Network) -> Coarse | None:
    """What the network finds, with less of the neck if that looks better.

    What fits hardly better with less of the neck is believed only if the network is surer of it.
    """
    found = _run(grid, network)
    if found is not None and found.misfit_mm < LIES_SO_MM:
        return found
    short = _run(grid, network, SHORT_HEAD_MM)
    if found is None or short is None:
        return found or short
    fits = short.misfit_mm < max(LIES_SO_MM, found.misfit_mm - BETTER_MM)
    return short if fits or (short.misfit_mm < found.misfit_mm and short.sureness > found.sureness) else found


def _run(grid: Volume, network: Network, height_mm: float = HEAD_HEIGHT_MM) -> Coarse | None:
    """What the network finds; None where that is too little for a brain."""
    grid = _around_head(grid, height_mm)
    probability, inside = _one_part(predict_grid(grid, network).probability[0], network)
    if np.count_nonzero(inside) * grid.voxel_volume_ml < LEAST_ML:
        return None
    depth = signed_distance_mm(inside, grid.spacing_mm, FARTHEST_MM)
    return Coarse(grid, probability, inside, how_it_lies(inside, depth, grid.spacing_mm))


def _one_part(probability: FloatImage, network: Network) -> tuple[FloatImage, BoolArray]:
    """Probabilities and mask after the task's post-processing.

    What that took away or filled is outside or inside for good. Interpolated linearly, one part without cavities stays
    one part without cavities.
    """
    inside = apply_steps((probability >= 0.5).astype(np.uint8), network.task.post.steps) > 0
    settled = np.where(inside, np.maximum(probability, 0.5), np.minimum(probability, 0.499)).astype(np.float32)
    return settled, inside


def _corrected(brain: Volume, volume: Volume, network: Network) -> Volume:
    """The brain with its edge corrected in slices; as it was if that left too little of it."""
    finer = corrected_in_slices(volume, brain, network)
    probability, inside = _one_part(finer.data, network)
    if np.count_nonzero(inside) * finer.voxel_volume_ml < LEAST_ML:
        return brain
    return finer.with_data(probability)


def _native(brain: Volume, volume: Volume) -> BoolArray:
    """Where the interpolated probability is a half or more."""
    mask = np.zeros(volume.shape, dtype=bool, order="F")
    for k, plane in WayBack(brain.affine, volume.affine, volume.shape).planes(brain.data[None]):
        mask[:, :, k] = plane[0] >= 0.5
    return mask


def _findings(found: Coarse, lie: Lie) -> tuple[Finding, ...]:
    findings = []
    if lie.codes != "RAS":
        findings.append(orientation_finding(lie))
    if found.sureness < SURE:
        findings.append(unsure_finding(found.sureness, SURE))
    if found.misfit_mm > WORST_FIT_MM:
        findings.append(_unusual_finding(found.misfit_mm))
    return tuple(findings)


def _unusual_finding(misfit_mm: float) -> Finding:
    """A skull fits the mask badly."""
    return Finding(
        "brain-shape-unusual",
        f"the brain found has an unusual shape: a skull laid on it is {misfit_mm:.1f} mm away on average, usually less "
        f"than {WORST_FIT_MM:.0f}; look at the mask",
        {"misfit_mm": misfit_mm},
    )
