"""What sidecars say of the structures of a head."""

from __future__ import annotations

from cormack.core.labels import LabelMap, LabelTable
from cormack.pipeline.neuroanatomy import Structures


def structures_record(structures: Structures, table: LabelTable, brain: LabelMap) -> dict[str, object]:
    """Volumes by side, confidence and measures as plain values.

    Parameters
    ----------
    structures : Structures
    table : LabelTable
        The structures that are told of.
    brain : LabelMap
        The intracranial space.
    """
    names = [label.name for label in table]
    found = structures.found
    record: dict[str, object] = {
        "IntracranialVolumeMl": round(brain.volume_ml(), 3),
        "VolumesBySideMl": {
            name: dict(zip(("right", "left"), (round(ml, 3) for ml in structures.volumes_ml[name]), strict=True))
            for name in names
        },
        "Confidence": {
            name: {
                "MeanProbability": round(sure.probability, 4),
                "MeanEntropy": round(sure.entropy, 4),
                "ObserversDice": None if sure.agreement is None else round(sure.agreement, 4),
            }
            for name, sure in found.confidence.items()
            if name in names
        },
        "Observers": found.opinion.observers,
        "Measures": [
            {
                "Name": measure.name,
                "Value": None if measure.value is None else round(measure.value, 4),
                "Units": measure.unit,
                "Side": measure.side,
                "Definition": measure.definition,
                "Reference": measure.reference,
                "Reason": measure.reason,
            }
            for measure in structures.measures
        ],
    }
    if structures.routes is not None:
        record["RoutesDice"] = {name: round(structures.routes[name], 4) for name in names if name in structures.routes}
    return record
