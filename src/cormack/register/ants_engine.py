"""ANTs (Avants et al. 2011, doi 10.1016/j.neuroimage.2010.09.025) through the package antspyx.

This is the only module that imports it. Volumes go to ANTs in memory and leave RAS+ for ITK's LPS+ here. ANTs hands its
transforms over as files; they stay in a temporary folder for as long as it takes to read them.

The seed is fixed. With one thread the result is the same to the last bit; with several, sums are added in another order
every time, and the transforms differ a little. ITK takes the number of threads from the environment's
ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS when it is first used; the command line sets it to 1 unless told otherwise.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from cormack.core.errors import DependencyError, RegistrationError
from cormack.core.fields import DisplacementField
from cormack.core.provenance import package_version
from cormack.core.transforms import Affine, Transform, TransformChain
from cormack.core.volume import AnyArray, FloatArray
from cormack.register.engine import Kind, Metric, Task

#: RAS+ to LPS+ and back.
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


#: Voxels longer than this are looked at in full, shorter ones on half of them at the finest (mm).
COARSE_MM = 3.0


@dataclass(frozen=True)
class Stage:
    """One stage of antsRegistration, in its own notation; `{images}` stands for the two images and the weight.

    Iterations are given for voxels four times, twice and once as long; levels left out or of 0 take no time. Images are
    smoothed by as many voxels as the level's factor can be halved.
    """

    transform: str
    metric: str
    iterations: tuple[int, ...]
    convergence: str

    def arguments(self, images: str, masks: str, spacing_mm: float) -> list[str]:
        """The stage as words of a command line."""
        factors, iterations = (4, 2, 1)[: len(self.iterations)], self.iterations
        if spacing_mm > COARSE_MM:
            factors, iterations = (2, 1), iterations[:2]
        return [
            *("--transform", self.transform),
            *("--metric", self.metric.format(images=images)),
            *("--convergence", f"[{_times(iterations)},{self.convergence}]"),
            *("--shrink-factors", _times(factors)),
            *("--smoothing-sigmas", _times([factor // 2 for factor in factors])),
            *("--masks", masks),
        ]


def _times(numbers: Sequence[int]) -> str:
    return "x".join(str(number) for number in numbers)


#: Linear stages by metric; the start is near, so that one stage without its finest level does.
_MI = ("Mattes[{images},32,Regular,0.5]", (100, 50), "1e-6,10")
_LS = ("MeanSquares[{images},0,Regular,0.25]", (100, 50, 20), "1e-6,10")
LINEAR = {Metric.MI: _MI, Metric.NMI: _MI, Metric.CC: _MI, Metric.LS: _LS}
#: Deformable stages by metric. The finest level is left out: it takes seven times as long and gains a tenth of a
#: millimetre. Least squares are those of the demons, normalised by the gradient, so that bone does not outweigh the
#: brain.
_SYN_MI = Stage("SyN[0.5,3,0]", "Mattes[{images},32]", (100, 60, 0), "1e-9,20")
DEFORMABLE = {
    Metric.MI: _SYN_MI,
    Metric.NMI: _SYN_MI,
    Metric.CC: Stage("SyN[0.4,4,0.2]", "CC[{images},2]", (60, 20, 0), "1e-9,20"),
    Metric.LS: Stage("SyN[0.25,4,0.5]", "Demons[{images},0]", (80, 50, 0), "1e-9,20"),
}


class AntsEngine:
    """Rigid, affine and symmetric diffeomorphic (SyN, doi 10.1016/j.media.2007.06.004) registration by ANTs."""

    @property
    def name(self) -> str:
        """Name and version."""
        return f"ANTs (antspyx {package_version('antspyx')})"

    def align(self, task: Task) -> TransformChain:
        """Run the stages of the task's kind and metric; see `Engine`."""
        ants = load_ants()
        images = [ants_image(ants, volume.data, volume.affine) for volume in (task.fixed, task.moving)]
        masks = [
            None if mask is None else ants_image(ants, mask, volume.affine)
            for mask, volume in ((task.fixed_mask, task.fixed), (task.moving_mask, task.moving))
        ]
        with TemporaryDirectory(prefix="cormack-") as folder:
            begun = _write_affine(ants, task.linear, Path(folder) / "linear.mat")
            code = _call(ants, _arguments(ants, task, images, masks, begun, f"{folder}/o"))
            if code != 0:
                raise RegistrationError(
                    f"ANTs gave up (exit code {code}): the images may not overlap, or hold too little structure; try a "
                    "mask, or another metric"
                )
            return _read(ants, Path(folder))


