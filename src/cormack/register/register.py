"""Registration of two volumes: conditioned, begun from the images themselves, refined by an engine, and judged."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cormack.core.errors import InputError, RegistrationError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.transforms import Affine, TransformChain
from cormack.core.volume import Unit, Volume
from cormack.register.agreement import LEAST_AGREEMENT, agreement, comparable
from cormack.register.ants_engine import AntsEngine
from cormack.register.conditioning import Conditioned, Values, check, condition
from cormack.register.engine import Engine, Kind, Metric, Task
from cormack.register.linear import AFFINE, RIGID, Frame, Sampled
from cormack.register.mirror import mirrored
from cormack.register.quality import Evidence, diverged, failure, gather
from cormack.register.start import find_start, thinned

#: Voxels compared by the search for the greatest normalised mutual information, which is not the engine's.
NMI_COUNT = 60_000


@dataclass(frozen=True)
class RegisterOptions:
    """How to register.

    Parameters
    ----------
    spacing_mm : float
        Edge of the voxels that the engine sees.
    values : "window" or "cormack"
        What HU are stretched by; see `cormack.register.conditioning.condition`.
    search : bool
        Look for a start in all orientations. If not, the headers are trusted.
    look_for_mirror : bool
        Say so where the moving head fits better with left and right exchanged: for two scans of one person.
    seed : int
    """

    spacing_mm: float = 2.0
    values: Values = "window"
    search: bool = True
    look_for_mirror: bool = False
    seed: int = 1


@dataclass(frozen=True, eq=False)
class Registration:
    """What came of a registration.

    Attributes
    ----------
    transform : TransformChain
        Points of the fixed space to points of the moving one, RAS+ mm; `transform.inverse()` leads back. An image goes
        the other way: `warp(moving, transform, fixed.affine, fixed.shape)`.
    kind : Kind
    metric : Metric
        That of the last stage, never auto.
    agreement : float or None
        Share of the variance that equal values explain after the linear stage, by which auto chose the metric of the
        deformable one; None where nothing was to be chosen. See `cormack.register.agreement`.
    engine : str
    start : Affine
        Where the engine began.
    evidence : Evidence or None
        None where there was nothing to judge.
    failure : Finding or None
        Why the transform is not to be used: diverged, folded, overlap too low.
    findings : tuple of Finding
    """

    transform: TransformChain
    kind: Kind
    metric: Metric
    engine: str
    start: Affine
    evidence: Evidence | None
    failure: Finding | None = None
    findings: tuple[Finding, ...] = ()
    agreement: float | None = None

    @property
    def ok(self) -> bool:
        """True if nothing speaks against the transform."""
        return self.failure is None


def register_volumes(
    moving: Volume,
    fixed: Volume,
    kind: str = Kind.RIGID,
    *,
    metric: str = Metric.AUTO,
    moving_mask: LabelMap | None = None,
    fixed_mask: LabelMap | None = None,
    moving_lesions: LabelMap | None = None,
    fixed_lesions: LabelMap | None = None,
    options: RegisterOptions = RegisterOptions(),
    engine: Engine | None = None,
) -> Registration:
    """Find the transform that brings one volume onto another.

    Parameters
    ----------
    moving, fixed : Volume
        Shape (i, j, k), any grids; head CT in HU, or MR without unit. Headers need not agree on where the head is.
    kind : "rigid", "affine" or "syn"
        Turn and shift; also scale and shear; also a smooth, invertible deformation.
    metric : "auto", "mi", "nmi", "ls" or "cc"
        Mutual information, followed in the deformable stage by least squares where the values of the two volumes are
        found to agree; mutual information throughout; normalised mutual information; least squares (two CT in HU);
        local correlation in the deformable stage, after mutual information in the linear ones.
    moving_mask, fixed_mask : LabelMap, optional
        Head or brain on the grid of its volume; everything outside becomes background. Give both or none: a brain is
        not registered to a head.
    moving_lesions, fixed_lesions : LabelMap, optional
        What must not count (cost-function masking).
    options : RegisterOptions
    engine : Engine, optional
        ANTs if not given.

    Returns
    -------
    Registration
        A failure is a value of it with its reason, not an exception.

    Raises
    ------
    InputError
        If a volume is flat or constant, a mask is empty or on another grid, or a choice is unknown.

    Examples
    --------
    >>> from cormack.register.engine import GivenEngine
    >>> data = np.full((24, 24, 24), -1000, np.int16)
    >>> data[4:20, 5:20, 6:20] = 40
    >>> data[8:12, 8:12, 8:12] = 5
    >>> head = Volume(data, np.diag([8.0, 8.0, 8.0, 1.0]))
    >>> options = RegisterOptions(spacing_mm=8.0, search=False)
    >>> register_volumes(head, head, options=options, engine=GivenEngine(Affine.identity())).evidence.overlap
    1.0
    """
    chosen = _kind(kind)
    by = _metric(metric, chosen, moving, fixed)
    engine = engine or AntsEngine()
    check(moving, moving_mask, "moving")
    check(fixed, fixed_mask, "fixed")
    same = {"spacing_mm": options.spacing_mm, "values": options.values}
    ready = condition(moving, mask=moving_mask, lesions=moving_lesions, **same)  # type: ignore[arg-type]
    still = condition(fixed, mask=fixed_mask, lesions=fixed_lesions, **same)  # type: ignore[arg-type]
    judged_by = Metric.MI if by is Metric.AUTO else by
    begun = Affine.identity()
    try:
        begun, findings = _start(ready, still, chosen, by, options)
        task = Task(ready.volume, still.volume, chosen, by, ready.counted, still.counted, seed=options.seed)
        task, agreed = _decided(_placed(task, begun), ready, still, engine)
        transform = _refined(task, begun, engine)
    except RegistrationError as error:
        lost = diverged(str(error))
        return Registration(TransformChain((begun,)), chosen, judged_by, engine.name, begun, None, lost)
    evidence = gather(ready, still, begun, transform, metric=judged_by)
    reason = failure(evidence, transform)
    return Registration(transform, chosen, task.metric, engine.name, begun, evidence, reason, findings, agreed)


def _kind(kind: str) -> Kind:
    try:
        return Kind(kind)
    except ValueError:
        raise InputError(f"kind {kind!r}: give one of {', '.join(Kind)}") from None


def _metric(metric: str, kind: Kind, moving: Volume, fixed: Volume) -> Metric:
    """The metric asked for; auto only where there is something to be decided."""
    try:
        chosen = Metric(metric)
    except ValueError:
        raise InputError(f"metric {metric!r}: give one of {', '.join(Metric)}") from None
    if chosen is Metric.LS and Unit.ARBITRARY in (moving.unit, fixed.unit):
        raise InputError(
            f"least squares compare values, here {moving.unit} and {fixed.unit}; take mutual information (mi) instead"
        )
    undecided = kind is Kind.SYN and comparable(moving, fixed)
    return Metric.MI if chosen is Metric.AUTO and not undecided else chosen


def _start(
    moving: Conditioned, fixed: Conditioned, kind: Kind, metric: Metric, options: RegisterOptions
) -> tuple[Affine, tuple[Finding, ...]]:
    """Where the engine begins; with nmi the linear part is found here, as no stage of ANTs normalises."""
    begun = Affine.identity()
    findings: tuple[Finding, ...] = ()
    if options.search:
        scaled = kind is not Kind.RIGID
        start = find_start(moving, fixed, scaled=scaled)
        begun = start.transform
        findings = mirrored(moving, fixed, start, scaled=scaled) if options.look_for_mirror else ()
    if metric is not Metric.NMI:
        return begun, findings
    frame = Frame(fixed.centre_mm, begun.apply(fixed.centre_mm), begun.matrix[:3, :3])
    parameters = np.zeros(RIGID if kind is Kind.RIGID else AFFINE)
    for spacing_mm, shrink in ((4.0, 0.2), (options.spacing_mm, 0.05)):
        sampled = Sampled(thinned(moving, spacing_mm), thinned(fixed, spacing_mm), count=NMI_COUNT)
        parameters, _ = sampled.best(frame, parameters, shrink=shrink, rounds=10)
    return frame.affine(parameters), findings


def _placed(task: Task, begun: Affine) -> Task:
    """The task with the moving volume where the search put it."""
    place = np.asarray(np.linalg.inv(begun.matrix) @ task.moving.affine)
    return replace(task, moving=replace(task.moving, affine=place))


def _decided(task: Task, moving: Conditioned, fixed: Conditioned, engine: Engine) -> tuple[Task, float | None]:
    """With auto the linear stages are run, and what is left of the task gets the metric that suits its values."""
    if task.metric is not Metric.AUTO:
        return task, None
    linear = engine.align(replace(task, kind=Kind.AFFINE, metric=Metric.MI))
    agreed = agreement(replace(moving, volume=task.moving), fixed, linear)
    metric = Metric.LS if agreed >= LEAST_AGREEMENT else Metric.MI
    return replace(task, linear=linear, metric=metric), agreed


def _refined(task: Task, begun: Affine, engine: Engine) -> TransformChain:
    """The engine's transform behind the start."""
    if task.metric is Metric.NMI and task.kind is not Kind.SYN:
        return TransformChain((begun,))
    return TransformChain((engine.align(task), begun))
