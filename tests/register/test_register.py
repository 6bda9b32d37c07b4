from dataclasses import replace

import numpy as np
import pytest
from register_heads import brain, error_mm, grid, head, smooth_field, turned

from cormack.core.errors import GeometryError, InputError
from cormack.core.fields import DisplacementField
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.transforms import Affine
from cormack.core.volume import Unit, Volume
from cormack.register.engine import GivenEngine
from cormack.register.register import RegisterOptions, register_volumes

OPTIONS = RegisterOptions(spacing_mm=4.0)
HEADERS = RegisterOptions(spacing_mm=4.0, search=False)


@pytest.fixture(scope="module")
def fixed() -> Volume:
    return head()


@pytest.mark.parametrize("metric", ["mi", "nmi"])
def test_a_turned_head_is_found_rigidly(fixed, metric):
    true = turned((50, -20, 35), (60, -40, 70))
    # The head lies beyond the fixed grid's place, so that its own grid has to follow it.
    moving = head(true.inverse(), seed=1, affine=shifted(grid(), true))
    made = register_volumes(moving, fixed, "rigid", metric=metric, options=OPTIONS)
    assert made.ok, made.failure
    assert error_mm(made.transform, true, fixed).mean() < (1.2 if metric == "nmi" else 0.6)
    linear = made.transform.transforms[0].matrix[:3, :3]
    np.testing.assert_allclose(linear @ linear.T, np.eye(3), atol=1e-5)


def shifted(affine: np.ndarray, transform: Affine) -> np.ndarray:
    moved = affine.copy()
    moved[:3, 3] += transform.matrix[:3, 3]
    return moved


def test_scale_and_shear_are_found_affinely(fixed):
    matrix = turned((5, 8, -10), (10, 5, -8)).matrix.copy()
    matrix[:3, :3] = matrix[:3, :3] @ np.array([[1.08, 0.05, 0], [0, 0.94, 0.04], [0, 0, 1.05]])
    true = Affine(matrix)
    made = register_volumes(head(true.inverse(), seed=1), fixed, "affine", options=OPTIONS)
    assert made.ok
    assert error_mm(made.transform, true, fixed).mean() < 1.2
    assert made.evidence.jacobian_min == pytest.approx(np.linalg.det(matrix), rel=0.03)


@pytest.mark.parametrize("metric", ["mi", "auto"])
def test_a_smooth_deformation_is_found_and_inverts(metric):
    true = DisplacementField(smooth_field(3.0), grid())
    # The fixed head is the deformed one: at x it has the value of the moving head at T(x).
    fixed, moving = head(true), head(seed=1)
    made = register_volumes(moving, fixed, "syn", metric=metric, options=HEADERS)
    assert made.ok
    # One head and its deformed self have equal values: left to choose, least squares deform it.
    assert made.metric == ("ls" if metric == "auto" else "mi")
    before, after = error_mm(Affine.identity(), true, fixed).mean(), error_mm(made.transform, true, fixed).mean()
    assert before > 2.0
    assert after < 0.75 * before
    assert made.evidence.jacobian_min > 0
    assert made.evidence.folded_share == 0
    assert made.evidence.inverse_consistency_mm < 0.3
    assert made.evidence.similarity_after > made.evidence.similarity_before


def test_same_seed_and_one_thread_give_the_same_bits(fixed):
    moving = head(turned((3, 2, 1), (2, 1, 0)).inverse(), seed=1)
    one, two = (register_volumes(moving, fixed, "rigid", options=HEADERS) for _ in range(2))
    np.testing.assert_allclose(one.transform.transforms[0].matrix, two.transform.transforms[0].matrix, atol=1e-4)


def test_the_background_may_be_anything_and_cormack_units_do(fixed):
    true = turned((4, 3, -6), (6, -5, 4))
    moving = head(true.inverse(), seed=1)
    raised = moving.with_data((moving.data + 1025).clip(0), unit=Unit.SHIFTED_HU, outside=0)
    made = register_volumes(raised, fixed, "rigid", options=replace(HEADERS, values="cormack"))
    assert error_mm(made.transform, true, fixed).mean() < 0.8


def test_masks_take_what_counts(fixed):
    true = turned((10, -5, 20), (15, 10, -20))
    moving = head(true.inverse(), seed=1)
    masks = {"moving_mask": brain(moving, true.inverse()), "fixed_mask": brain(fixed)}
    made = register_volumes(moving, fixed, "rigid", options=OPTIONS, **masks)
    assert error_mm(made.transform, true, fixed).mean() < 0.8
    assert made.evidence.overlap > 0.97


