"""Structures as the pipeline finds them: sides, volumes, measures; atlases; the step of a run."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from analytic_neuroanatomy import Shape, make_neuroanatomy
from cormack.core.errors import InputError
from cormack.core.neuroanatomy import NEUROANATOMY, NEUROANATOMY_FINE
from cormack.core.transforms import Affine
from cormack.files.nifti import write_labels, write_volume
from cormack.imaging.sides import LEFT, RIGHT
from cormack.measure.overlap import dice
from cormack.nn import store
from cormack.physics.synthesis.anatomy import Anatomy, Tissue, save_anatomy
from cormack.pipeline.neuroanatomy import find_structures
from cormack.pipeline.neuroanatomy_atlas import atlas_opinion, read_atlases
from cormack.pipeline.options import RunOptions
from cormack.pipeline.run import run
from cormack.register.engine import GivenEngine
from cormack.segment.neuroanatomy import draw_structures
from labelled_scans import TRUE_HU, head_ct, write_knowing_network


@pytest.fixture(scope="module")
def head():
    return make_neuroanatomy((2.0, 2.0, 2.0), reach_mm=100.0, shape=Shape(right_caudate=0.6))


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_knowing_network(tmp_path_factory.mktemp("networks") / "knowing")


@pytest.fixture(scope="module")
def found(head, network):
    return find_structures(head_ct(head), head.brain, network=network)


def test_right_and_left_are_told_apart(head, found):
    x = head.xyz[..., 0]
    inside = head.brain.data > 0
    clear = np.abs(x) > 4
    assert (found.sides[inside & clear & (x > 0)] == RIGHT).all()
    assert (found.sides[inside & clear & (x < 0)] == LEFT).all()
    assert found.sides[~inside].max() == 0


def test_volumes_by_side_are_those_of_the_labels(head, found):
    right, left = found.volumes_ml["caudate nucleus"]
    assert right + left == pytest.approx(found.found.labels.volume_ml("caudate nucleus"))
    assert right / left == pytest.approx(0.6, abs=0.15)
    whole = sum(sum(found.volumes_ml[label.name]) for label in NEUROANATOMY)
    assert whole == pytest.approx(head.brain.volume_ml())
    assert whole == pytest.approx(sum(sum(found.volumes_ml[label.name]) for label in NEUROANATOMY_FINE))


def test_measures_are_taken_and_volumes_among_them_are_exact(found):
    measures = {measure.name: measure for measure in found.measures}
    assert measures["ventricular volume"].value == pytest.approx(sum(found.volumes_ml["ventricular system"]))
    assert measures["midline shift"].value is not None


def atlas_folder(folder: Path, head) -> Path:
    folder.mkdir()
    write_volume(folder / "one.nii.gz", head_ct(head, hu=TRUE_HU))
    write_labels(folder / "one_dseg.nii.gz", head.labels)
    return folder


def test_an_atlas_of_the_same_head_gives_its_labels(head, tmp_path):
    folder = atlas_folder(tmp_path / "atlases", head)
    scan = head_ct(head, hu=TRUE_HU)
    opinion, findings = atlas_opinion(scan, head.brain, folder, engine=GivenEngine(Affine.identity()))
    assert findings == ()
    drawn = draw_structures(scan, head.brain, opinion).labels
    for name in ("cerebellum", "frontal lobe", "ventricular system"):
        assert dice(drawn, head.labels, key=name) > 0.93, name


def test_atlases_that_are_none_are_refused(head, tmp_path):
    with pytest.raises(InputError, match="no folder"):
        read_atlases(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no labelled atlas"):
        read_atlases(tmp_path)
    folder = atlas_folder(tmp_path / "atlases", head)
    other = make_neuroanatomy((4.0, 4.0, 4.0), reach_mm=100.0)
    write_labels(folder / "one_dseg.nii.gz", other.labels)
    with pytest.raises(InputError, match="not on the grid"):
        read_atlases(folder)
    write_labels(folder / "one_dseg.nii.gz", head.brain)
    brain = head.labels.data.copy()
    brain[brain > 0] = 40
    write_labels(folder / "one_dseg.nii.gz", type(head.labels)(brain, head.labels.affine, NEUROANATOMY_FINE))
    with pytest.raises(InputError, match="holds the labels"):
        read_atlases(folder)


def test_an_anatomy_of_the_brain_alone_is_no_atlas(tmp_path):
    brain = np.pad(np.ones((6, 6, 6), dtype=np.uint8), 2)
    depth = brain.astype(np.int8)
    save_anatomy(Anatomy(brain * np.uint8(Tissue.GRAY), brain, depth, np.eye(4), "brain"), tmp_path / "brain-1.npz")
    with pytest.raises(InputError, match="the brain alone"):
        read_atlases(tmp_path)


@pytest.fixture
def packaged(tmp_path, network, monkeypatch):
    """As if the network had come with the package."""
    folder = tmp_path / "packaged"
    shutil.copytree(store.PACKAGED / "ct-brain", folder / "ct-brain")
    shutil.copytree(network, folder / "ct-neuroanatomy")
    monkeypatch.setattr(store, "PACKAGED", folder)
    return folder


@pytest.fixture(scope="module")
def scan(head, tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "head.nii.gz"
    write_volume(path, head_ct(head))
    return path


def test_a_run_finds_structures_where_their_network_is_here(scan, packaged, tmp_path):
    run(scan, tmp_path / "out", RunOptions(), participants=["01"])
    folder = tmp_path / "out" / "sub-01" / "ct"
    for stem, table in (("neuroanatomy", NEUROANATOMY), ("neuroanatomyFine", NEUROANATOMY_FINE)):
        assert (folder / f"sub-01_desc-{stem}_dseg.nii.gz").is_file()
        assert (folder / f"sub-01_desc-{stem}_dseg.tsv").read_text().count("\n") == len(table) + 1
        sidecar = json.loads((folder / f"sub-01_desc-{stem}_dseg.json").read_text())
        assert set(sidecar["VolumesMl"]) == {label.name for label in table}
    page = (tmp_path / "out" / "sub-01.html").read_text()
    assert "Clinical measures" in page
    assert "seen from the left" in page
    manifest = json.loads((folder / "sub-01_manifest.json").read_text())
    assert any("desc-neuroanatomy_dseg" in name for name in manifest["Outputs"])


def test_a_run_without_network_or_wish_says_so_or_nothing(scan, tmp_path, monkeypatch):
    run(scan, tmp_path / "plain", RunOptions(structures=False), participants=["01"])
    assert "Structures" not in (tmp_path / "plain" / "sub-01.html").read_text()
    monkeypatch.setattr("cormack.pipeline.neuroanatomy.networks", tuple)
    run(scan, tmp_path / "bare", RunOptions(), participants=["01"])
    assert "Left out: the network ct-neuroanatomy" in (tmp_path / "bare" / "sub-01.html").read_text()
    assert not list((tmp_path / "bare").rglob("*dseg*"))
