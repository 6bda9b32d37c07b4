"""What the figures of registration are taken from: real heads, a CT made of BrainWeb's anatomy, known deformations."""

from __future__ import annotations

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial.transform import Rotation

from cormack.core.fields import DisplacementField
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.transforms import Affine, Transform, grid_points
from cormack.core.volume import Volume
from cormack.dicom.read import read_scan
from cormack.extract.brain import brain_mask
from cormack.extract.head import head_mask
from cormack.imaging.blocks import block_mean
from cormack.imaging.condition import condition
from cormack.imaging.rectify import rectify
from cormack.imaging.warp import warp

HEADS = ("ge_tilted", "cq500_cta", "toshiba_2mm")
#: HU of BrainWeb's twelve classes.
BRAINWEB_HU = np.array([-1000, 8, 37, 29, -90, 50, 40, 900, 40, -80, 60, 300], np.int16)
BRAINWEB_BRAIN = np.isin(np.arange(12), (1, 2, 3, 8, 10))


def shared_data() -> Path:
    return Path(os.environ.get("CORMACK_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "data"


def head(name: str) -> tuple[Volume, LabelMap]:
    """A real head, rectified, and its brain."""
    assembly = read_scan(shared_data() / "head_ct" / name).assembly
    volume = rectify(condition(assembly.stack, assembly.padding_hu)).volume
    return volume, brain_mask(volume, head=head_mask(volume))


def brainweb(subject: str = "04") -> tuple[Volume, LabelMap]:
    """A CT of BrainWeb's anatomy at 1 mm, and its brain."""
    image = nib.load(shared_data() / "atlas" / "brainweb" / f"subject{subject}_crisp_v.mnc.gz")
    labels = np.clip(np.rint(np.asanyarray(image.dataobj)), 0, 11).astype(np.uint8)
    affine = image.affine @ np.array([[2, 0, 0, 0.5], [0, 2, 0, 0.5], [0, 0, 2, 0.5], [0, 0, 0, 1.0]])
    inside = block_mean(BRAINWEB_BRAIN[labels].astype(np.uint8), (2, 2, 2)) > 0.5
    return Volume(block_mean(BRAINWEB_HU[labels], (2, 2, 2)), affine), LabelMap(inside.astype(np.uint8), affine, BRAIN)


def template_1mm() -> tuple[Volume, LabelMap]:
    """The unsmoothed CT template without skull, at 1 mm in HU, and its brain."""
    image = nib.load(shared_data() / "ct_template" / "scct_unsmooth_SS_0.01.nii.gz")
    mask = nib.load(shared_data() / "ct_template" / "scct_unsmooth_SS_0.01_Mask.nii.gz").get_fdata() > 0.5
    data = np.where(mask, image.get_fdata(), -1000).astype(np.float32)
    return Volume(data, image.affine), LabelMap(mask.astype(np.uint8), image.affine, BRAIN)


VOLUMES = {"ct_template": template_1mm, "cq500_cta": lambda: head("cq500_cta"), "brainweb": brainweb}


def known(kind: str, volume: Volume, seed: int, *, mean_mm: float = 3.0, sigma_mm: float = 20.0) -> Transform:
    """A known transform of a kind, about the middle of a volume."""
    rng = np.random.default_rng(seed)
    centre = volume.world((np.array(volume.shape) - 1) / 2)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", rng.uniform(-15, 15, 3), degrees=True).as_matrix()
    if kind != "rigid":
        matrix[:3, :3] = matrix[:3, :3] @ (
            np.diag(rng.uniform(0.93, 1.07, 3)) + np.triu(rng.uniform(-0.05, 0.05, (3, 3)), 1)
        )
    matrix[:3, 3] = centre + rng.uniform(-15, 15, 3) - matrix[:3, :3] @ centre
    if kind != "syn":
        return Affine(matrix)
    grid, shape = working_grid(volume, 4.0)
    noise = [ndimage.gaussian_filter(rng.standard_normal(shape), sigma_mm / 4.0, mode="wrap") for _ in range(3)]
    field = np.stack(noise, axis=-1)
    field *= mean_mm / np.linalg.norm(field, axis=-1).mean()
    return DisplacementField(field, grid)


def working_grid(volume: Volume, spacing_mm: float) -> tuple[npt.NDArray[np.float64], tuple[int, int, int]]:
    """Even voxels over a volume, along its axes."""
    steps = np.array(volume.spacing_mm)
    extent = steps * volume.shape
    i, j, k = (int(e // spacing_mm) for e in extent)
    axes = volume.affine[:3, :3] / steps
    affine = np.eye(4)
    affine[:3, :3] = axes * spacing_mm
    middle = volume.world((np.array(volume.shape) - 1) / 2)
    affine[:3, 3] = middle - affine[:3, :3] @ ((np.array([i, j, k]) - 1) / 2)
    return affine, (i, j, k)


def pair(
    volume: Volume, brain: LabelMap, true: Transform, spacing_mm: float, *, noise_hu: float = 5.0, seed: int = 0
) -> tuple[Volume, LabelMap, Volume, LabelMap]:
    """Moving and fixed volume with their brains: at x the fixed one has the moving one's value at T(x); own noise."""
    rng = np.random.default_rng(seed)
    floating = volume.with_data(volume.data.astype(np.float32))
    affine, shape = working_grid(volume, spacing_mm)
    other = affine.copy()
    other[:3, 3] += [0.7, -0.6, 0.4]
    moving, fixed = (warp(floating, way, grid, shape) for way, grid in ((Affine.identity(), other), (true, affine)))
    masks = [warp(brain, way, grid, shape) for way, grid in ((Affine.identity(), other), (true, affine))]
    noisy = [v.with_data(v.data + rng.normal(0, noise_hu, shape).astype(np.float32)) for v in (moving, fixed)]
    return noisy[0], masks[0], noisy[1], masks[1]


def errors_mm(found: Transform, true: Transform, brain: LabelMap) -> npt.NDArray[np.float64]:
    """Distance from the truth at every voxel of the brain."""
    grid = Volume(brain.data, brain.affine)
    points = grid_points(grid.affine, grid.shape)[brain.data > 0]
    return np.asarray(np.linalg.norm(found.apply(points) - true.apply(points), axis=1))