def load_ants() -> Any:
    """The package, loaded when first needed.

    Raises
    ------
    DependencyError
        If it is missing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module("ants")
    except ImportError as error:
        raise DependencyError("registration needs the package antspyx (pip install antspyx)") from error


def ants_image(ants: Any, data: AnyArray, affine: FloatArray) -> Any:
    """An array with its affine (RAS+ mm, orthogonal) as an image of ANTs: float32, masks uint8.

    ANTs takes the memory of a mask for bytes, whatever it holds.
    """
    lps = LPS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    return ants.from_numpy(
        np.ascontiguousarray(data, dtype=np.uint8 if data.dtype == bool else np.float32),
        origin=lps[:3, 3].tolist(),
        spacing=spacing.tolist(),
        direction=lps[:3, :3] / spacing,
    )


def _arguments(
    ants: Any, task: Task, images: Sequence[Any], masks: Sequence[Any], begun: str, prefix: str
) -> list[str]:
    pointer = ants.internal.get_pointer_string
    pair = ",".join(pointer(image) for image in images) + ",1"
    mask = "[" + ",".join("NA" if m is None else pointer(m) for m in masks) + "]"
    linear = "Rigid" if task.kind is Kind.RIGID else "Affine"
    stages = [Stage(f"{linear}[0.25]", *LINEAR[task.metric])] if task.linear is None else []
    if task.kind is Kind.SYN:
        stages.append(DEFORMABLE[task.metric])
    spacing_mm = min(task.fixed.spacing_mm)
    return [
        *("--dimensionality", "3", "--initial-moving-transform", begun),
        *(word for stage in stages for word in stage.arguments(pair, mask, spacing_mm)),
        *("--use-histogram-matching", "0", "--collapse-output-transforms", "1", "--float", "1"),
        *("--random-seed", str(task.seed), "--output", prefix),
    ]


def _call(ants: Any, words: list[str]) -> int:
    try:
        return int(ants.internal.get_lib_fn("antsRegistration")(ants.internal.process_arguments(words)))
    except RuntimeError as error:
        raise RegistrationError(
            f"ANTs failed inside ({type(error).__name__}); try a mask, or another metric"
        ) from error


def _read(ants: Any, folder: Path) -> TransformChain:
    """What ANTs wrote: a field and its inverse, and an affine, which points meet last."""
    parts: list[Transform] = []
    field, inverse = folder / "o1Warp.nii.gz", folder / "o1InverseWarp.nii.gz"
    if field.is_file():
        parts.append(_field(ants, field, _field(ants, inverse)))
    parts.append(_affine(ants, folder / "o0GenericAffine.mat"))
    return TransformChain(tuple(parts))


def _field(ants: Any, path: Path, inverse: DisplacementField | None = None) -> DisplacementField:
    image = ants.image_read(str(path))
    lps = np.eye(4)
    lps[:3, :3], lps[:3, 3] = image.direction * np.array(image.spacing), image.origin
    return DisplacementField(image.numpy() * LPS.diagonal()[:3], LPS @ lps, known_inverse=inverse)


def _write_affine(ants: Any, linear: TransformChain | None, path: Path) -> str:
    """The affines of a chain as the file that ANTs begins with; without a chain the word for none."""
    if linear is None:
        return "Identity"
    matrix = np.eye(4)
    for transform in linear.transforms:
        if isinstance(transform, Affine):
            matrix = transform.matrix @ matrix
    lps = LPS @ matrix @ LPS
    made = ants.create_ants_transform(precision="double", matrix=lps[:3, :3], translation=lps[:3, 3])
    ants.write_transform(made, str(path))
    return str(path)


def _affine(ants: Any, path: Path) -> Affine:
    """The RAS+ matrix of ITK's y = M (x - centre) + translation + centre."""
    transform = ants.read_transform(str(path))
    parameters, centre = np.array(transform.parameters), np.array(transform.fixed_parameters)
    matrix = np.eye(4)
    matrix[:3, :3] = parameters[:9].reshape(3, 3)
    matrix[:3, 3] = parameters[9:] + centre - matrix[:3, :3] @ centre
    return Affine(LPS @ matrix @ LPS)
