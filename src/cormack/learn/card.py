"""The skeleton of a model card (doi 10.1145/3287560.3287596)."""

from __future__ import annotations

from cormack.learn.config import Config
from cormack.nn.task import Task

_CARD = """# {name}

{description}. Research use only: not for diagnosis.

| | |
| --- | --- |
| input | {modality}, {dimensions}-D, {spacing} mm, {orientation} |
| output | {labels} |
| network | {kind}, channels {channels}, normalisation {norm} |
| training | {steps} steps, loss {loss}, seed {seed}, torch {torch} |
| validation | {validation} |
| SHA-256 of model.onnx | `{sha256}` |

## Data

What it was trained on: sources, number of subjects, terms of each source. To be written.

## Figures

On data that took no part in the training: Dice, 95th percentile of the Hausdorff distance. To be written.

## Limits

Where it is known to fail, and what it has never seen. To be written.
"""


def model_card(task: Task, config: Config) -> str:
    """A card with what is known; a person writes the rest."""
    trained, network = task.trained, config.network
    return _CARD.format(
        name=task.name,
        description=task.description[:1].upper() + task.description[1:],
        modality=task.modality,
        dimensions=task.input.dimensions,
        spacing=" x ".join(f"{s:g}" for s in task.input.spacing_mm),
        orientation=task.input.orientation,
        labels=", ".join(label.name for label in task.output.labels),
        kind="residual U-Net" if network.residual else "U-Net" if network.kind == "unet" else network.kind,
        channels=", ".join(str(c) for c in network.channels),
        norm=network.normalisation,
        steps=trained["steps"],
        loss=config.training.loss,
        seed=trained["seed"],
        torch=trained["torch"],
        validation=", ".join(f"{name} {value}" for name, value in trained["validation"].items()) or "none",
        sha256=task.sha256,
    )
