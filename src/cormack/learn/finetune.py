"""A training that starts from a network that there is already: its `model.onnx` alone, or the folder of a training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cormack.core.errors import WeightsError
from cormack.learn import checkpoint
from cormack.learn.history import BEST_FILE
from cormack.learn.trainer import Batch, Trainer
from cormack.learn.unet import ConvolutionBlock
from cormack.learn.widening import widened
from cormack.nn.store import MODEL_FILE, TASK_FILE, network_folder
from cormack.nn.task import Task, read_task


def start_from(trainer: Trainer, source: str | Path, batches: Sequence[Batch], task: Task) -> int:
    """Take over the weights of a packaged network; returns how many tensors.

    Tensors are matched by name and must fit; those of a U-Net with fewer channels go into the first ones
    (`learn.widening`). The last layer begins anew for structures that the network did not know, by the names of their
    labels.
    Batch normalisation was taken into the convolutions when the network was exported: it begins with the statistics of
    some batches and the scale and shift that undo it, so that the network gives at first what it gave before. The
    best weights of a training are taken as they are.

    Parameters
    ----------
    trainer : Trainer
    source : str or Path
        Name of a packaged network, the folder of an exported one, or that of a training.
    batches : sequence of Batch
        To measure the statistics on.
    task : Task
        What is to be learnt; its labels are known by their names.

    Raises
    ------
    WeightsError
        If the network is another one: a tensor is missing or has another shape, and not for want of channels.
    """
    network = trainer.network
    if (best := Path(source) / BEST_FILE).exists():
        return _take_over(trainer, best)
    folder = network_folder(source)
    stored = widened(_tensors(folder / MODEL_FILE), network.state_dict())
    rows = _rows(task, read_task(folder / TASK_FILE))
    taken = 0
    with torch.no_grad():
        for name, parameter in _convolution_parameters(network):
            found = stored.get(name)
            last = name.startswith("head.")
            if found is None or found.shape[last:] != parameter.shape[last:]:
                raise WeightsError(
                    f"the network {str(source)!r} does not fit: {name} is {_shape(found)} there, {_shape(parameter)} "
                    "here; give the same [task.input] as it was trained with, and the same [network] or a wider one"
                )
            if last:
                parameter[list(rows)] = found[list(rows.values())].to(parameter.device)
            else:
                parameter.copy_(found)
            taken += 1
        _undo_normalisation(trainer, stored, batches)
    if trainer.average is not None:
        trainer.average.module.load_state_dict(network.state_dict())
    return taken


def _rows(task: Task, before: Task) -> dict[int, int]:
    """Class of the task to class of the network before, for all that both have.

    Several structures go by their names, after the background; one alone stands for one alone, whatever its name.
    """
    if task.output.classes == 1 or before.output.classes == 1:
        return {0: 0} if task.output.classes == before.output.classes else {}
    known = {label.name: row for row, label in enumerate(before.output.labels, 1)}
    return {0: 0} | {row: known[label.name] for row, label in enumerate(task.output.labels, 1) if label.name in known}


def _take_over(trainer: Trainer, best: Path) -> int:
    """The weights of a training of the same network, normalisation included."""
    state = widened(checkpoint.load(best)["network"], trainer.network.state_dict())
    try:
        for network in (trainer.network, trainer.best_network):
            network.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(
            f"the training in {best.parent} is of another network; give the same [task.input], and the same [network] "
            "or a wider one"
        ) from error
    return len(state)


def _tensors(path: Path) -> dict[str, Tensor]:
    """Initialisers of a graph by their names."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    return {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}


def _convolution_parameters(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Every parameter that an exported graph holds, too: all but those of batch normalisation."""
    folded = {name for name, module in network.named_modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)}
    for name, parameter in network.named_parameters():
        if name.rpartition(".")[0] not in folded:
            yield name, parameter


def _undo_normalisation(trainer: Trainer, stored: dict[str, Tensor], batches: Sequence[Batch]) -> None:
    """Statistics of what each convolution gives, and the scale and shift that give back its folded bias."""
    places = {}
    for name, block in trainer.network.named_modules():
        if isinstance(block, ConvolutionBlock):
            for n, norm in enumerate(block.norms):
                if isinstance(norm, nn.modules.batchnorm._BatchNorm):
                    places[f"{name}.convolutions.{n}.bias"] = norm
    for name, norm in places.items():
        with _measuring(norm) as seen:
            for batch in batches:
                trainer.logits(trainer.network.eval(), batch)
        mean = torch.stack([mean for mean, _ in seen]).mean(0)
        variance = torch.stack([variance for _, variance in seen]).mean(0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        bias = stored[name].to(mean.device)
        known = slice(len(bias))
        norm.weight[known] = (variance + norm.eps).sqrt()[known]
        norm.bias[known] = mean[known] + bias


@contextmanager
def _measuring(norm: Any) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Mean and variance per channel of what a layer is given, one pair per call."""
    seen: list[tuple[Tensor, Tensor]] = []

    def look(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        x = given[0].float()
        axes = [0, *range(2, x.ndim)]
        seen.append((x.mean(axes), x.var(axes, unbiased=False)))

    hook = norm.register_forward_pre_hook(look)
    try:
        yield seen
    finally:
        hook.remove()


def _shape(tensor: Tensor | None) -> str:
    return "missing" if tensor is None else " x ".join(str(n) for n in tensor.shape)
