"""What the sidecars of the pipeline's files say."""

from __future__ import annotations

import numpy as np

from cormack.core.acquisition import Acquisition
from cormack.core.kernels import kernel_class
from cormack.core.labels import LabelMap
from cormack.core.provenance import generated_by
from cormack.core.volume import Unit, Volume
from cormack.files.bids import ScanName
from cormack.files.sidecar import acquisition_fields
from cormack.imaging.condition import HU_RANGE
from cormack.pipeline.grids import GridFacts
from cormack.pipeline.load import Loaded
from cormack.pipeline.options import OUTSIDE_TEXT, RunOptions
from cormack.segment.segmentation import Segmentation


def unit_fields(unit: Unit) -> dict[str, object]:
    """What the numbers of an image mean, for its sidecar."""
    return {"Units": str(unit), "OutsideValue": HU_RANGE[0] if unit is Unit.HU else 0}


def grid_sidecar(grid: GridFacts) -> dict[str, object]:
    """Sidecar of the rectified volume: acquisition, geometry as stated and as measured, what was done to the values."""
    facts = grid.stack
    return {
        **acquisition_fields(grid.acquisition),
        **_kernel_field(grid.acquisition),
        "GantryTiltMeasured": round(facts.tilt_deg, 4),
        "SlicePositions": [round(p, 4) for p in facts.slice_positions_mm],
        "SliceDistancesEven": facts.regular,
        "MissingSlices": facts.missing_slices,
        "Grid": "rectified",
        "VoxelSize": [round(s, 6) for s in grid.voxel_size_mm],
        "Interpolation": f"{grid.interpolation}, once" if grid.interpolation else "none",
        "GapsLeftOutside": list(grid.unbridged_gaps_mm),
        **({"BiasFieldCorrection": grid.bias_field_correction} if grid.bias_field_correction else {}),
        **unit_fields(grid.unit),
        **({"WinsorisedTo": list(HU_RANGE)} if grid.unit is Unit.HU else {}),
        "PaddingValuesFound": list(grid.padding),
        "Warnings": [finding.message for finding in grid.findings],
        "GeneratedBy": generated_by(),
    }


def _kernel_field(acquisition: Acquisition) -> dict[str, object]:
    found = kernel_class(acquisition.convolution_kernel, acquisition.manufacturer)
    return {} if found is None else {"ConvolutionKernelClass": found.value}


def mask_sidecar(labels: LabelMap, name: ScanName | None = None) -> dict[str, object]:
    """Sidecar of a mask: what it is of, which surface it follows, its volume."""
    label = labels.table[1]
    return {
        "Type": "Brain" if label.abbreviation == "brain" else "Head",
        "Description": labels.description,
        "Label": {"1": label.name},
        "VolumeMl": round(labels.volume_ml(), 3),
        **({"Warnings": [finding.message for finding in labels.findings]} if labels.findings else {}),
        **_sources(name),
        "GeneratedBy": generated_by(),
    }


def brain_sidecar(volume: Volume, options: RunOptions, name: ScanName) -> dict[str, object]:
    """Sidecar of the masked image: what stands outside the mask."""
    return {
        "SkullStripped": True,
        "Units": str(volume.unit),
        "OutsideValue": "NaN" if options.outside == "nan" else volume.outside,
        "OutsideMeaning": OUTSIDE_TEXT[name.modality][options.outside],
        **_sources(name),
    }


def _sources(name: ScanName | None) -> dict[str, object]:
    return {} if name is None else {"Sources": [f"bids::{name.file(name.suffix, '.nii.gz')}"]}


def segmentation_sidecar(found: Segmentation, task: str, method: str, facts: GridFacts) -> dict[str, object]:
    """Sidecar of a label map: what the labels are, how they were found, and their volumes."""
    return {
        "Task": task,
        "Method": method,
        "Description": found.labels.description,
        "Label": {str(label.index): label.name for label in found.labels.table},
        "VolumesMl": {name: round(volume, 3) for name, volume in found.volumes_ml().items()},
        **found.record,
        "VoxelSize": [round(step, 6) for step in facts.voxel_size_mm],
        "Warnings": [finding.message for finding in found.findings],
        "GeneratedBy": generated_by(),
    }


def native_sidecar(loaded: Loaded) -> dict[str, object]:
    """Sidecar of the native slices: values as stored, and where every slice lies."""
    stack = loaded.stack
    exact = stack.affine is not None
    return {
        **acquisition_fields(stack.acquisition),
        **_kernel_field(stack.acquisition),
        "GantryTiltMeasured": round(stack.tilt_deg, 4),
        "SlicePositions": [round(float(p), 4) for p in stack.slice_positions_mm],
        "SliceOrigins": np.round(stack.origins, 4).tolist(),
        "SliceDistancesEven": exact,
        "Grid": "native" if exact else "native; unevenly spaced, so no affine is true: see SliceOrigins (RAS+ mm)",
        "Interpolation": "none",
        **unit_fields(stack.unit),
        "OutsideValue": list(loaded.padding_hu),
        "Warnings": [finding.message for finding in loaded.findings],
        "GeneratedBy": generated_by(),
    }