def test_lesions_are_left_out(fixed):
    true = turned((4, 2, -3), (3, 4, -2))
    moving = head(true.inverse(), seed=1)
    # A bleed beside the skull, as bright as bone in the window of soft tissue.
    data = moving.data.copy()
    data[30:46, 18:40, 20:40] = 120
    lesion = np.zeros(moving.shape, np.uint8)
    lesion[29:47, 17:41, 19:41] = 1
    ill, where = moving.with_data(data), LabelMap(lesion, moving.affine, BRAIN)
    masked = register_volumes(ill, fixed, "rigid", options=HEADERS, moving_lesions=where)
    assert error_mm(masked.transform, true, fixed).mean() < 0.7
    # What lies under the mask does not count at all: another lesion there gives the same transform.
    data[30:46, 18:40, 20:40] = 0
    other = register_volumes(moving.with_data(data), fixed, "rigid", options=HEADERS, moving_lesions=where)
    assert error_mm(other.transform, masked.transform, fixed).mean() < 0.3


def test_failures_are_values_with_a_reason(fixed):
    moving = head(seed=1)
    away = Affine(np.array([[1, 0, 0, 400], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    made = register_volumes(moving, fixed, options=HEADERS, engine=GivenEngine(away))
    assert made.failure.code == "registration-overlap"
    made = register_volumes(moving, fixed, options=HEADERS, engine=GivenEngine(Affine(np.diag([2.0, 2.0, 2.0, 1.0]))))
    assert made.failure.code in ("registration-overlap", "registration-diverged")
    made = register_volumes(moving, fixed, options=HEADERS, engine=GivenEngine(turned((0, 0, 30), (0, 0, 0))))
    assert made.failure.code == "registration-diverged"
    field = np.zeros((*fixed.shape, 3), np.float32)
    field[..., 0] = -12 * np.sin(np.arange(fixed.shape[0]) * 1.2)[:, None, None]
    made = register_volumes(
        moving, fixed, "syn", options=HEADERS, engine=GivenEngine(DisplacementField(field, fixed.affine))
    )
    assert made.failure is not None
    assert made.evidence.folded_share > 0.01


def test_volumes_that_do_not_overlap_as_the_headers_say_fail_without_a_search(fixed):
    far = head(seed=1)
    far = Volume(far.data, turned((0, 0, 0), (900, 0, 0)).matrix @ far.affine)
    assert not register_volumes(far, fixed, options=HEADERS).ok
    found = register_volumes(far, fixed, options=OPTIONS)
    assert found.ok
    assert found.evidence.similarity_before is None


def test_a_mirrored_scan_of_the_same_person_is_told(fixed):
    moving = head(seed=1)
    looking = RegisterOptions(spacing_mm=4.0, look_for_mirror=True)
    given = GivenEngine(Affine.identity())
    mirrored = moving.with_data(moving.data[::-1].copy())
    codes = [f.code for f in register_volumes(mirrored, fixed, options=looking, engine=given).findings]
    assert codes == ["left-right-flipped"]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda v: {"moving": v.with_data(np.full_like(v.data, 7))}, InputError, "one value only"),
        (lambda v: {"moving": Volume(v.data[:, :, :1], v.affine)}, GeometryError, "at least 4 voxels"),
        (lambda v: {"moving": Volume(v.data, v.affine @ np.diag([1, 1, 30, 1.0]))}, GeometryError, "30 times"),
        (lambda v: {"moving_mask": LabelMap(np.zeros(v.shape, np.uint8), v.affine, BRAIN)}, InputError, "is empty"),
        (
            lambda v: {"fixed_mask": LabelMap(np.ones((5, 5, 5), np.uint8), v.affine, BRAIN)},
            GeometryError,
            "not on the",
        ),
        (lambda v: {"kind": "elastic"}, InputError, "rigid, affine, syn"),
        (lambda v: {"metric": "ncc"}, InputError, "auto, mi, nmi, ls, cc"),
        (lambda v: {"metric": "ls", "moving": v.with_data(v.data, unit=Unit.ARBITRARY)}, InputError, "compare values"),
    ],
)
def test_what_cannot_be_registered_is_refused(fixed, change, error, words):
    given = {"moving": fixed, "fixed": fixed, "options": HEADERS, **change(fixed)}
    with pytest.raises(error, match=words):
        register_volumes(given.pop("moving"), given.pop("fixed"), **given)


def test_thick_slices_of_twenty_to_one_are_registered(fixed):
    affine = np.diag([1.0, 1.0, 20.0, 1.0])
    affine[:3, 3] = (-80, -100, -90)
    thick = head(seed=1, affine=affine, shape=(160, 200, 10))
    made = register_volumes(thick, fixed, "rigid", options=OPTIONS)
    assert made.ok
    assert error_mm(made.transform, Affine.identity(), fixed).mean() < 3
