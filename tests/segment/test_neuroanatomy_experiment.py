"""The experiment's scans are what they say, its tables what their rows say, and its configurations can be trained."""

from __future__ import annotations

import importlib
import sys
from argparse import Namespace
from dataclasses import replace
from math import nan
from pathlib import Path

import numpy as np
import pytest

from analytic_neuroanatomy import make_neuroanatomy
from cormack.core.neuroanatomy import COARSE_OF_FINE
from cormack.core.tables import to_toml
from cormack.learn.config import read_config
from cormack.learn.networks import make_network
from cormack.physics.synthesis.anatomy import save_anatomy
from cormack.physics.synthesis.labelled_head import Fine, manual_head
from labelled_scans import write_knowing_network

_FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "neuroanatomy"


@pytest.fixture(scope="module", autouse=True)
def modules():
    """The experiment's scripts import each other from their own folder."""
    sys.path.insert(0, str(_FOLDER))
    yield
    sys.path.remove(str(_FOLDER))


@pytest.fixture(scope="module")
def held_out(modules):
    return importlib.import_module("held_out")


@pytest.fixture(scope="module")
def evaluate(modules):
    return importlib.import_module("evaluate")


@pytest.fixture(scope="module")
def compare(modules):
    return importlib.import_module("compare")


@pytest.fixture(scope="module")
def ventricles(modules):
    return importlib.import_module("ventricles")


@pytest.fixture(scope="module")
def anatomy():
    """A head of half a head's size: what is drawn on 2 mm is taken for 1 mm."""
    labels = make_neuroanatomy((2.0, 2.0, 2.0), reach_mm=100.0).labels.data
    return manual_head(labels.astype(np.uint8), np.random.default_rng(1), name="half-1")


@pytest.fixture(scope="module")
def scan(held_out, anatomy):
    return held_out.scanned(anatomy, "manual map", 0, 2.0)


def test_the_label_with_most_samples_is_the_voxel_s(held_out):
    samples = np.array([[[[5, 5, 2, 0]], [[3, 1, 1, 3]]]], dtype=np.uint8).reshape(1, 1, 2, 4)
    np.testing.assert_array_equal(held_out.largest_share(samples), [[[5, 1]]])


def test_a_scan_has_thick_slices_realistic_noise_and_a_mask_that_errs_little(held_out, anatomy, scan):
    assert scan.volume.spacing_mm[:2] == pytest.approx((2.0, 2.0))
    assert 3 <= scan.volume.spacing_mm[2] <= 5
    assert scan.brain.on_grid_of(scan.volume)
    truth, brain = scan.truth.data > 0, scan.brain.data > 0
    assert 2 * np.count_nonzero(truth & brain) / (truth.sum() + brain.sum()) > 0.95
    # Soft tissue varies by the noise and by up to 2.5 HU beside it.
    assert 1.5 < scan.volume.data[scan.truth.data == Fine.THALAMUS].std() < 9
    np.testing.assert_array_equal(held_out.scanned(anatomy, "", 0, 2.0).volume.data, scan.volume.data)


def test_slices_are_what_two_networks_see_and_the_truth_of_the_same_pixels(modules, anatomy, tmp_path, monkeypatch):
    slices = importlib.import_module("slices")
    task = read_config(slices.CONFIG).task
    coarse = replace(task, input=replace(task.input, spacing_mm=(2.0, 2.0, 2.0)))
    monkeypatch.setattr(slices, "read_config", lambda _: Namespace(task=coarse))
    monkeypatch.setattr(slices, "PIXEL_MM", 2.0)
    save_anatomy(anatomy, tmp_path / "half-1.npz")
    rng = np.random.default_rng(4)
    volume, brain, truth = slices.spoilt_scan(tmp_path / "half-1.npz", rng)
    assert volume.spacing_mm[2] in slices.SLICES_MM
    assert truth.max() < slices.VALUE
    network = write_knowing_network(tmp_path / "knowing", spacing_mm=2.0)
    images, targets = slices.samples_of(volume, brain, truth, network, rng)
    assert images.shape == (len(targets), task.image_channels, *targets.shape[1:])
    assert np.abs(images).max() <= 1
    # Of the slice in the middle: nothing is labelled that lies outside of the mask, where all three windows are empty.
    outside = (images[:, 3:6] == -1).all(axis=1)
    assert 0.1 < outside.mean() < 0.9
    assert (targets[outside] > 0).mean() < 0.01
    assert (targets[~outside] > 0).mean() > 0.5
    assert len(np.unique(targets)) > 6


def test_ventricles_grow_to_what_was_asked_for(held_out, monkeypatch):
    labels = np.full((60, 60, 60), 44, dtype=np.uint8)
    labels[10:20, 20:40, 20:40], labels[40:50, 20:40, 20:40] = 51, 52
    monkeypatch.setattr(held_out, "GROWTH", 1.6)
    reach = held_out.growth_mm(labels)
    # Layers of 1 and 2 mm around two boxes of 10 x 20 x 20 voxels add 1.2 and more to their volume of 8000.
    assert 1 <= reach <= 2


