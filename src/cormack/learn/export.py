"""`cormack export`: from a training to a packaged network."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from cormack.core.errors import TrainingError
from cormack.core.provenance import package_version
from cormack.files.outputs import OutputSet
from cormack.learn import checkpoint
from cormack.learn.card import model_card
from cormack.learn.config import Config, read_config
from cormack.learn.history import BEST_FILE, CHECKPOINT_FILE, CONFIG_FILE, METRICS_FILE, History, read_history
from cormack.learn.networks import make_network, network_size
from cormack.learn.train import label_names
from cormack.learn.unet import ConvolutionBlock
from cormack.nn.engine import open_session
from cormack.nn.store import MODEL_FILE, TASK_FILE
from cormack.nn.task import write_task

CARD_FILE = "MODEL_CARD.md"
#: Greatest difference of a logit between torch and the exported graph, as a share of the largest logit.
TOLERANCE = 1e-4
OPSET = 20


@dataclass(frozen=True)
class Exported:
    """What became of a training."""

    parameters: int
    megabytes: float
    difference: float


def export(run: Path, out: Path, *, last: bool = False) -> Exported:
    """Write the weights of a training as a network that `nn` runs.

    Parameters
    ----------
    run : Path
        Folder of a training.
    out : Path
        Gets `model.onnx`, `task.toml` with its SHA-256, and the skeleton of `MODEL_CARD.md` (an existing one is kept).
    last : bool
        The weights of the end, averaged where the training averages, in place of those that did best in validation.

    Raises
    ------
    WeightsError
        If the training has no weights yet.
    TrainingError
        If the exported graph does not give what torch gives, or the training's table is missing.
    """
    config = read_config(run / CONFIG_FILE)
    network = make_network(config).eval()
    weights, step = _weights(run, last)
    network.load_state_dict(weights)
    folded = fold(network)
    with OutputSet(out) as outputs:
        part = outputs.part(MODEL_FILE)
        write_onnx(folded, config, part)
        difference = check(folded, config, part)
        data = part.read_bytes()
        trained = trained_facts(config, run, step)
        task = replace(config.task, sha256=hashlib.sha256(data).hexdigest(), trained=trained)
        write_task(task, outputs.part(TASK_FILE))
        if not (out / CARD_FILE).exists():
            outputs.write_text(CARD_FILE, model_card(task, config))
    return Exported(sum(p.numel() for p in network.parameters()), len(data) / 1e6, difference)


def _weights(run: Path, last: bool) -> tuple[dict[str, Any], int]:
    """The weights of a training by name, and the step that they are of."""
    state = checkpoint.load(run / (CHECKPOINT_FILE if last else BEST_FILE))
    own = "module."
    averaged = state.get("average", {}) if last else {}
    weights = {name.removeprefix(own): value for name, value in averaged.items() if name.startswith(own)}
    return weights or state["network"], state["step"]


def trained_facts(config: Config, run: Path, step: int) -> dict[str, Any]:
    """What the card says about the training."""
    history = History(label_names(config.task), read_history(run / METRICS_FILE))
    row = next((row for row in history.rows if row["step"] == step), {})
    return {
        "steps": step,
        "seed": config.training.seed,
        "seconds": round(history.seconds),
        "cormack": package_version("cormack"),
        "torch": package_version("torch"),
        "validation": {name: round(value, 4) for name, value in row.items() if "dice_" in name},
    }


def fold(network: nn.Module) -> nn.Module:
    """Batch normalisation taken into the convolutions before it, in place; the names of the weights stay."""
    for block in network.modules():
        if not isinstance(block, ConvolutionBlock):
            continue
        for n, norm in enumerate(block.norms):
            if isinstance(norm, nn.modules.batchnorm._BatchNorm):
                layer: Any = block.convolutions[n]
                layer.weight, layer.bias = fuse_conv_bn_weights(
                    layer.weight, layer.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
                )
                block.norms[n] = nn.Identity()
    return network


def write_onnx(network: nn.Module, config: Config, path: Path) -> None:
    """The graph of a network: `image` (batch, channel, axes) to `logits`, any batch and any grid that fits."""
    dimensions, inputs, _ = network_size(config)
    unit = config.task.input.multiple_of
    axes = "ijk"[:dimensions]
    # An axis of one voxel at the coarsest level would be taken for a constant.
    image = torch.zeros(2, inputs, *(unit * (2 + n) for n in range(dimensions)))
    shapes = {0: torch.export.Dim("batch", min=1, max=4096)}
    shapes |= {n + 2: unit * torch.export.Dim(axis, min=1, max=512) for n, axis in enumerate(axes)}
    with _quietly():
        program = torch.onnx.export(
            network.cpu().float(),
            (image,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["image"],
            output_names=["logits"],
            dynamic_shapes={"image": shapes},
            verbose=False,
        )
    if program is None:
        raise TrainingError("torch exported no graph")
    program.save(str(path), external_data=False)


def check(network: nn.Module, config: Config, path: Path) -> float:
    """The greatest difference of a logit between torch and the graph, on a grid other than the exported one.

    Raises
    ------
    TrainingError
        If it is above TOLERANCE of the largest logit.
    """
    dimensions, inputs, _ = network_size(config)
    unit = config.task.input.multiple_of
    shape = (1, inputs, *(unit * (1 + n % 2) for n in range(dimensions)))
    image = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(image)).numpy()
    found = open_session(path).run(image)
    difference = float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))
    if not difference < TOLERANCE:
        raise TrainingError(
            f"the exported graph differs from torch by {difference:.1g} of the largest logit; allowed is {TOLERANCE:g}"
        )
    return difference


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's own words, which are about packages that are not needed."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
