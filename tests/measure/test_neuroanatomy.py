"""Clinical measures against an analytic head, and against measurements by hand on two manual label maps."""

import nibabel as nib
import numpy as np
import pytest

from analytic_neuroanatomy import HORN_MM, ROOF_MM, Shape, make_neuroanatomy, skull_width_mm, turn
from cormack.core.errors import InputError
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.neuroanatomy import COARSE_OF_FINE, NEUROANATOMY, NEUROANATOMY_FINE
from cormack.imaging.resample import resample
from cormack.measure.neuroanatomy import clinical_measures

EVANS, BICAUDATE = 2 * ROOF_MM / skull_width_mm(16.0), 2 * HORN_MM / skull_width_mm(9.0, 8.0)


def measured(labels, brain):
    return {m.name: m for m in clinical_measures(labels, brain)}


def of(head):
    return measured(head.labels, head.brain)


def coarse(labels):
    return LabelMap(COARSE_OF_FINE[labels.data], labels.affine, NEUROANATOMY)


@pytest.fixture(scope="module")
def upright():
    return make_neuroanatomy(shape=Shape(shift_mm=5))


@pytest.fixture(scope="module")
def upright_measures(upright):
    return of(upright)


@pytest.mark.parametrize(
    ("spacing", "angles"),
    [
        ((1.5, 1.5, 1.5), (0, 0, 0)),
        ((1.5, 1.5, 1.5), (20, 0, 0)),
        ((1.5, 1.5, 1.5), (-15, 12, 20)),
        ((0.9, 0.9, 5.0), (0, 0, 0)),
        ((0.9, 0.9, 5.0), (20, 10, -10)),
    ],
)
def test_widths_angle_and_shift_of_a_tilted_head_in_thick_slices(spacing, angles):
    found = of(make_neuroanatomy(spacing, rotation=turn(*angles), shape=Shape(shift_mm=5)))
    # A voxel in 38 and 34 mm, half of one in the shift; steep walls in thick slices tell a few degrees.
    assert found["Evans' index"].value == pytest.approx(EVANS, rel=0.035)
    assert found["bicaudate ratio"].value == pytest.approx(BICAUDATE, rel=0.04)
    assert found["callosal angle"].value == pytest.approx(80, abs=5)
    assert found["midline shift"].value == pytest.approx(5, abs=0.75)
    assert found["midline shift"].side == "right"


@pytest.mark.parametrize("angle", [60, 100, 120])
def test_callosal_angle_of_other_ventricles(angle):
    found = of(make_neuroanatomy(rotation=turn(10, 5, 0), shape=Shape(angle_deg=angle)))
    assert found["callosal angle"].value == pytest.approx(angle, abs=5)


def test_shift_to_the_left_and_none():
    assert of(make_neuroanatomy(shape=Shape(shift_mm=-4)))["midline shift"].side == "left"
    assert of(make_neuroanatomy())["midline shift"].value < 1


def test_shift_without_falx_is_that_from_the_fissure():
    found = of(make_neuroanatomy((2.0,) * 3, shape=Shape(shift_mm=5, falx=False)))["midline shift"]
    assert found.value == pytest.approx(5, abs=0.75)


def test_volumes_and_fractions_are_counts_of_voxels(upright, upright_measures):
    data, voxel_ml = upright.labels.data, 1.5**3 / 1000
    count = {label.name: np.count_nonzero(data == label.index) for label in NEUROANATOMY_FINE}
    brain = np.count_nonzero(upright.brain.data)
    assert upright_measures["ventricular volume"].value == pytest.approx(count["ventricular system"] * voxel_ml)
    assert upright_measures["ventricular fraction"].value == pytest.approx(100 * count["ventricular system"] / brain)
    assert upright_measures["CSF outside the ventricles"].value == pytest.approx(count["subarachnoid space"] * voxel_ml)
    fluid = ("ventricular system", "subarachnoid space", "dural folds and venous sinuses")
    tissue = np.count_nonzero(data) - sum(count[name] for name in fluid)
    assert upright_measures["brain parenchymal fraction"].value == pytest.approx(100 * tissue / brain)