def test_every_route_is_held_against_the_truth_and_the_others(evaluate, scan, tmp_path):
    network = write_knowing_network(tmp_path / "knowing", spacing_mm=2.0)
    rows, confusion = evaluate.measured([scan], tmp_path, network, network, None)
    whole = COARSE_OF_FINE[scan.truth.data].size
    assert {group: counts.sum() for group, counts in confusion.items()} == {"manual map": whole}
    same = evaluate.dice_of(evaluate.of(rows, evaluate.NETWORK, evaluate.OTHERS), evaluate.OVERALL)
    np.testing.assert_array_equal(same, [1.0])
    text = "\n".join(evaluate.tables(rows))
    assert "| structure | manual map (n = 1) |" in text
    assert "| thalamus |" in text
    evaluate.write_confusion(tmp_path / "confusion", confusion["manual map"])
    assert "<svg" in (tmp_path / "confusion.svg").read_text()
    assert len((tmp_path / "confusion.tsv").read_text().splitlines()) == 13


def test_cells_are_means_and_deviations_of_scans(evaluate):
    rows = [
        evaluate.Row("composed", scan, "network", "truth", name, dice, 10.0, found)
        for scan, name, dice, found in (
            ("a", "cerebellum", 0.8, 11.0),
            ("a", "caudate nucleus", 0.6, 8.0),
            ("b", "cerebellum", 0.9, 12.0),
            ("b", "caudate nucleus", nan, 10.0),
        )
    ]
    # By hand: means of the scans are 0.7 and 0.9; deviations 0.2 / sqrt(2) and 0.1 / sqrt(2).
    assert evaluate.dice_cell(rows, evaluate.OVERALL) == "0.800 (0.141), 0.700"
    assert evaluate.dice_cell(rows, "cerebellum") == "0.850 (0.071), 0.800"
    assert evaluate.volume_cell(rows, "caudate nucleus") == "10.0; -1.0 (1.4); 1.0 (1.4)"


def test_every_configuration_of_the_paper_can_be_trained(compare, tmp_path):
    assert len(set(compare.EIGHT)) == 8
    given = Namespace(anatomies=tmp_path, names=["mayo_2"], steps=5, threads=1, full=False)
    for name in compare.EIGHT:
        path = tmp_path / "configuration.toml"
        path.write_text(to_toml(compare.configuration(compare.CONFIGURATIONS[name], given)))
        config = read_config(path)
        assert f"{config.network.normalisation}, {config.training.class_weights}" == name
    size = sum(weights.numel() for weights in make_network(config).parameters())
    assert 1.5e6 < size < 2.5e6


def test_a_threshold_half_way_measures_a_sphere_of_fluid_in_noise(ventricles):
    spacing_mm = (0.5, 0.5, 2.0)
    i, j, k = np.ogrid[:120, :120, :40]
    away_mm = np.sqrt(((i - 60) * 0.5) ** 2 + ((j - 60) * 0.5) ** 2 + ((k - 20) * 2.0) ** 2)
    rng = np.random.default_rng(3)
    hu = np.where(away_mm < 16, 6.0, 34.0) + rng.normal(0, 4, away_mm.shape)
    measured = ventricles.half_way(hu, away_mm < 20, away_mm < 30, spacing_mm)
    assert measured.ml == pytest.approx(4 / 3 * np.pi * 1.6**3, rel=0.02)
    assert measured.threshold == pytest.approx(20, abs=0.3)


def test_drawn_areas_hold_for_the_slices_around(ventricles):
    square = [[9.5, 9.5], [19.5, 9.5], [19.5, 29.5], [9.5, 29.5]]
    other = [[1.5, 1.5], [5.5, 1.5], [5.5, 5.5], [1.5, 5.5]]
    area = ventricles.drawn_area({"10": [square], "14": [square, other]}, (40, 40, 20))
    assert np.flatnonzero(area.any(axis=(0, 1))).tolist() == list(range(8, 17))
    assert [np.count_nonzero(area[:, :, k]) for k in (12, 13)] == [200, 216]
    assert area[15, 20, 8:17].all()
    assert not area[25, 20].any()


def test_areas_are_drawn_for_three_scans(ventricles):
    for polygons in ventricles.read_toml(ventricles.AREAS).values():
        assert all(len(polygon) >= 4 for drawn in polygons.values() for polygon in drawn)
    assert sorted(ventricles.read_toml(ventricles.AREAS)) == ["cq500_cta", "ge_tilted", "toshiba_2mm"]


def test_atlases_are_different_people_and_not_those_held_out(evaluate, tmp_path):
    names = ("malf_2-1", "malf_3-1", "malf_3-tight-1", "malf_9-1", "mayo_1-1", "mayo_1-2", "mayo_1-tight-1")
    for name in names:
        (tmp_path / f"{name}.npz").touch()
    folder = evaluate.chosen_atlases(tmp_path, ["malf_9"], 3, tmp_path)
    assert sorted(path.stem for path in folder.iterdir()) == ["malf_2-1", "malf_3-1", "mayo_1-1"]
