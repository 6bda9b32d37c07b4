"""Networks of one convolution, so that what they give can be said by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cormack.core.labels import Label, LabelTable
from cormack.nn.task import Channel, Task, TaskInput, TaskOutput, TaskPost, write_task

HU_WINDOW = Channel("window", -1000.0, 1000.0)


def labels(count: int) -> LabelTable:
    return LabelTable(tuple(Label(n, f"part {n}", f"P{n}", (n, 0, 0)) for n in range(1, count + 1)))


def write_network(
    folder: Path,
    weights,
    bias,
    *,
    given: TaskInput | None = None,
    steps: tuple[str, ...] = (),
    count: int | None = None,
    name: str = "tiny",
    modality: str = "CT",
) -> Path:
    """A folder with a network whose logits are a convolution of its channels.

    Parameters
    ----------
    weights : array, shape (class, channel) or (class, channel, size, size[, size])
    bias : array, shape (class,)
    """
    given = given or TaskInput((HU_WINDOW,), (2.0, 2.0, 2.0), multiple_of=4)
    dimensions = 3 if given.dimensions == 3 else 2
    kernel = np.asarray(weights, dtype=np.float32)
    if kernel.ndim == 2:
        kernel = kernel.reshape(*kernel.shape, *[1] * dimensions)
    axes = "ijk"[:dimensions]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w", "b"], ["logits"], pads=[s // 2 for s in kernel.shape[2:]] * 2)],
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", kernel.shape[1], *axes])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", kernel.shape[0], *axes])],
        [numpy_helper.from_array(kernel, "w"), numpy_helper.from_array(np.asarray(bias, np.float32), "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder.mkdir(parents=True, exist_ok=True)
    data = model.SerializeToString()
    (folder / "model.onnx").write_bytes(data)
    table = labels(count if count is not None else max(1, kernel.shape[0] - 1))
    task = Task(name, "", modality, given, TaskOutput(table), hashlib.sha256(data).hexdigest(), TaskPost(steps))
    write_task(task, folder / "task.toml")
    assert onnx.checker.check_model(model) is None
    return folder
