"""Which images of one SeriesInstanceUID can be stacked: split by geometry and kind, never by exposure.

Magnitude and phase of an MR series are kinds: they are apart wherever they lie.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from cormack.dicom.geometry import ORIENTATION_TOLERANCE
from cormack.dicom.instance import Instance

#: PixelSpacing of one stack agrees to this (mm).
PIXEL_SPACING_TOLERANCE_MM = 1e-4
LOCALIZER_TYPES = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM", "SCANOGRAM", "SCOUT VIEW"})
#: Volumes at the same positions are told apart only if each has at least so many slices.
MIN_PHASE_SLICES = 3


def split(members: list[Instance]) -> list[tuple[list[Instance], dict[str, int]]]:
    """Groups of one SeriesInstanceUID that can be stacked, largest first, each with what is broken in it."""
    groups: list[tuple[Instance, list[Instance]]] = []
    for instance in sorted(members, key=lambda i: (i.instance_number, i.item, i.frame or 0)):
        for first, group in groups:
            if _same_stack(first, instance):
                group.append(instance)
                break
        else:
            groups.append((instance, [instance]))
    parts = []
    for _, group in groups:
        usable = [i for i in group if i.problem is None]
        broken = Counter(i.problem for i in group if i.problem is not None)
        for stack in _phases(usable) if usable else [group]:
            parts.append((stack, dict(broken)))
            broken = Counter()
    return sorted(parts, key=lambda part: -len(part[0]))


def _same_stack(a: Instance, b: Instance) -> bool:
    """True if two images of one series can lie in one stack."""
    if (a.rows, a.columns, a.samples, a.modality, a.sop_class) != (
        b.rows,
        b.columns,
        b.samples,
        b.modality,
        b.sop_class,
    ):
        return False
    if LOCALIZER_TYPES.isdisjoint(a.image_type) != LOCALIZER_TYPES.isdisjoint(b.image_type):
        return False
    if a.component and b.component and a.component != b.component:
        return False
    return _close(a.orientation, b.orientation, ORIENTATION_TOLERANCE) and _close(
        a.pixel_spacing, b.pixel_spacing, PIXEL_SPACING_TOLERANCE_MM
    )


def _close(a: tuple[float, ...] | None, b: tuple[float, ...] | None, tolerance: float) -> bool:
    if a is None or b is None:
        return a is b
    return all(abs(x - y) <= tolerance for x, y in zip(a, b, strict=True))


#: What may tell volumes at the same positions apart, in this order.
_PHASE_FACTS: tuple[Callable[[Instance], object], ...] = (
    lambda i: i.kernel,
    lambda i: i.image_type,
    lambda i: i.acquisition_number,
    lambda i: i.temporal_position,
    lambda i: i.echo_time_ms,
)


def _phases(instances: list[Instance]) -> list[list[Instance]]:
    """Volumes at the same positions (phases, kernels, echoes) apart, where a header fact divides them cleanly."""
    if _repeats(instances) == 0:
        return [instances]
    for fact in _PHASE_FACTS:
        parts: dict[object, list[Instance]] = defaultdict(list)
        for instance in instances:
            parts[fact(instance)].append(instance)
        if (
            len(parts) > 1
            and min(map(len, parts.values())) >= MIN_PHASE_SLICES
            and not any(map(_repeats, parts.values()))
        ):
            return list(parts.values())
    return _by_turn(instances)


def _by_turn(instances: list[Instance]) -> list[list[Instance]]:
    """Volumes apart where no header fact does it, but each position occurs equally often: by InstanceNumber."""
    turns: dict[object, list[Instance]] = defaultdict(list)
    for instance in instances:
        turns[_place(instance)].append(instance)
    counts = {len(turn) for turn in turns.values()}
    if len(counts) != 1 or len(turns) < MIN_PHASE_SLICES:
        return [instances]
    return [list(volume) for volume in zip(*turns.values(), strict=True)]


def _place(instance: Instance) -> tuple[float, ...]:
    return tuple(round(x, 2) for x in instance.position or ())


def _repeats(instances: Iterable[Instance]) -> int:
    places = [_place(i) for i in instances if i.position]
    return len(places) - len(set(places))
