"""The faces of a run with Clean Recognizable Visual Features: planned between the passes, read by the processes."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cormack.dicom.deidentify.options import Option, Options
from cormack.dicom.source import open_source
from cormack.pipeline.progress import Progress


@dataclass(frozen=True)
class PlannedFaces:
    """Where the plan lies, None without the option; and objects by verdict."""

    file: Path | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def planned_faces(source: Path, options: Options, progress: Progress) -> Iterator[PlannedFaces]:
    """Look for the faces of all heads; the plan and its masks are removed at the end."""
    if Option.CLEAN_RECOGNIZABLE_VISUAL_FEATURES not in options:
        yield PlannedFaces()
        return
    # Here, because it takes longer to load than a small run without faces takes.
    from cormack.pipeline.faces import plan_faces

    with open_source(source) as files, plan_faces(files, progress=progress) as plan:
        path = plan.folder / "plan.pickle"
        path.write_bytes(pickle.dumps(plan))
        yield PlannedFaces(path, plan.counts())
