"""Joint label fusion by ANTs (Wang et al. 2013, doi 10.1109/TPAMI.2012.143)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy import ndimage

from cormack.core.labels import LabelMap
from cormack.core.volume import AnyArray, Volume
from cormack.register.ants_engine import ants_image, load_ants

#: Patches reach so many voxels from their centre and are sought so many voxels around it.
PATCH_RADIUS, SEARCH_RADIUS = 2, 3
#: Voxels farther than this from any label are not worked on.
_MARGIN_VOXELS = 3


def joint_label_fusion(opinions: Sequence[LabelMap], target: Volume, images: Sequence[Volume]) -> LabelMap:
    """Fuse label maps by weights that discount errors which atlases share.

    Parameters
    ----------
    opinions : sequence of LabelMap
        On one grid.
    target : Volume
        The scan, on the same grid.
    images : sequence of Volume
        The atlases' images, one per opinion, on the same grid.

    Returns
    -------
    LabelMap
        With the table of the first opinion.
    """
    ants = load_ants()
    first = opinions[0]
    indices = np.unique(np.concatenate([np.unique(opinion.data) for opinion in opinions]))
    mask = ndimage.binary_dilation(
        np.any([opinion.data > 0 for opinion in opinions], axis=0), iterations=_MARGIN_VOXELS
    )
    fused = np.zeros(first.data.shape, dtype=indices.dtype)
    # With one label or none there is nothing to be weighed, and ANTs takes at least two.
    if len(indices) > 1:
        box = ndimage.find_objects(mask.astype(np.uint8))[0]

        def image(data: AnyArray) -> Any:
            return ants_image(ants, data[box], first.affine)

        # ANTs leaves its probability images where it is told to, and no word of their removal.
        with TemporaryDirectory(prefix="cormack-") as folder:
            made = ants.joint_label_fusion(
                image(target.data),
                image(mask),
                [image(volume.data) for volume in images],
                # ANTs takes 0 for no opinion: background is a label like any other.
                label_list=[image(1 + np.searchsorted(indices, opinion.data)) for opinion in opinions],
                rad=PATCH_RADIUS,
                r_search=SEARCH_RADIUS,
                output_prefix=str(Path(folder) / "p"),
            )
        numbers = np.rint(made["segmentation"].numpy()).astype(np.intp)
        fused[box] = np.where(mask[box], indices[np.maximum(numbers - 1, 0)], 0)
    return LabelMap(fused, first.affine, first.table, f"joint label fusion of {len(opinions)} label maps")
