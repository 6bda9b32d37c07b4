"""Structures of the head: the two tables, and the way from the one to the other."""

from __future__ import annotations

import numpy as np
import pytest

from cormack.core.neuroanatomy import COARSE_OF_FINE, NEUROANATOMY, NEUROANATOMY_FINE


def test_the_eleven_stand_in_the_order_of_the_paper() -> None:
    assert [label.index for label in NEUROANATOMY] == list(range(1, 12))
    assert " ".join(label.abbreviation for label in NEUROANATOMY) == "BSC CN CS CB DFVS IC ICap LN SP SAS VS"


def test_each_of_the_sixteen_is_one_of_the_eleven() -> None:
    assert [label.index for label in NEUROANATOMY_FINE] == list(range(1, 17))
    np.testing.assert_array_equal(COARSE_OF_FINE, [0, 1, 10, 5, 9, 4, 2, 8, 6, 7, 11, 3, 1, 1, 1, 1, 1])


@pytest.mark.parametrize("table", [NEUROANATOMY, NEUROANATOMY_FINE])
def test_colours_and_abbreviations_tell_structures_apart(table: object) -> None:
    labels = list(table)  # type: ignore[call-overload]
    assert len({label.color for label in labels}) == len({label.abbreviation for label in labels}) == len(labels)


def test_codes_are_those_of_the_dicom_standard() -> None:
    concepts = pytest.importorskip("pydicom.sr._concepts_dict").concepts["SCT"]
    known = {code for codes in concepts.values() for code in codes}
    codes = {label.snomed_ct for table in (NEUROANATOMY, NEUROANATOMY_FINE) for label in table} - {None}
    assert codes
    assert codes <= known
