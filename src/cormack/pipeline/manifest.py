"""The record that a run leaves, and what makes two runs the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from cormack.core.findings import Finding
from cormack.core.provenance import Provenance, generated_by, package_version, software_versions
from cormack.files.sidecar import to_json
from cormack.pipeline.load import Located

SCHEMA = 1


def manifest_text(
    located: Located,
    provenance: Provenance,
    *,
    findings: Iterable[Finding],
    outputs: Mapping[str, str],
    selection: Iterable[str],
    peak_memory_mb: float,
) -> str:
    """The manifest as JSON: software, parameters, inputs and outputs by hash, seconds per step, memory, warnings."""
    return to_json(
        {
            "Schema": SCHEMA,
            "GeneratedBy": generated_by(),
            "ResearchUseOnly": True,
            "Software": software_versions(),
            "Parameters": dict(provenance.parameters),
            "Input": {
                "Kind": located.kind,
                "Modality": located.modality,
                "Files": len(located.hashes),
                "Fingerprint": located.fingerprint,
                "SHA256": list(located.hashes),
            },
            "Selection": list(selection),
            "SecondsPerStep": {step: round(seconds, 3) for step, seconds in provenance.seconds.items()},
            "PeakMemoryMB": round(peak_memory_mb, 1),
            "Warnings": [{"Code": f.code, "Message": f.message, "Evidence": dict(f.evidence)} for f in findings],
            "Outputs": dict(outputs),
        }
    )


def is_done(root: Path, manifest: Path, located: Located, parameters: Mapping[str, object]) -> bool:
    """True if a manifest tells of the same input, parameters and version, and all its outputs are still there.

    Parameters
    ----------
    root, manifest : Path
        The output folder, and the manifest relative to it.
    """
    try:
        record = json.loads((root / manifest).read_text(encoding="utf-8"))
        same = (
            record["Schema"] == SCHEMA
            and record["GeneratedBy"]["Version"] == package_version("cormack")
            and record["Parameters"] == json.loads(json.dumps(dict(parameters)))
            and record["Input"]["Fingerprint"] == located.fingerprint
        )
        return same and all((root / name).is_file() for name in record["Outputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
