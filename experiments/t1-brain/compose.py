"""Anatomies for networks of the brain on MR: BrainWeb's heads, and these heads with the brains of other people in them.

    python experiments/t1-brain/compose.py SHARED_DATA OUT_DIR [--variants N] [--transplants N] [--processes N]

SHARED_DATA holds `atlas/brainweb` (ten whole-head models) and `mr_t1/malf_labels` (Neuromorphometrics labels of 20
subjects). Writes `MODEL-VARIANT.npz`, and `malf_SUBJECT-in-MODEL-VARIANT.npz` into heads of models that do not
validate, where there is none yet.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nibabel as nib
import numpy as np

from cormack.files.minc import read_brainweb
from cormack.physics.synthesis.anatomy import save_anatomy
from cormack.physics.synthesis.model import model_anatomy, with_brain
from cormack.physics.synthesis.neuromorphometrics import composed_head
from cormack.physics.synthesis.transplant import transplanted

#: Models whose heads validate.
VALIDATION = ("subject44", "subject45")
#: How much of the fluid along the brain becomes brain in half of the transplants (mm): young people.
TIGHTEN_MM = (0.5, 3.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--variants", type=int, default=4, help="of every model, every other one with a painted face")
    parser.add_argument("--transplants", type=int, default=2, help="heads that the brain of every subject is put into")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    models = sorted((given.data / "atlas" / "brainweb").glob("subject*_crisp_v.mnc.gz"))
    hosts = [path for path in models if not path.name.startswith(VALIDATION)]
    brains = sorted((given.data / "mr_t1" / "malf_labels").glob("*_glm.nii.gz"))
    jobs = [(model, None, n + 1) for n in range(given.variants) for model in models]
    for n in range(given.transplants):
        # Every subject gets another host each time.
        jobs += [(hosts[(s + 3 * n) % len(hosts)], brain, n + 1) for s, brain in enumerate(brains)]
    wanted = [(*job, path) for job in jobs if not (path := given.out / f"{name_of(*job)}.npz").exists()]
    with ProcessPoolExecutor(given.processes) as pool:
        for name in pool.map(written, *zip(*wanted, strict=True)):
            print(name, flush=True)


def name_of(model: Path, brain: Path | None, variant: int) -> str:
    host = model.name.partition("_")[0]
    return f"{host}-{variant}" if brain is None else f"malf_{brain.name.partition('_')[0]}-in-{host}-{variant}"


def written(model: Path, brain: Path | None, variant: int, out: Path) -> str:
    """Make and write one anatomy; its name."""
    name = out.stem
    rng = np.random.default_rng([variant, *name.encode()])
    host = read_brainweb(model)
    if brain is not None:
        image = nib.as_closest_canonical(nib.load(brain))
        labels = np.asarray(image.dataobj).astype(np.uint8)
        tighten_mm = rng.uniform(*TIGHTEN_MM) if rng.random() < 0.5 else 0.0
        guest = composed_head(labels, rng, widen_mm=0.0 if tighten_mm else None, tighten_mm=tighten_mm, name=name)
        host = transplanted(host, guest)
    painted = bool(rng.random() < 0.5) if brain is not None else variant % 2 == 0
    anatomy = with_brain(model_anatomy(host, rng, name=name, painted=painted))
    part = out.with_name(f".{name}.part.npz")
    save_anatomy(anatomy, part)
    part.replace(out)
    return name


if __name__ == "__main__":
    main()
