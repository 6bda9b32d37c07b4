"""The mean of two trainings of a network, the second begun from the first (Wortsman et al. 2022, arXiv 2109.01903).

    python experiments/t1-brain/average.py BEFORE AFTER OUT

All are folders of exported networks; OUT gets AFTER's task.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import onnx
from onnx import numpy_helper

from cormack.nn.store import MODEL_FILE, TASK_FILE
from cormack.nn.task import read_task, write_task


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("before", "after", "out"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    before = {t.name: numpy_helper.to_array(t) for t in onnx.load(given.before / MODEL_FILE).graph.initializer}
    model = onnx.load(given.after / MODEL_FILE)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype.kind == "f":
            tensor.CopyFrom(numpy_helper.from_array((values + before[tensor.name]) / 2, tensor.name))
    data = model.SerializeToString()
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / MODEL_FILE).write_bytes(data)
    task = read_task(given.after / TASK_FILE)
    # What was measured after the training is not true of the mean.
    trained = {name: value for name, value in task.trained.items() if name != "validation"}
    write_task(replace(task, sha256=sha256(data).hexdigest(), trained=trained), given.out / TASK_FILE)


if __name__ == "__main__":
    main()
