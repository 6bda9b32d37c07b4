import tomllib

import pytest

from cormack.core.errors import ConfigurationError
from cormack.nn.task import read_task, task_from_table, write_task

TEXT = """
name = "ct-brain"
description = "the intracranial \\"space\\" on head CT"
modality = "CT"
sha256 = "00ff"
[input]
dimensions = 3
orientation = "RAS"
spacing_mm = [2, 2.0, 2.0]
multiple_of = 16
tile = [160, 160, 160]
pad_value = -1000.0
channels = [{kind = "window", low = -100.0, high = 200.0}, {kind = "zscore"}]
[output]
labels = [{value = 1, name = "brain", abbreviation = "B", color = "#e69f00"}]
[post]
steps = ["largest", "fill"]
[trained]
seed = 7
figures = {dice = [0.98, 0.99], best = true}
"""


def changed(**replacements):
    """The tables with values replaced; names are paths with __ between the parts."""
    tables = tomllib.loads(TEXT)
    for path, value in replacements.items():
        *way, last = path.split("__")
        table = tables
        for part in way:
            table = table[part]
        table[last] = value
    return tables


def test_a_task_is_read_and_written_the_same(tmp_path):
    path = tmp_path / "task.toml"
    path.write_text(TEXT)
    task = read_task(path)
    assert task.input.spacing_mm == (2.0, 2.0, 2.0)
    assert task.input.channels[1].kind == "zscore"
    assert task.output.labels["brain"].color == (230, 159, 0)
    assert task.output.classes == 1
    assert task.post.steps == ("largest", "fill")
    write_task(task, tmp_path / "again.toml")
    assert read_task(tmp_path / "again.toml") == task
    assert tomllib.loads((tmp_path / "again.toml").read_text())["trained"] == tomllib.loads(TEXT)["trained"]


def test_two_labels_come_with_a_background():
    labels = [dict(value=n, name=f"n{n}", abbreviation="n", color="#000000") for n in (1, 2)]
    assert task_from_table(changed(output__labels=labels)).output.classes == 3


def test_neighbouring_slices_are_channels():
    task = task_from_table(changed(input__dimensions=2.5, input__context=2, input__tile=[32, 32]))
    assert task.image_channels == 10


@pytest.mark.parametrize(
    ("replacement", "message"),
    [
        ({"input__spacing": [1, 1, 1]}, "unknown key 'spacing'; did you mean 'spacing_mm'"),
        ({"qqq": 1}, "known keys are"),
        ({"input__dimensions": 4}, "2, 2.5 or 3"),
        ({"input__dimensions": 2.5}, "context"),
        ({"input__context": 1}, "context"),
        ({"input__spacing_mm": [1.0, 1.0]}, "spacing_mm"),
        ({"input__spacing_mm": [1.0, 1.0, 0.0]}, "positive"),
        ({"input__orientation": "RRS"}, "orientation"),
        ({"input__slice_axis": 3}, "slice_axis"),
        ({"input__multiple_of": 0}, "multiple_of"),
        ({"input__tile": [100, 160, 160]}, "multiples of 16"),
        ({"input__tile": [160, 160]}, "tile"),
        ({"input__channels": []}, "one channel or more"),
        ({"input__channels": [{"kind": "windows", "low": 0, "high": 1}]}, "zscore"),
        ({"input__channels": [{"kind": "window", "low": 0}]}, "low and high"),
        ({"input__channels": [{"kind": "percentile", "low": -1, "high": 99}]}, "percentiles"),
        ({"modality": "PET"}, "CT or MR"),
        ({"output__labels": []}, "one label or more"),
        ({"output__labels": [{"value": 0, "name": "a", "abbreviation": "a", "color": "#000000"}]}, "positive"),
        ({"output__labels": [{"value": 1, "name": "a", "abbreviation": "a", "color": "red"}]}, "hexadecimal"),
        ({"post__steps": ["largst"]}, "did you mean 'largest'"),
        ({"description": 3}, "kind str"),
    ],
)
def test_what_is_not_allowed_is_named(replacement, message):
    with pytest.raises(ConfigurationError, match=message):
        task_from_table(changed(**replacement))


def test_a_missing_key_and_a_broken_file_are_named(tmp_path):
    tables = changed()
    del tables["input"]["channels"]
    with pytest.raises(ConfigurationError, match="channels is missing"):
        task_from_table(tables)
    path = tmp_path / "task.toml"
    path.write_text("name = ")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_task(path)
