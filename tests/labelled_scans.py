"""A head CT whose every structure has Hounsfield units of its own, and a network of one convolution that knows them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from scipy import ndimage

from analytic_neuroanatomy import AnalyticHead
from cormack.core.labels import Label, LabelTable
from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.core.volume import FloatArray, Volume
from cormack.nn.task import Channel, Task, TaskInput, TaskOutput, write_task
from cormack.segment.haematoma import HAEMATOMA

#: HU of label 0 (not used), of the sixteen, and of haematomas; the order keeps neighbours in space apart in value.
STEP_HU, FIRST_HU = 4.0, 8.0
HU = FIRST_HU + STEP_HU * np.arange(18)
#: The same as they are in heads: fluid, dura and tissue.
TRUE_HU = np.full(18, 32.0)
TRUE_HU[[NEUROANATOMY_FINE[name].index for name in ("subarachnoid space", "ventricular system", "central sulcus")]] = (
    8.0
)
TRUE_HU[NEUROANATOMY_FINE["dural folds and venous sinuses"].index] = 50.0
BONE_HU, AIR_HU = 900, -1000
LOW_HU, HIGH_HU = 0.0, 80.0


def head_ct(head: AnalyticHead, *, skull: bool = True, hu: FloatArray = HU) -> Volume:
    """The head as CT; with skull and skin, or the brain alone; `hu` by label."""
    inside = head.labels.data > 0
    data = np.where(inside, hu[head.labels.data], AIR_HU)
    if skull:
        steps = [round(6 / h) for h in np.linalg.norm(head.labels.affine[:3, :3], axis=0)]
        near = ndimage.distance_transform_edt(~inside) <= steps[0]
        skin = ndimage.distance_transform_edt(~inside) <= 2 * steps[0]
        data = np.where(inside, data, np.where(near, BONE_HU, np.where(skin, 30, AIR_HU)))
    return Volume(np.asfortranarray(data.astype(np.int16)), head.labels.affine)


def write_knowing_network(folder: Path, *, labels: int = 16, spacing_mm: float = 2.0) -> Path:
    """A network whose likeliest label is the one whose HU is nearest."""
    middle = (LOW_HU + HIGH_HU) / 2
    at = (HU - middle) / (middle - LOW_HU)
    sharpness = 400.0
    weights, bias = 2 * sharpness * at, -sharpness * at**2
    weights[0], bias[0] = 0.0, -1e3
    kernel = weights[: labels + 1].reshape(-1, 1, 1, 1, 1).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w", "b"], ["logits"])],
        "knowing",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, "i", "j", "k"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", labels + 1, "i", "j", "k"])],
        [numpy_helper.from_array(kernel, "w"), numpy_helper.from_array(bias[: labels + 1].astype(np.float32), "b")],
    )
    data = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(data)
    given = TaskInput((Channel("window", LOW_HU, HIGH_HU),), (spacing_mm,) * 3, multiple_of=4)
    known = (*NEUROANATOMY_FINE, Label(17, HAEMATOMA, "H", (128, 0, 0)))
    table = LabelTable(known[:labels])
    write_task(
        Task("knowing", "", "CT", given, TaskOutput(table), hashlib.sha256(data).hexdigest()), folder / "task.toml"
    )
    return folder
