"""A template from many scans: their mean, again and again, in the shape that lies in the middle of theirs.

As the CT template of Rorden et al. (2012, doi 10.1016/j.neuroimage.2012.03.020) was made and as ANTs does it (Avants et
al. 2010, doi 10.1016/j.neuroimage.2009.09.062): every scan is registered to the present template, the warped scans are
averaged, and the mean is bent by the inverse of the mean transform, so that the first scan's shape does not stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg, ndimage

from cormack.core.errors import InputError, RegistrationError
from cormack.core.fields import DisplacementField
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.transforms import Affine, Transform, TransformChain
from cormack.core.volume import FloatArray, Volume
from cormack.imaging.warp import warp
from cormack.register.conditioning import condition
from cormack.register.engine import Engine, Kind
from cormack.register.register import RegisterOptions, Registration, register_volumes

#: Scans that make a template, at least.
LEAST_SCANS = 2
#: Kinds of the rounds if none are given.
ROUNDS = (Kind.AFFINE, Kind.SYN, Kind.SYN)
#: Sharpening adds this share of the detail finer than so many voxels.
SHARPEN_SHARE, SHARPEN_SIGMA = 0.5, 1.0


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan and the mask of what counts of it, on one grid."""

    volume: Volume
    mask: LabelMap


@dataclass(frozen=True)
class Round:
    """What a round changed: its kind, the mean change of values, the mean displacement of the shape, scans left out."""

    kind: str
    change: float
    displacement_mm: float
    left_out: int


@dataclass(frozen=True, eq=False)
class BuiltTemplate:
    """A template, the mask where at least half of the scans have their own, and what every round changed."""

    volume: Volume
    mask: LabelMap
    rounds: tuple[Round, ...]


def build_template(
    scans: Sequence[Scan],
    *,
    rounds: Sequence[str] = ROUNDS,
    spacing_mm: float = 2.0,
    sharpen: bool = False,
    engine: Engine | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> BuiltTemplate:
    """Make a template of scans.

    Parameters
    ----------
    scans : sequence of Scan
        Of one modality, in HU or without unit.
    rounds : sequence of "rigid", "affine" or "syn"
        One registration of all scans each; the first round begins with the first scan.
    spacing_mm : float
        Edge of the template's voxels.
    sharpen : bool
        Give back to the mean some of the detail that averaging takes.
    engine : Engine, optional
    on_progress : callable
        Told of registrations done and all.

    Raises
    ------
    InputError
        If there are fewer than two scans, or no round.
    RegistrationError
        If in some round fewer than two scans can be registered.
    """
    if len(scans) < LEAST_SCANS or not rounds:
        raise InputError(f"{len(scans)} scan(s) and {len(rounds)} round(s): a template needs at least two and one")
    ready = condition(scans[0].volume, mask=scans[0].mask, spacing_mm=spacing_mm)
    grid = ready.volume
    template = warp(as_float(scans[0].volume), Affine.identity(), grid.affine, grid.shape)
    mask = LabelMap(ready.foreground.astype(np.uint8), grid.affine, BRAIN)
    told: list[Round] = []
    for number, kind in enumerate(rounds):
        made = []
        for n, scan in enumerate(scans):
            made.append(_register(scan, template, mask, kind, spacing_mm, engine))
            on_progress(number * len(scans) + n + 1, len(rounds) * len(scans))
        good = [(scan, r) for scan, r in zip(scans, made, strict=True) if r.ok]
        if len(good) < LEAST_SCANS:
            raise RegistrationError(f"only {len(good)} of {len(scans)} scans could be registered in round {number + 1}")
        update = shape_update([r.transform for _, r in good], grid)
        mean, share = _mean(good, update, grid)
        mask = LabelMap((share >= 0.5).astype(np.uint8), grid.affine, BRAIN, "where at least half of the scans have it")
        inside = mask.data > 0
        change = float(np.abs(mean.data - template.data)[inside].mean()) if inside.any() else 0.0
        moved = _displacement_mm(update, grid, inside)
        told.append(Round(str(kind), change, moved, len(scans) - len(good)))
        template = mean
    return BuiltTemplate(sharpened(template) if sharpen else template, mask, tuple(told))


def as_float(volume: Volume) -> Volume:
    """The same with values of 32 bit."""
    return volume.with_data(volume.data.astype(np.float32))


def _register(
    scan: Scan, template: Volume, mask: LabelMap, kind: str, spacing_mm: float, engine: Engine | None
) -> Registration:
    options = RegisterOptions(spacing_mm=spacing_mm)
    return register_volumes(
        scan.volume, template, kind, moving_mask=scan.mask, fixed_mask=mask, options=options, engine=engine
    )


def shape_update(transforms: Sequence[TransformChain], grid: Volume) -> TransformChain:
    """Where points of the new template lie in the present one: the inverse of the mean stretch and mean field.

    How scans lie in their scanners is no matter of shape: of affine parts the stretch is averaged without the turn
    (polar decomposition).
    """
    stretches, fields = [], []
    for chain in transforms:
        matrices = [t.matrix[:3, :3] for t in chain.transforms if isinstance(t, Affine)]
        linear = np.eye(3)
        for matrix in matrices:
            linear = matrix @ linear
        stretches.append(np.asarray(linalg.logm(linalg.polar(linear)[1])).real)
        fields.append(next((t for t in chain.transforms if isinstance(t, DisplacementField)), None))
    centre = grid.world((np.array(grid.shape) - 1) / 2)
    stretch = np.asarray(linalg.expm(np.mean(stretches, axis=0)), dtype=np.float64)
    matrix = np.eye(4)
    matrix[:3, :3] = np.linalg.inv(stretch)
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre
    parts: list[Transform] = [Affine(matrix)]
    bent = [field for field in fields if field is not None]
    if bent:
        mean = np.mean([field.displacement for field in bent], axis=0) * (len(bent) / len(fields))
        parts.append(DisplacementField(mean, bent[0].affine).inverse())
    return TransformChain(tuple(parts))


def _mean(good: Sequence[tuple[Scan, Registration]], update: TransformChain, grid: Volume) -> tuple[Volume, FloatArray]:
    """Mean of the scans in the new shape, each interpolated once, and the share of masks at every voxel."""
    total = np.zeros(grid.shape, dtype=np.float64)
    share = np.zeros(grid.shape, dtype=np.float64)
    for scan, made in good:
        chain = TransformChain((update, made.transform))
        total += warp(as_float(scan.volume), chain, grid.affine, grid.shape).data
        inside = scan.volume.with_data((scan.mask.data > 0).astype(np.float32), outside=0.0)
        share += warp(inside, chain, grid.affine, grid.shape).data
    first = good[0][0].volume
    mean = replace(first, data=(total / len(good)).astype(np.float32), affine=grid.affine)
    return mean, share / len(good)


def _displacement_mm(
    update: TransformChain, grid: Volume, inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> float:
    points = grid.world(np.argwhere(inside)[::7])
    return float(np.linalg.norm(update.apply(points) - points, axis=1).mean()) if len(points) else 0.0


def sharpened(volume: Volume) -> Volume:
    """Detail that averaging took, enhanced by an unsharp mask."""
    smooth = ndimage.gaussian_filter(volume.data, SHARPEN_SIGMA)
    return volume.with_data(volume.data + np.float32(SHARPEN_SHARE) * (volume.data - smooth))