def test_coarse_labels_give_the_same(upright, upright_measures):
    # Without the thalamus as a landmark the axes differ a little.
    found = measured(coarse(upright.labels), upright.brain)
    for name, tolerance in {
        "Evans' index": 0.01,
        "bicaudate ratio": 0.01,
        "callosal angle": 4,
        "midline shift": 0.3,
    }.items():
        assert found[name].value == pytest.approx(upright_measures[name].value, abs=tolerance)
    assert found["ventricular volume"].value == upright_measures["ventricular volume"].value


def test_resampling_and_other_axes_change_little(upright, upright_measures):
    labels, brain = (resample(part, 2.0) for part in (upright.labels, upright.brain))
    flipped = [LabelMap(part.data[::-1].transpose(2, 0, 1), _reordered(part), part.table) for part in (labels, brain)]
    found = measured(*flipped)
    assert found["Evans' index"].value == pytest.approx(upright_measures["Evans' index"].value, abs=0.012)
    assert found["bicaudate ratio"].value == pytest.approx(upright_measures["bicaudate ratio"].value, abs=0.012)
    assert found["callosal angle"].value == pytest.approx(upright_measures["callosal angle"].value, abs=7)
    assert found["midline shift"].value == pytest.approx(upright_measures["midline shift"].value, abs=1.1)
    assert found["midline shift"].side == "right"


def _reordered(part):
    affine = part.affine.copy()
    affine[:3, 3] += affine[:3, 0] * (part.data.shape[0] - 1)
    affine[:3, 0] *= -1
    affine[:, :3] = affine[:, [2, 0, 1]]
    return affine


def test_asymmetry_of_a_caudate_nucleus_of_half_the_width():
    found = of(make_neuroanatomy((1.0,) * 3, shape=Shape(right_caudate=0.5)))
    # Left 8 mm wide, right 4 mm, at most a voxel more or less each: (8 - 4) / 6.
    assert found["asymmetry of the caudate nucleus"].value == pytest.approx(200 / 3, abs=14)
    assert abs(found["asymmetry of the lentiform nucleus"].value) < 3


def test_geometry_is_what_the_value_says(upright_measures):
    for name in ("Evans' index", "bicaudate ratio"):
        measure = upright_measures[name]
        assert measure.value == pytest.approx(measure.lines[0].length_mm / measure.lines[1].length_mm)
    shift = upright_measures["midline shift"]
    assert shift.lines[1].length_mm == pytest.approx(shift.value)
    angle = upright_measures["callosal angle"]
    one, two = (line.points_mm[1] - line.points_mm[0] for line in angle.lines)
    cosine = one @ two / np.linalg.norm(one) / np.linalg.norm(two)
    assert np.degrees(np.arccos(cosine)) == pytest.approx(angle.value)
    for measure in upright_measures.values():
        for line in measure.lines:
            assert np.abs((line.points_mm - measure.plane.point_mm) @ measure.plane.normal).max() < 1e-6


@pytest.mark.parametrize(
    ("shape", "names", "why"),
    [
        (Shape(septum=False), ("midline shift",), "no septum pellucidum is labelled"),
        (
            Shape(ventricles=False, septum=False),
            ("Evans' index", "bicaudate ratio", "callosal angle", "ventricular volume"),
            "no ventricular system is labelled",
        ),
    ],
)
def test_a_missing_structure_is_a_reason(shape, names, why):
    found = of(make_neuroanatomy((2.0,) * 3, shape=shape))
    for name in names:
        assert found[name].value is None
        assert found[name].reason == why
        assert found[name].measurement.definition == why


def test_a_cut_vertex_leaves_the_widths_and_takes_the_fractions():
    found = of(make_neuroanatomy(top_mm=45))
    assert found["Evans' index"].value == pytest.approx(EVANS, rel=0.035)
    for name in ("ventricular fraction", "brain parenchymal fraction", "CSF outside the ventricles"):
        assert "cuts the intracranial space: vertex" in found[name].reason


