import pytest

from cormack.core.errors import CormackError
from cormack.core.provenance import Provenance
from cormack.pipeline.options import RunOptions, SpaceOptions
from cormack.pipeline.progress import Silent
from cormack.pipeline.runner import Step, check_steps, run_steps
from cormack.pipeline.steps import RUN_STEPS, steps_of

GIVEN = ("located", "options", "load_options", "provenance", "progress", "subject")


def test_steps_of_a_run_fit_together():
    check_steps(steps_of(RunOptions()), (*GIVEN, "space"))


@pytest.mark.parametrize("before_brain", [True, False])
def test_steps_of_a_run_into_a_space_fit_together(before_brain):
    check_steps(steps_of(RunOptions(space=SpaceOptions(before_brain=before_brain))), GIVEN)


def test_a_step_without_its_needs_is_refused():
    with pytest.raises(CormackError, match="step 'brain' needs head"):
        check_steps([step for step in RUN_STEPS if step.gives != "head"], (*GIVEN, "space"))


class Heavy:
    """Tells when it is let go."""

    def __init__(self, released):
        self.released = released

    def __del__(self):
        self.released.append("heavy")


def test_values_flow_are_timed_and_let_go():
    released = []
    steps = (
        Step("heavy", "making", lambda start: Heavy(released)),
        Step("count", "counting", lambda heavy: 1),
        Step("after", "looking", lambda count: list(released)),
    )
    provenance = Provenance()
    results = run_steps(steps, {"start": 0}, keep={"after"}, provenance=provenance, progress=Silent())
    assert results == {"after": ["heavy"]}
    assert list(provenance.seconds) == ["heavy", "count", "after"]
