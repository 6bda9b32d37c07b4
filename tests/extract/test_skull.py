from __future__ import annotations

import numpy as np
import pytest
from extract_phantoms import BONE, head_phantom, load_head, reference_on

from cormack.core.errors import ExtractionError
from cormack.core.volume import Volume
from cormack.extract.skull import skull_mask
from cormack.measure.overlap import dice, hausdorff_mm


def agreement(phantom):
    mask = skull_mask(phantom.volume)
    spacing = phantom.volume.spacing_mm
    return dice(mask, phantom.brain), hausdorff_mm(mask, phantom.brain, spacing_mm=spacing), mask


def test_the_inside_of_an_ellipsoid_shell_ends_at_its_foramen(phantom, phantom_mask):
    assert dice(phantom_mask, phantom.brain) > 0.98
    assert hausdorff_mm(phantom_mask, phantom.brain, spacing_mm=phantom.volume.spacing_mm) < 2.1
    assert np.count_nonzero(phantom_mask) == pytest.approx(np.count_nonzero(phantom.brain), rel=0.04)


def test_thick_slices():
    overlap, hd95, _ = agreement(head_phantom((1.0, 1.0, 6.0)))
    assert overlap > 0.975
    assert hd95 < 4.5


@pytest.mark.parametrize("hole_mm", [8.0, 30.0])
def test_a_defect_of_the_vault_is_bridged(hole_mm):
    overlap, hd95, mask = agreement(head_phantom(hole_mm=hole_mm))
    assert overlap > 0.97
    assert hd95 < 4.5
    assert not mask[~head_phantom().head].any()


def test_noise_of_a_sharp_kernel_changes_little():
    overlap, hd95, _ = agreement(head_phantom((1.0, 1.0, 2.5), noise_hu=40.0))
    assert overlap > 0.975
    assert hd95 < 3.0


def test_a_closed_skull_needs_no_foramen():
    overlap, hd95, _ = agreement(head_phantom(foramen=False))
    assert overlap > 0.975
    assert hd95 < 2.9


@pytest.mark.parametrize(("low", "high"), [(0, 60), (25, 70)])
def test_a_scan_cut_above_or_below_gives_the_part_it_shows(phantom, low, high):
    volume = phantom.volume
    part = Volume(volume.data[:, :, low:high], volume.affine)
    assert dice(skull_mask(part), phantom.brain[:, :, low:high]) > 0.97


def test_padding_a_quarter_turn_and_memory_order_do_not_matter(phantom, phantom_mask):
    turned = np.asfortranarray(phantom.volume.data.transpose(1, 0, 2))
    padded = np.pad(turned, [(40, 10), (25, 30), (0, 0)], constant_values=-1024)
    found = skull_mask(Volume(np.asfortranarray(padded), phantom.volume.affine))[40:-10, 25:-30]
    assert dice(found.transpose(1, 0, 2), phantom_mask) > 0.995


def test_the_surface_lies_at_half_the_step_to_bone():
    # Blurred, the step's middle stays where the bone begins, 100 HU does not: that is 1 mm farther in.
    from scipy.ndimage import gaussian_filter

    sharp = head_phantom((1.0, 1.0, 1.0), foramen=False)
    blurred = gaussian_filter(sharp.volume.data.astype(np.float32), 1.2)
    mask = skull_mask(sharp.volume.with_data(np.rint(blurred).astype(np.int16)))
    above = np.s_[:, :, 80:]
    assert np.count_nonzero(mask[above]) == pytest.approx(np.count_nonzero(sharp.brain[above]), rel=0.01)
    inner = sharp.brain[above] & (blurred[above] < 100)
    assert np.count_nonzero(inner) < 0.985 * np.count_nonzero(mask[above])


@pytest.mark.parametrize("fill_hu", [-1000, 30, 60])
def test_without_a_skull_it_says_so(phantom, fill_hu):
    data = phantom.volume.data.copy()
    data[data == BONE] = fill_hu
    with pytest.raises(ExtractionError, match="no bone above"):
        skull_mask(phantom.volume.with_data(data))


def test_a_space_that_bone_hardly_borders_is_refused(phantom):
    # Half a skull: balls fit in, lines of sight end on bone, yet half of the surface is open.
    data = phantom.volume.data.copy()
    bone = data == BONE
    bone[:, :60] = False
    data[(data == BONE) & ~bone] = 40
    with pytest.raises(ExtractionError, match="bone"):
        skull_mask(phantom.volume.with_data(data))


def test_bone_that_encloses_nothing_is_refused(phantom):
    data = np.full(phantom.volume.shape, 40, np.int16)
    data[50:55, 50:55, :] = 900
    with pytest.raises(ExtractionError, match="enclosed by bone"):
        skull_mask(phantom.volume.with_data(data))


@pytest.mark.parametrize("name", ["ge_tilted", "cq500_cta", "toshiba_2mm"])
def test_real_heads_reach_the_target(shared_data, name):
    volume = load_head(shared_data / "head_ct" / name)
    truth = reference_on(volume, shared_data / "head_ct" / "reference" / name / "mask.nii.gz")
    mask = skull_mask(volume)
    thin = np.s_[:, :, ::2] if volume.spacing_mm[2] < 1 else np.s_[:, :, :]
    spacing = np.array(volume.spacing_mm) * (1, 1, 2 if volume.spacing_mm[2] < 1 else 1)
    assert dice(mask, truth) > 0.978
    assert hausdorff_mm(mask[thin], truth[thin], spacing_mm=spacing) < 4.0
