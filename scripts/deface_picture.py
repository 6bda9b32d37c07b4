"""Make docs/images/deface.jpg: the digital head's skin and bone, before and after defacing. No person was scanned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cormack.core.volume import Volume
from cormack.extract.brain import brain_mask
from cormack.extract.face import face_region
from cormack.extract.head import head_mask
from cormack.physics.head import HeadParameters, digital_head
from cormack.physics.plane import Plane
from cormack.pipeline.face_paint import FacePainter, Mode
from cormack.pipeline.head_face import HeadFace, Modality
from cormack.report.defaced import CENTRE_MM
from cormack.report.surface import VIEWS, render_surfaces

PICTURE = Path(__file__).resolve().parent.parent / "docs/images/deface.jpg"
LOW, SHAPE, SPACING_MM = (-105.0, -125.0, -125.0), (210, 255, 230), 1.0
QUALITY = 80


def head() -> Volume:
    """The digital head on 1 mm voxels."""
    affine = np.eye(4)
    affine[:3, 3] = LOW
    data = np.empty(SHAPE, dtype=np.int16, order="F")
    phantom = digital_head(HeadParameters(support=None))
    for k in range(SHAPE[2]):
        origin = affine[:3, 3] + [0, 0, k * SPACING_MM]
        plane = Plane(origin, affine[:3, 0], affine[:3, 1], SHAPE[1], SHAPE[0], SPACING_MM)
        data[:, :, k] = np.rint(phantom.hu(plane)).T
    return Volume(data, affine)


def main() -> None:
    """Render and write."""
    before = head()
    brain = brain_mask(before, head=head_mask(before))
    face = HeadFace(Modality.CT, before, brain, face_region(before, brain))
    after = FacePainter(face, Mode.REMOVE).volume()
    rows = []
    for volume in (before, after):
        shown = render_surfaces(volume, face.surfaces, centre_mm=CENTRE_MM)
        rows.append(np.hstack([shown[name, view.name] for name in face.surfaces for view in VIEWS]))
    Image.fromarray(np.vstack(rows)).save(PICTURE, quality=QUALITY, optimize=True)


if __name__ == "__main__":
    main()
