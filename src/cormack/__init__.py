"""Cormack: from a head CT's DICOM to a brain mask, volumes and a report. Research use only.

Voxel axes are (i, j, k) as in NIfTI, coordinates RAS+ millimetres, values Hounsfield units unless a Volume says
otherwise. Everything below is loaded when it is first used, so that `import cormack` stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cormack.core.clinical import ClinicalMeasure
    from cormack.core.errors import CormackError
    from cormack.core.fields import DisplacementField
    from cormack.core.labels import Label, LabelMap, LabelTable
    from cormack.core.mesh import Mesh
    from cormack.core.transforms import Affine, TransformChain
    from cormack.core.volume import SliceStack, Unit, Volume
    from cormack.dicom.derive import write_derived_series
    from cormack.dicom.read import read_scan
    from cormack.extract.brain import brain_mask
    from cormack.extract.face import face_mask
    from cormack.extract.head import head_mask
    from cormack.extract.masking import apply_mask
    from cormack.files.meshes import write_mesh
    from cormack.files.minc import read_brainweb
    from cormack.files.nifti import read_stack, write_labels, write_volume
    from cormack.files.transforms import read_transform, write_transforms
    from cormack.imaging.condition import condition
    from cormack.imaging.filters import gaussian, median
    from cormack.imaging.n4 import n4
    from cormack.imaging.native import to_native, volume_to_stack
    from cormack.imaging.noise_power import harmonize_kernel, noise_power
    from cormack.imaging.perona_malik import perona_malik
    from cormack.imaging.rectify import rectify
    from cormack.imaging.resample import resample
    from cormack.imaging.sides import split_sides
    from cormack.imaging.staple import staple
    from cormack.imaging.surfaces import decimate, iso_surface, label_surface
    from cormack.imaging.units import cormack_to_hu, hu_to_cormack
    from cormack.imaging.votes import majority
    from cormack.imaging.warp import warp
    from cormack.measure.agreement import compare_labels
    from cormack.measure.neuroanatomy import clinical_measures
    from cormack.measure.overlap import dice, hausdorff_mm
    from cormack.measure.scan import measure_scan
    from cormack.nn.predict import Prediction, predict
    from cormack.nn.store import load_network, networks
    from cormack.physics.synthesis.anatomy import Anatomy
    from cormack.physics.synthesis.ct import synthesize_ct
    from cormack.physics.synthesis.digital import digital_anatomy
    from cormack.physics.synthesis.head import head_anatomy
    from cormack.physics.synthesis.image import SyntheticImage
    from cormack.physics.synthesis.mr import synthesize_mr
    from cormack.physics.synthesis.options import CtSynthesis, MrSynthesis
    from cormack.pipeline.compare import compare_files
    from cormack.pipeline.consensus import consensus_files
    from cormack.pipeline.convert import convert
    from cormack.pipeline.deface import deface
    from cormack.pipeline.deface_report import DefaceOptions
    from cormack.pipeline.deidentify import Deidentification, deidentify
    from cormack.pipeline.extract import extract_mask
    from cormack.pipeline.follow_up import follow_up
    from cormack.pipeline.import_labels import import_labels
    from cormack.pipeline.listing import list_series
    from cormack.pipeline.native import write_native
    from cormack.pipeline.options import LoadOptions, RunOptions
    from cormack.pipeline.register import RegisterFiles, register_files
    from cormack.pipeline.run import run
    from cormack.pipeline.segment import SegmentOptions, segment_structures
    from cormack.pipeline.transform import transform_image, transform_points
    from cormack.register.atlas import Atlas, label_by_atlases
    from cormack.register.fusion import Fusion, fuse
    from cormack.register.register import RegisterOptions, Registration, register_volumes
    from cormack.report.content import ReportContent
    from cormack.report.html import render_report
    from cormack.report.plots.clinical import plot_measure
    from cormack.report.plots.histogram import plot_histogram
    from cormack.report.plots.montage import plot_montage
    from cormack.report.plots.sections import plot_pair, plot_plane, plot_planes
    from cormack.report.plots.surface import plot_surface
    from cormack.report.plots.surface_page import surface_page
    from cormack.segment.hippocampus import segment_hippocampus
    from cormack.segment.lungs import segment_lungs
    from cormack.segment.segmentation import Segmentation

_HOMES = {
    "Affine": "core.transforms",
    "Anatomy": "physics.synthesis.anatomy",
    "Atlas": "register.atlas",
    "ClinicalMeasure": "core.clinical",
    "CormackError": "core.errors",
    "CtSynthesis": "physics.synthesis.options",
    "DefaceOptions": "pipeline.deface_report",
    "Deidentification": "pipeline.deidentify",
    "DisplacementField": "core.fields",
    "Fusion": "register.fusion",
    "Label": "core.labels",
    "LabelMap": "core.labels",
    "LabelTable": "core.labels",
    "LoadOptions": "pipeline.options",
    "Mesh": "core.mesh",
    "MrSynthesis": "physics.synthesis.options",
    "Prediction": "nn.predict",
    "RegisterFiles": "pipeline.register",
    "RegisterOptions": "register.register",
    "Registration": "register.register",
    "ReportContent": "report.content",
    "RunOptions": "pipeline.options",
    "SegmentOptions": "pipeline.segment",
    "Segmentation": "segment.segmentation",
    "SliceStack": "core.volume",
    "SyntheticImage": "physics.synthesis.image",
    "TransformChain": "core.transforms",
    "Unit": "core.volume",
    "Volume": "core.volume",
    "apply_mask": "extract.masking",
    "brain_mask": "extract.brain",
    "clinical_measures": "measure.neuroanatomy",
    "compare_files": "pipeline.compare",
    "compare_labels": "measure.agreement",
    "condition": "imaging.condition",
    "consensus_files": "pipeline.consensus",
    "convert": "pipeline.convert",
    "cormack_to_hu": "imaging.units",
    "decimate": "imaging.surfaces",
    "deface": "pipeline.deface",
    "deidentify": "pipeline.deidentify",
    "dice": "measure.overlap",
    "digital_anatomy": "physics.synthesis.digital",
    "extract_mask": "pipeline.extract",
    "face_mask": "extract.face",
    "follow_up": "pipeline.follow_up",
    "fuse": "register.fusion",
    "gaussian": "imaging.filters",
    "harmonize_kernel": "imaging.noise_power",
    "hausdorff_mm": "measure.overlap",
    "head_anatomy": "physics.synthesis.head",
    "head_mask": "extract.head",
    "hu_to_cormack": "imaging.units",
    "import_labels": "pipeline.import_labels",
    "iso_surface": "imaging.surfaces",
    "label_by_atlases": "register.atlas",
    "label_surface": "imaging.surfaces",
    "list_series": "pipeline.listing",
    "load_network": "nn.store",
    "majority": "imaging.votes",
    "measure_scan": "measure.scan",
    "median": "imaging.filters",
    "n4": "imaging.n4",
    "networks": "nn.store",
    "noise_power": "imaging.noise_power",
    "perona_malik": "imaging.perona_malik",
    "plot_histogram": "report.plots.histogram",
    "plot_measure": "report.plots.clinical",
    "plot_montage": "report.plots.montage",
    "plot_pair": "report.plots.sections",
    "plot_plane": "report.plots.sections",
    "plot_planes": "report.plots.sections",
    "plot_surface": "report.plots.surface",
    "predict": "nn.predict",
    "read_brainweb": "files.minc",
    "read_scan": "dicom.read",
    "read_stack": "files.nifti",
    "read_transform": "files.transforms",
    "rectify": "imaging.rectify",
    "register_files": "pipeline.register",
    "register_volumes": "register.register",
    "render_report": "report.html",
    "resample": "imaging.resample",
    "run": "pipeline.run",
    "segment_hippocampus": "segment.hippocampus",
    "segment_lungs": "segment.lungs",
    "segment_structures": "pipeline.segment",
    "split_sides": "imaging.sides",
    "staple": "imaging.staple",
    "surface_page": "report.plots.surface_page",
    "synthesize_ct": "physics.synthesis.ct",
    "synthesize_mr": "physics.synthesis.mr",
    "to_native": "imaging.native",
    "transform_image": "pipeline.transform",
    "transform_points": "pipeline.transform",
    "volume_to_stack": "imaging.native",
    "warp": "imaging.warp",
    "write_derived_series": "dicom.derive",
    "write_labels": "files.nifti",
    "write_mesh": "files.meshes",
    "write_native": "pipeline.native",
    "write_transforms": "files.transforms",
    "write_volume": "files.nifti",
}

__all__ = [
    "Affine",
    "Anatomy",
    "Atlas",
    "ClinicalMeasure",
    "CormackError",
    "CtSynthesis",
    "DefaceOptions",
    "Deidentification",
    "DisplacementField",
    "Fusion",
    "Label",
    "LabelMap",
    "LabelTable",
    "LoadOptions",
    "Mesh",
    "MrSynthesis",
    "Prediction",
    "RegisterFiles",
    "RegisterOptions",
    "Registration",
    "ReportContent",
    "RunOptions",
    "SegmentOptions",
    "Segmentation",
    "SliceStack",
    "SyntheticImage",
    "TransformChain",
    "Unit",
    "Volume",
    "apply_mask",
    "brain_mask",
    "clinical_measures",
    "compare_files",
    "compare_labels",
    "condition",
    "consensus_files",
    "convert",
    "cormack_to_hu",
    "decimate",
    "deface",
    "deidentify",
    "dice",
    "digital_anatomy",
    "extract_mask",
    "face_mask",
    "follow_up",
    "fuse",
    "gaussian",
    "harmonize_kernel",
    "hausdorff_mm",
    "head_anatomy",
    "head_mask",
    "hu_to_cormack",
    "import_labels",
    "iso_surface",
    "label_by_atlases",
    "label_surface",
    "list_series",
    "load_network",
    "majority",
    "measure_scan",
    "median",
    "n4",
    "networks",
    "noise_power",
    "perona_malik",
    "plot_histogram",
    "plot_measure",
    "plot_montage",
    "plot_pair",
    "plot_plane",
    "plot_planes",
    "plot_surface",
    "predict",
    "read_brainweb",
    "read_scan",
    "read_stack",
    "read_transform",
    "rectify",
    "register_files",
    "register_volumes",
    "render_report",
    "resample",
    "run",
    "segment_hippocampus",
    "segment_lungs",
    "segment_structures",
    "split_sides",
    "staple",
    "surface_page",
    "synthesize_ct",
    "synthesize_mr",
    "to_native",
    "transform_image",
    "transform_points",
    "volume_to_stack",
    "warp",
    "write_derived_series",
    "write_labels",
    "write_mesh",
    "write_native",
    "write_transforms",
    "write_volume",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cormack' has no attribute {name!r}")
    return getattr(import_module(f"cormack.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
