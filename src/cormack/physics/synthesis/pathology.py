"""Which lesions, traces of surgery and states a synthetic head gets, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from cormack.physics.synthesis import lesions, surgery
from cormack.physics.synthesis.scene import Scene


@dataclass(frozen=True)
class Pathology:
    """Probabilities, one per finding; several can meet in one head.

    Parameters
    ----------
    healthy : float
        Probability that none of the others is drawn, calcifications and contrast agent apart.
    intracerebral_haemorrhage … sinus_filled : float
        Probability of each finding otherwise; see the function of the same name, or the table `FINDINGS`.
    """

    healthy: float = 0.3
    intracerebral_haemorrhage: float = 0.12
    subdural_haematoma: float = 0.12
    subdural_hygroma: float = 0.08
    epidural_haematoma: float = 0.06
    subarachnoid_haemorrhage: float = 0.07
    ventricular_haemorrhage: float = 0.06
    infarct: float = 0.15
    white_matter_disease: float = 0.2
    tumour: float = 0.12
    resection: float = 0.05
    craniectomy: float = 0.14
    craniotomy: float = 0.12
    burr_hole: float = 0.08
    scalp_swelling: float = 0.15
    pneumocephalus: float = 0.08
    implant: float = 0.06
    dental_metal: float = 0.15
    hyperostosis: float = 0.06
    calcifications: float = 0.5
    contrast_agent: float = 0.2
    sinus_filled: float = 0.2
    mastoid_filled: float = 0.15


def sinus_filled(scene: Scene) -> None:
    """Paranasal sinuses full of fluid or mucosa."""
    scene.hounsfield["sinus"] = (5, 60)


def mastoid_filled(scene: Scene) -> None:
    """Mastoid cells full of fluid, or never aerated."""
    scene.hounsfield["mastoid"] = (20, 700)


#: In the order in which they are painted: what is taken away or comes with surgery is last.
FINDINGS: dict[str, Callable[[Scene], None]] = {
    "white_matter_disease": lesions.white_matter_disease,
    "infarct": lesions.infarct,
    "tumour": lesions.tumour,
    "calcifications": lesions.calcifications,
    "intracerebral_haemorrhage": lesions.intracerebral_haemorrhage,
    "subarachnoid_haemorrhage": lesions.subarachnoid_haemorrhage,
    "ventricular_haemorrhage": lesions.ventricular_haemorrhage,
    "subdural_hygroma": lesions.subdural_hygroma,
    "subdural_haematoma": lesions.subdural_haematoma,
    "epidural_haematoma": lesions.epidural_haematoma,
    "hyperostosis": lesions.hyperostosis,
    "resection": surgery.resection,
    "craniectomy": surgery.craniectomy,
    "craniotomy": surgery.craniotomy,
    "burr_hole": surgery.burr_hole,
    "scalp_swelling": surgery.scalp_swelling,
    "pneumocephalus": lesions.pneumocephalus,
    "implant": surgery.implant,
    "dental_metal": surgery.dental_metal,
    "contrast_agent": lesions.contrast_agent,
    "sinus_filled": sinus_filled,
    "mastoid_filled": mastoid_filled,
}
#: Drawn in healthy heads, too.
_ANYWAY = ("calcifications", "contrast_agent", "sinus_filled", "mastoid_filled", "dental_metal")


def put_in(scene: Scene, options: Pathology) -> None:
    """Draw findings and paint them; their names go into `scene.facts["findings"]`."""
    rng = scene.rng
    healthy = bool(rng.random() < options.healthy)
    chances = {field.name: getattr(options, field.name) for field in fields(options)}
    drawn = [name for name in FINDINGS if rng.random() < chances[name] and (not healthy or name in _ANYWAY)]
    scene.facts["findings"] = drawn
    for name in drawn:
        FINDINGS[name](scene)
