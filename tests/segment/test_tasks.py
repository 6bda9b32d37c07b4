import pytest

from cormack.segment.tasks import TASKS


@pytest.mark.parametrize("name", TASKS)
def test_every_task_can_be_loaded_and_its_methods_are_described(name):
    task = TASKS[name]
    assert task.name == name
    assert callable(task.load())
    assert task.default_method in task.methods
    assert all(task.methods.values())
    assert not task.summary.endswith(".")
