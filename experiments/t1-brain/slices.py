"""Slices for `t1-brain-slices`: synthetic MR of 1 mm, what `t1-brain-3d` says of it, the truth.

    python experiments/t1-brain/slices.py ANATOMIES OUT [--heads 301] [--first 0] [--step 1] [--network DIR]
        [--collections SHARE]

ANATOMIES are those of `compose.py`; every sixteenth head is of a model that validates. Images are made and spoilt as
`config-3d.toml` says, in voxels of 1 mm, but twice as many have thick slices, with which the first network errs most;
what it says of them is shifted at random, so that the second one learns to look at the image. OUT gets a file a head,
as `learn.ready` reads it, with some of its slices. What is there already stays, so that several of these can work side
by side (`--first`, `--step`).
"""

from __future__ import annotations

import argparse
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
from compose import VALIDATION
from scipy import ndimage

from cormack.core.errors import CormackError
from cormack.core.tables import from_table
from cormack.core.volume import AnyArray
from cormack.extract.mr_network import NAME, coarse_brain
from cormack.extract.mr_slices import head_slices
from cormack.learn.config import read_config
from cormack.learn.ready import save_ready
from cormack.learn.sample import WHOLE
from cormack.nn.grid import WayBack
from cormack.nn.store import load_network
from cormack.physics.synthesis.anatomy import Anatomy, load_anatomy
from cormack.physics.synthesis.mr import synthesize_mr
from cormack.physics.synthesis.options import MrSynthesis

CONFIG = Path(__file__).parent / "config-slices.toml"
SPOILT = Path(__file__).parent / "config-3d.toml"
SEED = 90
#: Every so many heads one of a model that validates.
VALIDATE_EVERY = 16
#: Field of view (voxels of 1 mm).
SHAPE = (208, 240, 240)
#: Share of heads with thick slices.
THICK = 0.6
#: Fluid or blood between brain and skull; the constructed head that is found worst has two of these.
COLLECTIONS = ("subdural_hygroma", "subdural_haematoma", "epidural_haematoma")
#: Slices that are kept of a head.
KEPT = 48
#: The guide is shifted by so much (SD) all over a head, and from place to place, over so many voxels: in its own scale,
#: in which an edge of 2 mm runs from about -0.2 to 0.2. Where it is nearly certain, it stays.
SHIFT, LOCAL_SHIFT, REACH, CERTAIN = 0.15, 0.2, 12, 5 / 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("anatomies", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--heads", type=int, default=301)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--network", type=Path, help="the first one, if not the packaged one")
    parser.add_argument("--collections", type=float, help="share of sick heads with each of COLLECTIONS")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    paths = sorted(given.anatomies.glob("*.npz"))
    held = [path for path in paths if path.name.startswith(VALIDATION)]
    trained = [path for path in paths if path not in held]
    for number in range(given.first, given.heads, given.step):
        rng = np.random.default_rng([SEED, number])
        own = trained if number % VALIDATE_EVERY else held
        path = own[int(rng.integers(len(own)))]
        out = given.out / f"{path.stem}-{number:04d}.npz"
        if out.exists():
            continue
        try:
            images, targets = samples_of(load_anatomy(path), given.network, rng, given.collections)
        except CormackError as error:
            print(f"{out.name}: {error}", flush=True)
            continue
        save_ready(out, images, targets)
        print(f"{out.name}: {len(targets)} slices", flush=True)


def samples_of(
    anatomy: Anatomy, network: Path | None, rng: np.random.Generator, collections: float | None = None
) -> tuple[AnyArray, AnyArray]:
    """Images and targets of some slices of a new head, as the network of slices takes and gives them."""
    table = tomllib.loads(SPOILT.read_text(encoding="utf-8"))["data"]["synthesis"]
    options = replace(from_table(MrSynthesis, table, "synthesis"), thick=THICK)
    if collections is not None:
        options = replace(options, pathology=replace(options.pathology, **dict.fromkeys(COLLECTIONS, collections)))
    made = synthesize_mr(anatomy, rng, options, shape=SHAPE, spacing_mm=1.0)
    task = read_config(CONFIG).task
    slices = head_slices(made.volume, coarse_brain(made.volume, load_network(network or NAME)), task)
    way = WayBack(made.target.affine, slices.grid.affine, slices.grid.shape)
    share = np.stack([plane[0] for _, plane in way.planes(made.target.data[None])], axis=2)
    truth = np.rint(np.moveaxis(share, task.input.slice_axis, 0) * WHOLE).astype(np.uint8)
    chosen = np.sort(rng.choice(len(truth), min(KEPT, len(truth)), replace=False))
    images = np.stack([image for _, image in slices.images(chosen.tolist())])
    shift = rng.normal(0, SHIFT)
    for image in images:
        image[-1] = shifted(image[-1], shift, rng)
    return images, truth[chosen]


def shifted(said: AnyArray, shift: float, rng: np.random.Generator) -> AnyArray:
    """What the first network says of a slice, its edge elsewhere."""
    coarse = rng.standard_normal([-(-n // REACH) + 1 for n in said.shape], dtype=np.float32)
    field = ndimage.zoom(coarse, REACH, order=1)[: said.shape[0], : said.shape[1]]
    doubt = np.clip((1 - np.abs(said)) / (1 - CERTAIN), 0, 1)
    return np.clip(said + (shift + LOCAL_SHIFT * field) * doubt, -1, 1)


if __name__ == "__main__":
    main()
