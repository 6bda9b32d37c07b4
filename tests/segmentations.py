"""DICOM segmentations written by highdicom, for tests: nothing of the reader under test takes part."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def segmentation(path: Path, images: Sequence[Any], masks: np.ndarray, kind: str = "BINARY", **options: Any) -> Path:
    """Write masks of shape (images, rows, columns[, segments]); segments are called one, two, …, coloured in turn."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    count = masks.shape[3] if masks.ndim == 4 else int(masks.max()) if kind == "LABELMAP" else 1
    colors = ((255, 0, 0), (0, 160, 80), (10, 20, 240))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = hd.seg.Segmentation(
            source_images=images,
            pixel_array=masks,
            segmentation_type=kind,
            segment_descriptions=[
                hd.seg.SegmentDescription(
                    segment_number=n + 1,
                    segment_label=("one", "two", "three")[n],
                    segmented_property_category=codes.SCT.Organ,
                    segmented_property_type=codes.SCT.Brain,
                    algorithm_type="MANUAL",
                    display_color=hd.color.CIELabColor.from_rgb(*colors[n]),
                )
                for n in range(count)
            ],
            series_instance_uid=hd.UID(),
            series_number=99,
            sop_instance_uid=hd.UID(),
            instance_number=1,
            manufacturer="x",
            manufacturer_model_name="x",
            software_versions="1",
            device_serial_number="1",
            **options,
        )
        made.save_as(path)
    return path
