"""Slices for `ct-neuroanatomy-slices`: synthetic CT on native slices, what the coarse network says of it, the truth.

    python experiments/neuroanatomy/slices.py ANATOMIES OUT [--scans 360] [--first 0] [--step 1] [--network DIR]
        [--without NAME ...]

ANATOMIES are those of `compose.py`, without those that are held out. Scans are made as those of `held_out.py`, but
spoilt as `config-all.toml` says (lesions, cupping, poses), in slices of 2 to 7 mm; two in five masks err by half a
millimetre, the others as in the training of the coarse network. What that one says is shifted at random. OUT gets a
file a scan, as `learn.ready` reads it, with about half of its slices. What is there already stays, so that several of
these can work side by side (`--first`, `--step`).
"""

from __future__ import annotations

import argparse
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
from held_out import MASK_MM, group_of, largest_share, nearly_exact_mask, sliced
from scipy import ndimage

from cormack.core.errors import CormackError
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.core.tables import from_table
from cormack.core.volume import AnyArray, Volume
from cormack.imaging.workgrid import distance_mm
from cormack.learn.config import read_config
from cormack.learn.ready import save_ready
from cormack.nn.channels import GUIDE_SCALE, guide
from cormack.nn.store import load_network
from cormack.physics.synthesis.anatomy import load_anatomy
from cormack.physics.synthesis.ct import CtSynthesis
from cormack.physics.synthesis.smooth import smooth_field
from cormack.segment.brain_grid import brain_box
from cormack.segment.haematoma import VALUE
from cormack.segment.neuroanatomy_network import NAME, network_opinion
from cormack.segment.neuroanatomy_slices import brain_slices
from cormack.segment.plausible import without_islands

CONFIG = Path(__file__).parent / "config-slices.toml"
SPOILT = Path(__file__).parent / "config-all.toml"
SEED = 80
#: Never trained on.
HELD_OUT = ("malf_1018", "malf_1019", "malf_1036")
#: How often which anatomies are drawn.
DRAWN = ("composed", "manual map", "composed", "tight", "composed", "manual map", "composed", "tight", "composed")
PIXEL_MM = 0.8
SLICES_MM = (2, 3, 3, 4, 4, 5, 5, 5, 6, 7)
NOISE_HU = (1.0, 8.0)
#: Share of the masks that are nearly exact; how far the others err (mm), as in `config-all.toml`.
EXACT, ERROR_MM, CUT_MM = 0.4, (-1.5, 4.5), (0.0, 25.0)
#: Errors of a mask are alike over this distance (mm), and differ within it by this share of their range.
REACH_MM, WITHIN = 18.0, 0.25
#: What the coarse network says is shifted by up to so much (SD of logarithms of probabilities) all over a scan, and
#: from place to place, over so many pixels: in some scans more, in others less.
SHIFT, LOCAL_SHIFT, REACH = 0.7, 1.0, 15
#: Slices with fewer voxels of brain show too little; of the others this share is kept, but so many.
LEAST_VOXELS, KEPT, LEAST_KEPT = 400, 0.45, 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("anatomies", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scans", type=int, default=360)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--network", type=Path, help="the coarse one, if not the packaged one")
    parser.add_argument("--without", nargs="+", default=HELD_OUT, help="beginnings of names that are held out")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    groups: dict[str, list[Path]] = {}
    for path in sorted(given.anatomies.glob("*.npz")):
        if not path.name.startswith(tuple(given.without)):
            groups.setdefault(group_of(path.name), []).append(path)
    for number in range(given.first, given.scans, given.step):
        rng = np.random.default_rng([SEED, number])
        own = groups[DRAWN[number % len(DRAWN)]]
        path = own[int(rng.integers(len(own)))]
        out = given.out / f"{path.stem}-{number:04d}.npz"
        if out.exists():
            continue
        try:
            volume, brain, truth = spoilt_scan(path, rng)
            images, targets = samples_of(volume, brain, truth, given.network, rng)
        except CormackError as error:
            print(f"{out.name}: {error}", flush=True)
            continue
        save_ready(out, images, targets)
        print(f"{out.name}: {len(targets)} slices of {volume.spacing_mm[2]:.0f} mm", flush=True)


