"""Structures of the head on CT: eleven of Cai et al. 2020 (doi 10.1148/ryai.2020190183), and sixteen that refine them.

Codes are of SNOMED CT, as DICOM PS3.16 prints them (CID 7140, CID 7153 and other tables). Structures that it
does not name by themselves carry none.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cormack.core.labels import Label, LabelTable

_SUBARACHNOID = ("subarachnoid space", "SAS", (166, 206, 227), "33930006")
_DURA = ("dural folds and venous sinuses", "DFVS", (31, 90, 180))
_SEPTUM = ("septum pellucidum", "SP", (255, 255, 153))
_CEREBELLUM = ("cerebellum", "CB", (230, 159, 0), "113305005")
_CAUDATE = ("caudate nucleus", "CN", (0, 158, 115), "11000004")
_LENTIFORM = ("lentiform nucleus", "LN", (213, 94, 0))
_INSULA = ("insular cortex", "IC", (204, 121, 167), "36169008")
_CAPSULE = ("internal capsule", "ICap", (240, 228, 66), "85637007")
_VENTRICLES = ("ventricular system", "VS", (86, 180, 233), "35764002")
_SULCUS = ("central sulcus", "CS", (227, 26, 28))

#: The eleven structures, in the paper's order.
NEUROANATOMY = LabelTable(
    (
        Label(1, "brainstem and cerebrum", "BSC", (178, 171, 160)),
        Label(2, *_CAUDATE),
        Label(3, *_SULCUS),
        Label(4, *_CEREBELLUM),
        Label(5, *_DURA),
        Label(6, *_INSULA),
        Label(7, *_CAPSULE),
        Label(8, *_LENTIFORM),
        Label(9, *_SEPTUM),
        Label(10, *_SUBARACHNOID),
        Label(11, *_VENTRICLES),
    )
)

#: The same with the brain told apart into lobes, thalamus, and brainstem with the rest of the diencephalon; the order
#: is that of the paper's authors' manual label maps.
NEUROANATOMY_FINE = LabelTable(
    (
        Label(1, "brainstem and rest of the diencephalon", "BSD", (178, 171, 160)),
        Label(2, *_SUBARACHNOID),
        Label(3, *_DURA),
        Label(4, *_SEPTUM),
        Label(5, *_CEREBELLUM),
        Label(6, *_CAUDATE),
        Label(7, *_LENTIFORM),
        Label(8, *_INSULA),
        Label(9, *_CAPSULE),
        Label(10, *_VENTRICLES),
        Label(11, *_SULCUS),
        Label(12, "frontal lobe", "FL", (141, 160, 203), "83251001"),
        Label(13, "parietal lobe", "PL", (102, 194, 165), "16630005"),
        Label(14, "occipital lobe", "OL", (166, 118, 29), "31065004"),
        Label(15, "temporal lobe", "TL", (231, 138, 195), "78277001"),
        Label(16, "thalamus", "Th", (117, 112, 179), "42695009"),
    )
)

#: Value of `NEUROANATOMY` for each value of `NEUROANATOMY_FINE`, 0 included.
COARSE_OF_FINE: npt.NDArray[np.uint8] = np.array(
    [0, *(NEUROANATOMY[fine.name].index if fine.index in range(2, 12) else 1 for fine in NEUROANATOMY_FINE)],
    dtype=np.uint8,
)
COARSE_OF_FINE.flags.writeable = False
