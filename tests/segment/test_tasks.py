import pytest

from cormack.pipeline.segment import STEPS
from cormack.segment.tasks import TASKS, Task


@pytest.mark.parametrize("name", TASKS)
def test_every_task_can_be_loaded_and_its_methods_are_described(name):
    task = TASKS[name]
    assert task.name == name
    assert callable(task.load()) if task.home else STEPS[name][-1].gives == "segmentation"
    assert task.default_method in task.methods
    assert all(task.methods.values())
    assert not task.summary.endswith(".")


def test_a_task_of_several_rooms_has_no_function_of_its_own():
    with pytest.raises(LookupError, match="steps in the pipeline"):
        Task("many", "Much", {"one": "way"}, "head").load()
