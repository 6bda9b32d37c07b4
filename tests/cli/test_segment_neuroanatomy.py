"""`cormack segment neuroanatomy`: files that belong together, brains given, found or alone, and what is refused."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from analytic_neuroanatomy import make_neuroanatomy
from cormack.core.neuroanatomy import NEUROANATOMY, NEUROANATOMY_FINE
from cormack.files.label_tables import read_label_table
from cormack.files.nifti import write_labels, write_volume
from labelled_scans import head_ct, write_knowing_network


@pytest.fixture(scope="module")
def head():
    return make_neuroanatomy((2.0, 2.0, 2.5), reach_mm=100.0)


@pytest.fixture(scope="module")
def files(head, tmp_path_factory):
    """A head, the brain alone, the mask, and the folder of a network."""
    folder = tmp_path_factory.mktemp("neuroanatomy")
    write_volume(folder / "head.nii.gz", head_ct(head), codes="LAS")
    write_volume(folder / "alone.nii.gz", head_ct(head, skull=False), codes="LAS")
    write_labels(folder / "mask.nii.gz", head.brain, codes="LAS")
    write_knowing_network(folder / "network")
    return folder


def segment(cormack, files, source, out, *words):
    return cormack("segment", "neuroanatomy", files / source, out, "--network", files / "network", *words)


def test_labels_table_and_figures_come_together(cormack, files, head, tmp_path):
    out, sure, picture = (tmp_path / name for name in ("out.nii.gz", "sure.nii.gz", "out.png"))
    words = ("--brain", files / "mask.nii.gz", "--confidence", sure, "--picture", picture)
    code, said, warned = segment(cormack, files, "head.nii.gz", out, *words)
    assert code == 0, warned
    assert "caudate nucleus" in said
    assert "Not found: brainstem" in warned
    scan, labels = nib.load(files / "head.nii.gz"), nib.load(out)
    assert labels.shape == scan.shape == nib.load(sure).shape
    np.testing.assert_allclose(labels.affine, scan.affine, atol=1e-4)
    assert tuple(read_label_table(tmp_path / "out.tsv")) == tuple(NEUROANATOMY)
    data = np.asarray(labels.dataobj)
    sidecar = json.loads((tmp_path / "out.json").read_text())
    for index, name in sidecar["Label"].items():
        assert sidecar["VolumesMl"][name] == pytest.approx(np.count_nonzero(data == int(index)) * 0.01, abs=0.01)
        assert sum(sidecar["VolumesBySideMl"][name].values()) == pytest.approx(sidecar["VolumesMl"][name], abs=0.01)
    caudate = sidecar["VolumesBySideMl"]["caudate nucleus"]
    assert caudate["right"] == pytest.approx(caudate["left"], rel=0.1)
    assert 0.5 < sidecar["Confidence"]["cerebellum"]["MeanProbability"] <= 1
    assert sidecar["Confidence"]["cerebellum"]["ObserversDice"] == pytest.approx(1, abs=0.05)
    assert {m["Name"] for m in sidecar["Measures"]} >= {"Evans' index", "midline shift", "ventricular volume"}
    assert sidecar["IntracranialVolumeMl"] == pytest.approx(head.brain.volume_ml(), abs=0.1)
    shown = np.asarray(Image.open(picture))
    assert (shown == NEUROANATOMY["ventricular system"].color).all(axis=2).any()


def test_sixteen_labels_with_sides(cormack, files, tmp_path):
    out = tmp_path / "out.nii.gz"
    code, _, warned = segment(cormack, files, "alone.nii.gz", out, "--fine", "--sides")
    assert code == 0, warned
    table = read_label_table(tmp_path / "out.tsv")
    caudate = NEUROANATOMY_FINE["caudate nucleus"].index
    assert (table[caudate].name, table[caudate + 100].name) == ("right caudate nucleus", "left caudate nucleus")
    labels = nib.load(out)
    data, x = np.asarray(labels.dataobj), nib.affines.apply_affine
    right, left = (x(labels.affine, np.argwhere(data == value))[:, 0] for value in (caudate, caudate + 100))
    assert right.min() > 0 > left.max()
    assert len(right) == pytest.approx(len(left), rel=0.1)
    assert np.count_nonzero(data == NEUROANATOMY_FINE["septum pellucidum"].index) > 0


def test_a_brain_alone_needs_no_extraction(cormack, files, head, tmp_path):
    code, _, warned = segment(cormack, files, "alone.nii.gz", tmp_path / "out.nii.gz")
    assert code == 0, warned
    volume = json.loads((tmp_path / "out.json").read_text())["IntracranialVolumeMl"]
    assert volume == pytest.approx(head.brain.volume_ml(), rel=0.001)


def test_masks_that_do_not_fit_are_refused_and_nothing_is_written(cormack, files, head, tmp_path):
    out = tmp_path / "out.nii.gz"
    small = make_neuroanatomy((3.0, 3.0, 3.0), reach_mm=100.0)
    write_labels(tmp_path / "other.nii.gz", small.brain)
    code, _, said = segment(cormack, files, "head.nii.gz", out, "--brain", tmp_path / "other.nii.gz")
    assert (code, "another grid" in said) == (1, True)
    empty = nib.Nifti1Image(np.zeros(head.brain.data.shape, np.uint8), nib.load(files / "mask.nii.gz").affine)
    empty.header.set_xyzt_units("mm")
    nib.save(empty, tmp_path / "empty.nii.gz")
    code, _, said = segment(cormack, files, "head.nii.gz", out, "--brain", tmp_path / "empty.nii.gz")
    assert (code, "no brain to find" in said) == (1, True)
    assert not list(tmp_path.glob("out*"))


def test_mr_is_refused_by_its_values(cormack, files, head, tmp_path):
    scan = head_ct(head, skull=False)
    mr = scan.with_data(np.where(scan.data > 0, 5 * scan.data, 0).astype(np.int16))
    write_volume(tmp_path / "mr.nii.gz", mr)
    code, _, said = segment(cormack, files, tmp_path / "mr.nii.gz", tmp_path / "out.nii.gz")
    assert code == 1
    assert "MR" in said


def test_half_a_head_is_told(cormack, files, head, tmp_path):
    half = head_ct(head, skull=False)
    data = half.data.copy()
    data[: data.shape[0] // 2 - 3] = -1000
    write_volume(tmp_path / "half.nii.gz", half.with_data(data))
    code, _, warned = segment(cormack, files, tmp_path / "half.nii.gz", tmp_path / "out.nii.gz")
    assert code == 0, warned
    assert "a part of the head is not in view" in warned


def test_atlases_are_asked_for_where_they_are_needed(cormack, files, tmp_path):
    out = tmp_path / "out.nii.gz"
    code, _, said = segment(cormack, files, "alone.nii.gz", out, "--method", "atlas")
    assert (code, "none come with Cormack" in said) == (1, True)
    code, _, said = segment(cormack, files, "alone.nii.gz", out, "--disagreement", tmp_path / "d.nii.gz")
    assert (code, "give --atlases" in said) == (1, True)
    code, _, said = segment(cormack, files, "alone.nii.gz", out, "--atlases", tmp_path)
    assert (code, "no labelled atlas" in said) == (1, True)


def test_without_a_network_it_is_said_what_is_needed(cormack, files, tmp_path, monkeypatch):
    monkeypatch.setattr("cormack.nn.store.PACKAGED", tmp_path)
    code, _, said = cormack("segment", "neuroanatomy", files / "alone.nii.gz", tmp_path / "out.nii.gz")
    assert (code, "no network 'ct-neuroanatomy' comes" in said and "--atlases" in said) == (1, True)