def spoilt_scan(path: Path, rng: np.random.Generator) -> tuple[Volume, LabelMap, AnyArray]:
    """A scan, a mask of its brain, and the sixteen; what has bled beside the brain is fluid."""
    table = tomllib.loads(SPOILT.read_text(encoding="utf-8"))["data"]["synthesis"]
    options = replace(
        from_table(CtSynthesis, table, "synthesis"), brain_extracted=0.0, thin=1.0, tilted=0.0, noise_hu=(0.01, 0.01)
    )
    samples = int(rng.choice(SLICES_MM))
    volume, fine, _ = sliced(
        load_anatomy(path), rng, options, PIXEL_MM, samples, lambda: float(np.exp(rng.uniform(*np.log(NOISE_HU))))
    )
    inside = _mask(fine, float(samples), rng)
    truth = largest_share(fine)
    truth[truth == VALUE] = NEUROANATOMY_FINE["subarachnoid space"].index
    return volume, LabelMap(np.asfortranarray(inside.astype(np.uint8)), volume.affine, BRAIN), truth


def _mask(fine: AnyArray, slice_mm: float, rng: np.random.Generator) -> AnyArray:
    if rng.random() < EXACT:
        return nearly_exact_mask(fine, PIXEL_MM, slice_mm, rng)
    inside = (fine > 0).mean(axis=3) > 0.5
    spacing = (PIXEL_MM, PIXEL_MM, slice_mm)
    depth_mm = np.where(inside, distance_mm(inside, spacing), -distance_mm(~inside, spacing)).astype(np.float32)
    for axis in (0, 1):
        depth_mm = ndimage.gaussian_filter1d(depth_mm, MASK_MM / PIXEL_MM, axis=axis)
    low, high = ERROR_MM
    field = smooth_field(depth_mm.shape, REACH_MM / PIXEL_MM, rng)
    mask = depth_mm > -np.clip(rng.uniform(low, high) + WITHIN * (high - low) * field, low, high)
    mask[:, :, : np.flatnonzero(mask.any(axis=(0, 1)))[0] + round(rng.uniform(*CUT_MM) / slice_mm)] = False
    return mask


def samples_of(
    volume: Volume, brain: LabelMap, truth: AnyArray, network: Path | None, rng: np.random.Generator
) -> tuple[AnyArray, AnyArray]:
    """Images and classes of some slices, as the network of slices takes and gives them."""
    opinion = without_islands(network_opinion(volume, brain, network=load_network(network or NAME)))
    slices = brain_slices(opinion, volume, brain, read_config(CONFIG).task)
    classes = np.where(slices.inside, truth[brain_box(volume, brain)], 0).astype(np.uint8)
    usable = np.flatnonzero(slices.inside.sum(axis=(0, 1)) > LEAST_VOXELS)
    count = min(len(usable), max(LEAST_KEPT, round(KEPT * len(usable))))
    chosen = set(rng.choice(usable, count, replace=False).tolist())
    images = {k: image for k, image in slices.images() if k in chosen}
    said = slice(-slices.task.input.guides, None)
    most = rng.random()
    shift = most * rng.normal(0, SHIFT, (slices.task.input.guides, 1, 1))
    for image in images.values():
        image[said] = shifted(image[said], shift, most * LOCAL_SHIFT, rng)
    return np.stack(list(images.values())), np.stack([classes[:, :, k] for k in images])


def shifted(said: AnyArray, shift: AnyArray, local: float, rng: np.random.Generator) -> AnyArray:
    """What the coarse network says of a slice, shape (class, i, j), the edges of its structures elsewhere."""
    field = np.stack([smooth_field((*said.shape[1:], 1), REACH, rng)[..., 0] for _ in said])
    logs = (said - 1) * GUIDE_SCALE + shift + local * field
    probability = np.exp(logs)
    return guide((probability / probability.sum(axis=0))[1:].astype(np.float32))


if __name__ == "__main__":
    main()
