"""Atlases carried to a scan: one, or several that are fused."""

from __future__ import annotations

from collections.abc import Sequence
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
    if not atlases:
        raise InputError("no atlas was given; at least one is needed")
    if any((atlas.mask is None) != (scan_mask is None) for atlas in atlases):
        raise InputError("give a mask of the scan and of every atlas, or none: a brain is not registered to a head")
    registrations = tuple(
        register_volumes(
            scan, atlas.volume, kind, metric=metric, moving_mask=scan_mask, fixed_mask=atlas.mask, options=options,
            engine=engine,
        )
        for atlas in atlases
    )  # fmt: skip
    used = [(atlas, done) for atlas, done in zip(atlases, registrations, strict=True) if done.ok]
    if not used:
        raise RegistrationError(f"none of {len(atlases)} atlases could be registered: {registrations[0].failure}")
    findings = _left_out(registrations)
    opinions = [carry_labels(atlas.labels, done.transform, scan) for atlas, done in used]
    if len(opinions) == 1:
        return Carried(opinions[0], registrations, findings)
    images: tuple[Volume, ...] = ()
    if fusion in (Fusion.WEIGHTED, Fusion.JOINT):
        images = tuple(warp(a.volume, done.transform.inverse(), scan.affine, scan.shape) for a, done in used)
    return Carried(fuse(opinions, fusion, target=scan, images=images), registrations, findings)


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