def test_without_landmarks_there_are_no_planes():
    head = make_neuroanatomy((2.0,) * 3)
    gone = np.isin(
        head.labels.data, [NEUROANATOMY_FINE[name].index for name in ("thalamus", "insular cortex", "cerebellum")]
    )
    head.labels.data[gone] = 12
    found = of(head)
    assert "axes of the head are unknown" in found["callosal angle"].reason
    assert found["ventricular volume"].value > 0


def test_an_empty_brain_mask_is_a_reason_and_empty_labels_an_error():
    head = make_neuroanatomy((2.0,) * 3)
    nothing = LabelMap(np.zeros_like(head.brain.data), head.brain.affine, BRAIN)
    assert measured(head.labels, nothing)["ventricular fraction"].reason == "the intracranial mask is empty"
    with pytest.raises(InputError, match="less than 50 ml are labelled"):
        clinical_measures(LabelMap(np.zeros_like(head.labels.data), head.labels.affine, NEUROANATOMY_FINE), head.brain)


def manual(shared_data, number):
    image = nib.load(shared_data / "neuroanatomy" / f"mayo_{number}.nii.gz")
    data = np.asarray(image.dataobj).astype(np.uint8)
    return LabelMap(data, image.affine, NEUROANATOMY_FINE), LabelMap((data > 0).astype(np.uint8), image.affine, BRAIN)


#: Read off the native slices of the two maps with a ruler: the line of the falx from the middle of its label behind to
#: that in front gives the turn of the head, at right angles to which the outermost voxels were taken. Slices are
#: tilted by 6 and 11 degrees to the plane of the commissures, which changes a width little.
BY_HAND = {
    # Horns 37.7 mm on slice 23, from voxel (213, 337) to (304, 319), and 38.2 mm on slice 26; skull 130.0 mm on slice
    # 23. Between the caudate nuclei 41 voxels on slice 22 (row 299) and 52 on slice 23 (row 302), where the skull is
    # 293 and 295 wide; the plane lies two thirds of the way to slice 23.
    1: {
        "Evans' index": 37.9 / 130.0,
        "bicaudate ratio": (41 / 3 + 52 * 2 / 3) / 294,
        "ventricular volume": 88844 * 0.402**2 * 4 / 1000,
    },
    # Horns 36.1 mm on slice 24, from voxel (229, 332) to (312, 323); skull 123.1 mm on slice 22. Between the caudate
    # nuclei 35 voxels on slice 22 (row 304) and 45 on slice 23 (row 303), where the skull is 262 and 261 wide; the
    # plane lies one third of the way to slice 23.
    2: {
        "Evans' index": 36.1 / 123.1,
        "bicaudate ratio": (35 * 2 / 3 + 45 / 3) / 261.5,
        "ventricular volume": 56799 * 0.428**2 * 4 / 1000,
    },
}


@pytest.mark.parametrize("number", [1, 2])
def test_manual_maps_as_measured_by_hand(shared_data, number):
    found = measured(*manual(shared_data, number))
    for name, value in BY_HAND[number].items():
        assert found[name].value == pytest.approx(value, rel=0.005 if "volume" in name else 0.06), name
    # The septum lies 1.4 to 2.7 mm (map 1, slice 22) and up to 1.3 mm (map 2, most slices) off the line of the falx.
    assert found["midline shift"].value == pytest.approx({1: 2.7, 2: 1.0}[number], abs=0.7)


def test_a_turned_manual_map_gives_the_same(shared_data):
    labels, brain = manual(shared_data, 2)
    affine = np.eye(4)
    affine[:3, :3] = turn(18, -12, 15)
    moved = [LabelMap(part.data, affine @ part.affine, part.table) for part in (labels, brain)]
    still, turned = measured(labels, brain), measured(*moved)
    assert turned["Evans' index"].value == pytest.approx(still["Evans' index"].value, abs=0.004)
    assert turned["bicaudate ratio"].value == pytest.approx(still["bicaudate ratio"].value, abs=0.004)
    assert turned["callosal angle"].value == pytest.approx(still["callosal angle"].value, abs=5)
    assert turned["midline shift"].value == pytest.approx(still["midline shift"].value, abs=0.3)
