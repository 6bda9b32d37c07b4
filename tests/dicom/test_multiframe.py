"""Enhanced multi-frame CT: geometry, order and rescale of each frame (PS3.3 C.7.6.16)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedCTImageStorage, RLELossless
from synthetic import AXIAL, Recipe, datasets, write

from cormack.dicom.read import read_scan

ORDER = (3, 0, 4, 1, 2)


def _item(**elements: object) -> list[Dataset]:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return [item]


def _enhanced(*, own_orientation: bool = False) -> tuple[pydicom.FileDataset, np.ndarray]:
    """One file of five frames in a mixed order, each with its own intercept; the values expected, by position."""
    slices = datasets(Recipe(n=5, sop_class=EnhancedCTImageStorage))
    ds = slices[0]
    volume = np.stack([np.array(s.pixel_array) for s in slices])
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "RescaleSlope",
        "RescaleIntercept",
    ):
        delattr(ds, keyword)
    shared = Dataset()
    shared.PixelMeasuresSequence = _item(PixelSpacing=[0.5, 0.75], SliceThickness=5)
    if not own_orientation:
        shared.PlaneOrientationSequence = _item(ImageOrientationPatient=list(AXIAL))
    shared.CTReconstructionSequence = _item(ConvolutionKernel="H30s")
    ds.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for k in ORDER:
        frame = Dataset()
        frame.PlanePositionSequence = _item(ImagePositionPatient=[-10, -20, 30 + 5 * k])
        if own_orientation:
            frame.PlaneOrientationSequence = _item(ImageOrientationPatient=list(AXIAL))
        frame.PixelValueTransformationSequence = _item(RescaleSlope=1, RescaleIntercept=-1000 - k, RescaleType="HU")
        frame.FrameContentSequence = _item(FrameAcquisitionNumber=1)
        frame.CTImageFrameTypeSequence = _item(FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = frames
    ds.NumberOfFrames = 5
    ds.PixelData = volume[list(ORDER)].tobytes()
    ds["PixelData"].VR = "OW"
    return ds, volume.transpose(2, 1, 0) - 1000 - np.arange(5)


@pytest.mark.parametrize("own_orientation", [True, False])
@pytest.mark.parametrize("compressed", [True, False])
def test_frames_are_ordered_by_position_and_rescaled_each(
    tmp_path: Path, own_orientation: bool, compressed: bool
) -> None:
    ds, expected = _enhanced(own_orientation=own_orientation)
    if compressed:
        ds.compress(RLELossless, generate_instance_uid=False)
    write(tmp_path, [ds])
    stack = read_scan(tmp_path).assembly.stack
    assert np.array_equal(stack.data, expected)
    assert stack.origins == pytest.approx(np.array([[10, 20, 30 + 5 * k] for k in range(5)]))
    assert stack.sop_instance_uids == tuple(f"{ds.SOPInstanceUID}#{ORDER.index(k) + 1}" for k in range(5))
    assert stack.acquisition.convolution_kernel == "H30s"
    assert stack.acquisition.slice_thickness_mm == 5


def _set(groups: Dataset, frame: int) -> None:
    """Facts as an enhanced CT keeps them; those that vary differ from frame to frame."""
    groups.CTXRayDetailsSequence = _item(KVP=120, FilterType="WEDGE")
    groups.CTExposureSequence = _item(
        XRayTubeCurrentInmA=200 + 10 * frame, ExposureInmAs=300.5, ExposureTimeInms=750, CTDIvol=55.5
    )
    groups.CTAcquisitionDetailsSequence = _item(TableHeight=140, GantryDetectorTilt=12, RotationDirection="CW")
    groups.CTTableDynamicsSequence = _item(SpiralPitchFactor=0.5)
    groups.CTReconstructionSequence = _item(ConvolutionKernel="H60s", ReconstructionDiameter=250)


@pytest.mark.parametrize("place", ["shared", "per frame", "legacy converted"])
def test_functional_groups_fill_the_acquisition(tmp_path: Path, place: str) -> None:
    ds, _ = _enhanced()
    shared = ds.SharedFunctionalGroupsSequence[0]
    del shared.CTReconstructionSequence
    if place == "shared":
        _set(shared, 2)
    for k, groups in enumerate(ds.PerFrameFunctionalGroupsSequence):
        if place == "per frame":
            _set(groups, k)
        elif place == "legacy converted":
            groups.UnassignedPerFrameConvertedAttributesSequence = _item(XRayTubeCurrent=200 + 10 * k)
    if place == "legacy converted":
        shared.UnassignedSharedConvertedAttributesSequence = _item(KVP=120, ConvolutionKernel="H60s")
    ds.ContrastBolusAgentSequence = _item(CodeValue="1", CodingSchemeDesignator="99TEST", CodeMeaning="agent")
    write(tmp_path, [ds])
    scan = read_scan(tmp_path)
    facts = scan.assembly.stack.acquisition
    assert (facts.kvp, facts.xray_tube_current_ma, facts.convolution_kernel) == (120, 220, "H60s")
    assert facts.contrast_bolus_agent_present
    assert scan.selection.entry.contrast
    if place != "legacy converted":
        assert (facts.exposure_mas, facts.exposure_time_ms, facts.ctdi_vol_mgy) == (300.5, 750, 55.5)
        assert (facts.table_height_mm, facts.gantry_detector_tilt_deg, facts.rotation_direction) == (140, 12, "CW")
        assert (facts.spiral_pitch_factor, facts.reconstruction_diameter_mm, facts.filter_type) == (0.5, 250, "WEDGE")
        assert scan.selection.entry.kernel == "H60s"


def test_a_frame_without_a_position_makes_no_stack(tmp_path: Path) -> None:
    ds, _ = _enhanced()
    del ds.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence
    write(tmp_path, [ds])
    with pytest.raises(Exception, match="no position, orientation or pixel spacing"):
        read_scan(tmp_path)


def test_fewer_functional_groups_than_frames(tmp_path: Path) -> None:
    ds, _ = _enhanced()
    ds.PerFrameFunctionalGroupsSequence = ds.PerFrameFunctionalGroupsSequence[:3]
    write(tmp_path, [ds])
    with pytest.raises(Exception, match="no position, orientation or pixel spacing"):
        read_scan(tmp_path)
