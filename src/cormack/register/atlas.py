"""Atlases carried to a scan: one, or several that are fused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cormack.core.errors import InputError, RegistrationError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.transforms import Transform
from cormack.core.volume import Volume
from cormack.imaging.warp import warp
from cormack.register.engine import Engine, Kind, Metric
from cormack.register.fusion import Fusion, fuse
from cormack.register.register import RegisterOptions, Registration, register_volumes


@dataclass(frozen=True, eq=False)
class Atlas:
    """An image whose structures were drawn.

    Attributes
    ----------
    volume : Volume
    labels : LabelMap
        In the space of the volume, on any grid.
    mask : LabelMap, optional
        Head or brain on the grid of the volume, if the scan's mask is given, too.
    """

    volume: Volume
    labels: LabelMap
    mask: LabelMap | None = None


@dataclass(frozen=True, eq=False)
class Carried:
    """Labels of a scan.

    Attributes
    ----------
    labels : LabelMap
        On the grid of the scan.
    registrations : tuple of Registration
        Of the scan to each atlas, the failed ones among them.
    findings : tuple of Finding
        Which atlases were left out, and why.
    """

    labels: LabelMap
    registrations: tuple[Registration, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class CarriedAtlases:
    """Atlases on the grid of a scan, before they are fused.

    Attributes
    ----------
    used : tuple of (Atlas, Transform)
        Those whose registration did not fail, one at least, and the ways from their points to those of the scan.
    opinions : tuple of LabelMap
        Theirs, on the grid of the scan.
    registrations, findings
        As of `Carried`.
    """

    used: tuple[tuple[Atlas, Transform], ...]
    opinions: tuple[LabelMap, ...]
    registrations: tuple[Registration, ...]
    findings: tuple[Finding, ...] = ()


def carry_labels(labels: LabelMap, transform: Transform, scan: Volume) -> LabelMap:
    """An atlas's labels on the scan.

    Parameters
    ----------
    labels : LabelMap
        In the space of the atlas, on any grid.
    transform : Transform
        From points of the atlas to points of the scan: that of a registration of the scan to the atlas.
    scan : Volume
        Gives the grid.
    """
    return warp(labels, transform.inverse(), scan.affine, scan.shape)


def carry_image(volume: Volume, transform: Transform, scan: Volume) -> Volume:
    """An atlas's image on the scan; see `carry_labels`."""
    return warp(volume, transform.inverse(), scan.affine, scan.shape)


def carry_atlases(
    scan: Volume,
    atlases: Sequence[Atlas],
    *,
    kind: str = Kind.SYN,
    metric: str = Metric.AUTO,
    scan_mask: LabelMap | None = None,
    options: RegisterOptions = RegisterOptions(),  # noqa: B008  (frozen)
    engine: Engine | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> CarriedAtlases:
    """Register a scan to atlases and carry their labels over.

    Parameters
    ----------
    scan, atlases, kind, metric, scan_mask, options, engine
        See `label_by_atlases`, which raises the same errors.
    on_progress : callable, optional
        Told how many of how many atlases are registered.
    """
    if not atlases:
        raise InputError("no atlas was given; at least one is needed")
    if any((atlas.mask is None) != (scan_mask is None) for atlas in atlases):
        raise InputError("give a mask of the scan and of every atlas, or none: a brain is not registered to a head")
    registrations = []
    for number, atlas in enumerate(atlases, start=1):
        masks = {"moving_mask": scan_mask, "fixed_mask": atlas.mask}
        done = register_volumes(scan, atlas.volume, kind, metric=metric, **masks, options=options, engine=engine)
        registrations.append(done)
        if on_progress is not None:
            on_progress(number, len(atlases))
    used = tuple((atlas, done.transform) for atlas, done in zip(atlases, registrations, strict=True) if done.ok)
    if not used:
        raise RegistrationError(f"none of {len(atlases)} atlases could be registered: {registrations[0].failure}")
    opinions = tuple(carry_labels(atlas.labels, transform, scan) for atlas, transform in used)
    return CarriedAtlases(used, opinions, tuple(registrations), _left_out(registrations))


def label_by_atlases(
    scan: Volume,
    atlases: Sequence[Atlas],
    *,
    kind: str = Kind.SYN,
    metric: str = Metric.AUTO,
    fusion: Fusion = Fusion.MAJORITY,
    scan_mask: LabelMap | None = None,
    options: RegisterOptions = RegisterOptions(),  # noqa: B008  (frozen)
    engine: Engine | None = None,
) -> Carried:
    """Register a scan to atlases, carry their labels over, and fuse them.

    Parameters
    ----------
    scan : Volume
    atlases : sequence of Atlas
        One, or several to be fused. Those whose registration fails are left out, and it is said.
    kind, metric : str
        See `cormack.register.register.register_volumes`.
    fusion : Fusion
        See `cormack.register.fusion.fuse`.
    scan_mask : LabelMap, optional
        Head or brain on the grid of the scan; then each atlas must have its own.
    options : RegisterOptions
    engine : Engine, optional

    Raises
    ------
    InputError
        If there is no atlas, or masks are given for one side only.
    RegistrationError
        If no atlas could be registered.
    """
    carried = carry_atlases(
        scan, atlases, kind=kind, metric=metric, scan_mask=scan_mask, options=options, engine=engine
    )
    labels = carried.opinions[0]
    if len(carried.opinions) > 1:
        looks = fusion in (Fusion.WEIGHTED, Fusion.JOINT)
        images = [carry_image(atlas.volume, way, scan) for atlas, way in carried.used if looks]
        labels = fuse(carried.opinions, fusion, target=scan, images=images)
    return Carried(labels, carried.registrations, carried.findings)


def _left_out(registrations: Sequence[Registration]) -> tuple[Finding, ...]:
    failed = {n: done.failure for n, done in enumerate(registrations, start=1) if done.failure is not None}
    if not failed:
        return ()
    told = "; ".join(f"atlas {n}: {failure.code}" for n, failure in failed.items())
    return (
        Finding(
            "atlases-left-out",
            f"{len(failed)} of {len(registrations)} atlases could not be registered and were left out ({told})",
            {"atlases": np.array(list(failed)).tolist()},
        ),
    )
