"""Where to begin: a rigid or similarity transform found from the images alone, whatever their headers say.

Every orientation is tried on coarse voxels, the shift that belongs to each found at once by correlation in the
frequency domain; the best are refined by normalised mutual information. Neither origins nor axes need to be right: a
head turned by 90 degrees, upside down or far away is found, and one that is cut is judged only where it was imaged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage
from scipy.spatial.transform import Rotation

from cormack.core.errors import RegistrationError
from cormack.core.transforms import Affine
from cormack.core.volume import FloatArray
from cormack.register.conditioning import Conditioned, FloatImage
from cormack.register.linear import RIGID, SIMILAR, Frame, Sampled

#: Edge of the voxels on which all orientations are tried, the likely ones refined, and the best of these compared (mm).
LATTICE_MM, COARSE_MM, FINE_MM = 10.0, 8.0, 4.0
#: Orientations tried: neighbours are about 35 degrees apart, so that the search reaches the truth from one of them.
ORIENTATIONS = 400
#: Orientations refined, none nearer to a better one than this (degrees), and how many of these go on to finer voxels.
REFINED, APART_DEG, FINALISTS = 40, 12.0, 4
#: Voxels compared while refining.
COARSE_COUNT, FINE_COUNT = 6_000, 30_000
#: Constants of the super-Fibonacci spirals (Alexa 2022, doi 10.1109/CVPR52688.2022.00811).
_PHI, _PSI = np.sqrt(2.0), 1.533751168755204288118041


@dataclass(frozen=True, eq=False)
class Start:
    """Where to begin, and how alike the volumes are there (normalised mutual information at 4 mm)."""

    transform: Affine
    similarity: float


def find_start(
    moving: Conditioned,
    fixed: Conditioned,
    *,
    scaled: bool = True,
) -> Start:
    """The rigid transform (with one scale for all axes, if `scaled`) that makes two volumes most alike.

    Parameters
    ----------
    moving, fixed : Conditioned
    scaled : bool

    Raises
    ------
    RegistrationError
        If no place is found where the volumes overlap.
    """
    zeros = np.zeros(SIMILAR if scaled else RIGID)
    coarse = Sampled(thinned(moving, COARSE_MM), thinned(fixed, COARSE_MM), count=COARSE_COUNT)
    fine = Sampled(thinned(moving, FINE_MM), thinned(fixed, FINE_MM), count=FINE_COUNT)
    frames = _candidates(thinned(moving, LATTICE_MM), thinned(fixed, LATTICE_MM))
    frames = _apart(sorted(frames, key=lambda frame: -coarse.score(frame.affine(zeros))))
    found = [(frame, *coarse.best(frame, zeros, rounds=1)) for frame in frames]
    found.sort(key=lambda item: -item[2])
    finals = [(frame, *fine.best(frame, begun, shrink=0.5, rounds=3)) for frame, begun, _ in found[:FINALISTS]]
    frame, best, score = max(finals, key=lambda item: item[2])
    if score <= 0:
        raise RegistrationError(
            "no place was found where the two volumes overlap: is there a head in both of them, in the units stated?"
        )
    return Start(frame.affine(best), score)


def thinned(conditioned: Conditioned, spacing_mm: float) -> Conditioned:
    """Smoothed, and every n-th voxel of it: about `spacing_mm` apart."""
    volume = conditioned.volume
    step = [max(1, round(spacing_mm / s)) for s in volume.spacing_mm]
    smooth = ndimage.gaussian_filter(volume.data, [0.4 * n if n > 1 else 0.0 for n in step], mode="nearest")
    every = tuple(slice(None, None, n) for n in step)
    affine = volume.affine @ np.diag([*step, 1.0])
    counted = None if conditioned.counted is None else conditioned.counted[every]
    return Conditioned(replace(volume, data=smooth[every], affine=affine), conditioned.foreground[every], counted)


def _candidates(moving: Conditioned, fixed: Conditioned) -> list[Frame]:
    """Every orientation, with the shift of greatest correlation and with that of the centres of mass.

    The first is right for whole heads in any surroundings, the second where a head is cut on two sides.
    """
    size = fft.next_fast_len(int(np.ceil((_reach(moving) + _reach(fixed)) / LATTICE_MM)))
    lattice = (np.indices((size,) * 3).reshape(3, -1).T - (size - 1) / 2) * LATTICE_MM
    still = _on_lattice(fixed, lattice, fixed.centre_mm, np.eye(3), size)
    spectrum = np.conj(fft.rfftn(still - still.mean()))
    turns = orientations()
    shifts = np.empty((len(turns), 3))
    for n, turn in enumerate(turns):
        turned = _on_lattice(moving, lattice, moving.centre_mm, turn, size)
        surface = fft.irfftn(fft.rfftn(turned - turned.mean()) * spectrum, s=(size,) * 3)
        place = np.unravel_index(surface.argmax(), surface.shape)
        shifts[n] = [(p + size // 2) % size - size // 2 for p in place]
    return [
        Frame(fixed.centre_mm, moving.centre_mm + shift, turn)
        for turn, found in zip(turns, shifts, strict=True)
        for shift in (turn @ found * LATTICE_MM, np.zeros(3))
    ]


def _apart(frames: list[Frame]) -> list[Frame]:
    """The first of the frames whose orientations differ."""
    chosen: list[Frame] = []
    for frame in frames:
        cosines = [(np.trace(frame.turn.T @ other.turn) - 1) / 2 for other in chosen]
        if max(cosines, default=-1.0) <= np.cos(np.radians(APART_DEG)):
            chosen.append(frame)
        if len(chosen) == REFINED:
            break
    return chosen


def _reach(conditioned: Conditioned) -> float:
    """Distance from the centre to the farthest foreground (mm)."""
    places = conditioned.volume.world(np.argwhere(conditioned.foreground) * 1.0)
    return float(np.linalg.norm(places - conditioned.centre_mm, axis=1).max())


def _on_lattice(
    conditioned: Conditioned, lattice: FloatArray, centre_mm: FloatArray, turn: FloatArray, size: int
) -> FloatImage:
    voxels = conditioned.volume.voxel(centre_mm + lattice @ turn.T).T
    values = ndimage.map_coordinates(conditioned.volume.data, voxels, np.float32, order=1, mode="constant", cval=0.0)
    return np.asarray(values.reshape((size,) * 3))


def orientations(count: int = ORIENTATIONS) -> npt.NDArray[np.float64]:
    """Rotation matrices spread evenly over all orientations, the 24 turns by right angles first; shape (n, 3, 3)."""
    s = np.arange(count) + 0.5
    r, t = np.sqrt(s / count), np.sqrt(1 - s / count)
    alpha, beta = 2 * np.pi * s / _PHI, 2 * np.pi * s / _PSI
    quaternions = np.stack([r * np.sin(alpha), r * np.cos(alpha), t * np.sin(beta), t * np.cos(beta)], axis=1)
    return np.concatenate([Rotation.create_group("O").as_matrix(), Rotation.from_quat(quaternions).as_matrix()])
