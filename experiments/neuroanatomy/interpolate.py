"""A network between two trainings of it (Wortsman et al. 2022, doi 10.48550/arXiv.2109.01903).

    python experiments/neuroanatomy/interpolate.py BEFORE AFTER OUT [--share 0.85] [--raise ROW LOGIT]

All are folders of exported networks. OUT gets AFTER's task, and `share` of AFTER's weights with the rest of BEFORE's;
classes that BEFORE does not know keep AFTER's. With --raise the bias of a class (0 is the background) goes up by LOGIT.
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
    parser.add_argument("--share", type=float, default=0.85)
    parser.add_argument("--raise", dest="raised", nargs=2, type=float, metavar=("ROW", "LOGIT"))
    given = parser.parse_args()
    before = {t.name: numpy_helper.to_array(t) for t in onnx.load(given.before / MODEL_FILE).graph.initializer}
    model = onnx.load(given.after / MODEL_FILE)
    for tensor in model.graph.initializer:
        values, old = numpy_helper.to_array(tensor).copy(), before[tensor.name]
        if values.dtype.kind == "f":
            values[: len(old)] = given.share * values[: len(old)] + (1 - given.share) * old
            if tensor.name == "head.bias" and given.raised:
                values[int(given.raised[0])] += given.raised[1]
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    data = model.SerializeToString()
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / MODEL_FILE).write_bytes(data)
    task = read_task(given.after / TASK_FILE)
    # What was measured after the training is not true of the mixture.
    trained = {name: value for name, value in task.trained.items() if name != "validation"} | {"share": given.share}
    write_task(replace(task, sha256=sha256(data).hexdigest(), trained=trained), given.out / TASK_FILE)


if __name__ == "__main__":
    main()
