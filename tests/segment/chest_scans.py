"""Scans of the made thorax, with the truth on their voxels."""

import numpy as np

from cormack.imaging.condition import condition
from cormack.imaging.rectify import rectify
from cormack.physics.scanner import ScannerSettings, SliceGeometry, acquire, even_positions
from cormack.physics.thorax import Thorax, ThoraxParameters


def scan(
    parameters=None,
    *,
    pixel_mm=3.0,
    slice_mm=3.0,
    long_mm=336.0,
    center_mm=(0.0, 0.0, -15.0),
    noise_hu=15.0,
    field_of_view_mm=None,
):
    """The made thorax, its slices as scanned, the rectified volume, and the true labels on its voxels."""
    thorax = Thorax(parameters or ThoraxParameters())
    size = int(360 / pixel_mm)
    geometry = SliceGeometry(
        even_positions(int(long_mm / slice_mm), slice_mm),
        columns=size,
        rows=size,
        pixel_spacing_mm=(pixel_mm, pixel_mm),
        thickness_mm=slice_mm,
        center_mm=center_mm,
    )
    settings = ScannerSettings(noise_hu=noise_hu, subsample_mm=1.5, field_of_view_mm=field_of_view_mm)
    stack = acquire(thorax, geometry, settings)
    volume = rectify(condition(stack).stack).volume
    return thorax, stack, volume, thorax.labels(volume.affine, volume.shape)


def nodule_shares(thorax, volume, mask, place):
    """Share of each nodule that a mask holds."""
    shares = []
    for nodule in thorax.nodules:
        box, inside = thorax.nodule_mask(nodule, volume.affine, volume.shape)
        if nodule.place == place and inside.any():
            shares.append(float(np.asarray(mask[box])[inside].mean()))
    return shares
