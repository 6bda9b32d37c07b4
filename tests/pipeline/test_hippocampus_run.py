"""The hippocampi as a step of a run: found and written, or left out with a finding and no failure."""

import json
from dataclasses import replace

import numpy as np
import pytest

from cormack.core.acquisition import Acquisition
from cormack.core.errors import ExtractionError
from cormack.core.findings import Finding
from cormack.core.labels import BRAIN_AND_CSF, LabelMap
from cormack.core.volume import Unit, Volume
from cormack.files.bids import subject_name
from cormack.files.outputs import OutputSet
from cormack.imaging.rectify import Rectified
from cormack.pipeline import hippocampus_run as subject
from cormack.pipeline.grids import GridFacts, Grids
from cormack.pipeline.hippocampus_run import find_hippocampi
from cormack.pipeline.options import RunOptions
from cormack.pipeline.steps import structures
from cormack.pipeline.volume_rates import is_segmentation
from cormack.segment.hippocampus import HIPPOCAMPI
from cormack.segment.segmentation import Segmentation

MR = Acquisition(modality="MR", echo_time_ms=3.0)
SPREADS = {"left anterior hippocampus": 8.0, "left posterior hippocampus": 16.0, "left hippocampus": 24.0}


def grids(spacing_mm=1.0, acquisition=MR, shape=(60, 60, 60)):
    values = np.random.default_rng(0).uniform(0, 100, shape).astype(np.float32)
    volume = Volume(values, np.diag([spacing_mm] * 3 + [1.0]), Unit.ARBITRARY, 0.0)
    facts = GridFacts(acquisition, None, (spacing_mm,) * 3, Unit.ARBITRARY, (), (), (), "LAS", None)
    return Grids(Rectified(volume, np.ones(shape, bool), False), facts)


@pytest.fixture
def found(monkeypatch):
    """A network that finds a left hippocampus."""

    def segment(volume, *, method):
        assert method == "head"
        data = np.zeros(volume.shape, np.uint8)
        data[20:22, 20:22, 20:22], data[20:22, 18:20, 18:22] = 1, 2
        labels = LabelMap(data, volume.affine, HIPPOCAMPI, "drawn")
        record = {"VolumesMm3": SPREADS, "ViewsMeanMm3": SPREADS, "ViewsSdMm3": dict.fromkeys(SPREADS, 1.0)}
        return Segmentation(labels, (Finding("hippocampus-missing", "no right one"),), record)

    monkeypatch.setattr(subject, "segment_hippocampus", segment)


def test_what_is_found_is_told_and_written_as_segment_writes_it(found, tmp_path):
    made = find_hippocampi(grids())
    assert [finding.code for finding in made.findings] == ["hippocampus-missing"]
    rows = made.found.content().rows
    assert [(row.name, row.is_part) for row in rows] == [
        ("left hippocampus", False),
        ("left anterior hippocampus", True),
        ("left posterior hippocampus", True),
    ]
    name = replace(subject_name("01"), modality="MR")
    with OutputSet(tmp_path / "out") as outputs:
        files = made.found.write(outputs, name)
    stem = "sub-01/anat/sub-01_desc-hippocampus_dseg"
    assert [path.as_posix() for path in files] == [f"{stem}{end}" for end in (".nii.gz", ".tsv", ".json")]
    sidecar = json.loads((tmp_path / "out" / files[2]).read_text())
    assert sidecar["Sources"] == ["bids::sub-01/anat/sub-01_T1w.nii.gz"]
    assert sidecar["VolumesMm3"] == SPREADS
    # So that two runs can be compared over time.
    assert is_segmentation(tmp_path / "out" / files[0])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (grids(acquisition=replace(MR, echo_time_ms=90.0)), "echo time of 90 ms is not that of T1 weighting"),
        (grids(spacing_mm=5.0), "voxels are up to 5.0 mm long"),
        (grids(shape=(60, 8, 60)), "less than a hippocampus with its surroundings"),
    ],
)
def test_a_scan_that_cannot_show_a_hippocampus_gives_a_finding(given, told):
    made = find_hippocampi(given)
    assert made.found is None
    assert told in made.reason
    assert [finding.code for finding in made.findings] == ["hippocampus-left-out"]
    assert told in made.findings[0].message


def test_a_head_without_a_hippocampus_gives_a_finding(monkeypatch):
    def nothing(volume, *, method):
        raise ExtractionError("no hippocampus was found in either side of the head")

    monkeypatch.setattr(subject, "segment_hippocampus", nothing)
    made = find_hippocampi(grids())
    assert (made.found, made.findings[0].code) == (None, "hippocampus-left-out")


def test_without_the_network_or_the_wish_there_is_nothing_to_tell(monkeypatch):
    given = grids()
    brain = LabelMap(np.ones(given.volume.shape, np.uint8), given.volume.affine, BRAIN_AND_CSF)
    assert structures(given, brain, RunOptions(structures=False)).reason == ""
    monkeypatch.setattr(subject, "networks", tuple)
    made = structures(given, brain, RunOptions())
    assert "not part of this installation" in made.reason
    assert made.findings == ()
