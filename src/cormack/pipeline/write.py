"""What a run leaves on disk: a BIDS derivatives data set, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cormack.core.findings import Measurement
from cormack.core.provenance import Provenance
from cormack.core.volume import Unit
from cormack.files.bids import BIDSIGNORE, ScanName, dataset_description
from cormack.files.nifti import write_labels, write_volume
from cormack.files.outputs import OutputSet, sweep_parts
from cormack.files.sidecar import to_json
from cormack.imaging.units import to_unit
from cormack.pipeline.grids import Grids
from cormack.pipeline.load import Located, file_sha256
from cormack.pipeline.manifest import manifest_text
from cormack.pipeline.options import RunOptions
from cormack.pipeline.sidecars import brain_sidecar, grid_sidecar, mask_sidecar, unit_fields
from cormack.pipeline.space import InSpace, write_space
from cormack.pipeline.steps import peak_memory_mb
from cormack.pipeline.structures_of_run import StructuresOfRun


def write_run(
    root: Path,
    name: ScanName,
    located: Located,
    results: dict[str, Any],
    options: RunOptions,
    provenance: Provenance,
) -> tuple[Path, ...]:
    """Write everything that a run made; returns the files, relative to `root`, the manifest last.

    Raises
    ------
    OutputError
        If the file system refuses; then nothing new is left behind.
    """
    grids: Grids = results["grids"]
    codes = grids.facts.orientation
    sweep_parts(root)
    sweep_parts(root / name.folder)
    written: list[Path] = []
    with OutputSet(root) as outputs:

        def file(suffix: str, extension: str) -> Path:
            relative = name.file(suffix, extension)
            written.append(relative)
            return outputs.part(relative)

        def text(relative: Path, content: str) -> None:
            written.append(relative)
            outputs.write_text(relative, content)

        with provenance.timed("write"):
            _shared_files(root, outputs)
            write_volume(file(name.suffix, ".nii.gz"), grids.volume, codes=codes)
            text(name.file(name.suffix, ".json"), to_json(grid_sidecar(grids.facts)))
            for key, suffix in (("head", "desc-head_mask"), ("brain", "desc-brain_mask")):
                write_labels(file(suffix, ".nii.gz"), results[key], codes=codes)
                text(name.file(suffix, ".json"), to_json(mask_sidecar(results[key], name)))
            brain = f"desc-brain_{name.suffix}"
            write_volume(file(brain, ".nii.gz"), results["brain_volume"], codes=codes)
            text(name.file(brain, ".json"), to_json(brain_sidecar(results["brain_volume"], options, name)))
            if options.cormack_units:
                write_volume(file("desc-cormack_ct", ".nii.gz"), to_unit(grids.volume, Unit.CORMACK), codes=codes)
                text(
                    name.file("desc-cormack_ct", ".json"),
                    to_json({**grid_sidecar(grids.facts), **unit_fields(Unit.CORMACK)}),
                )
            table, dictionary = volumes_table(results["measures"].measurements)
            text(name.file("volumes", ".tsv"), table)
            text(name.file("volumes", ".json"), dictionary)
            text(name.report, results["report"])
            space: InSpace | None = results["space"]
            written += [] if space is None else write_space(outputs, name, space, codes)
            structures: StructuresOfRun = results["structures"]
            written += [] if structures.found is None else structures.found.write(outputs, name)
        hashes = {str(relative): file_sha256(outputs.part(relative)) for relative in written}
        text(
            name.manifest,
            manifest_text(
                located,
                provenance,
                findings=(
                    *grids.facts.findings,
                    *results["brain"].findings,
                    *(() if space is None else space.findings),
                    *results["measures"].findings,
                    *structures.findings,
                ),
                outputs=hashes,
                selection=located.selection,
                peak_memory_mb=peak_memory_mb(),
            ),
        )
    return tuple(written)


def _shared_files(root: Path, outputs: OutputSet) -> None:
    """The files that all scans of the derivatives share; left alone where they stand."""
    for name, content in (("dataset_description.json", dataset_description()), (".bidsignore", BIDSIGNORE)):
        if not (root / name).exists():
            outputs.write_text(name, content)


def volumes_table(measurements: tuple[Measurement, ...]) -> tuple[str, str]:
    """One row of measurements as TSV, and its dictionary as JSON (BIDS: n/a where not measured)."""
    header = "\t".join(column_name(m) for m in measurements)
    row = "\t".join("n/a" if m.value is None else f"{m.value:.6g}" for m in measurements)
    dictionary = {
        column_name(m): {"LongName": m.name, "Description": m.definition, "Units": m.unit} for m in measurements
    }
    return f"{header}\n{row}\n", to_json(dictionary)


def column_name(measurement: Measurement) -> str:
    """Column of a measurement: its name in snake case, ending in its unit.

    >>> column_name(Measurement("intracranial volume", 1.0, "ml", ""))
    'intracranial_volume_ml'
    """
    words = "_".join(measurement.name.lower().replace("-", " ").split())
    unit = {"%": "percent", "1/mm": "per_mm"}.get(measurement.unit, measurement.unit.lower())
    return words if not unit or words.endswith(f"_{unit}") else f"{words}_{unit}"
