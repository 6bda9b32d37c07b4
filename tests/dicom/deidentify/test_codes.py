"""Codes of the standards, compared with the dictionaries of pydicom."""

import random

import pytest
from pydicom.dataset import Dataset
from pydicom.sr._concepts_dict import concepts

from cormack.dicom.deidentify.codes import is_public_code, is_standard_code


@pytest.mark.parametrize("scheme", ["DCM", "SCT"])
def test_every_code_of_the_standard_is_one(scheme: str) -> None:
    codes = {code for meanings in concepts[scheme].values() for code in meanings if code.isdigit() and len(code) > 5}
    assert len(codes) > 3000
    # One code of PS3.16 is misprinted: its check digit is wrong.
    assert {code for code in codes if not is_standard_code(code)} <= {"115347700"}


def test_few_other_numbers_pass() -> None:
    draw = random.Random(0)
    numbers = [str(draw.randrange(10**7, 10**8)) for _ in range(20_000)]
    assert sum(map(is_standard_code, numbers)) < 20_000 / 300


@pytest.mark.parametrize("text", ["", "1131000", "11310", "abc", "069536005", "69536004", "69536005 ", "T-A0100"])
def test_what_is_no_code(text: str) -> None:
    assert not is_standard_code(text)


@pytest.mark.parametrize(
    ("scheme", "value", "public"),
    [
        ("DCM", "113100", True),
        ("DCM", "11310", False),
        ("SCT", "69536005", True),
        ("SCT", "12345678", False),
        ("SRT", "T-A0100", True),
        ("LN", "18782-3", True),
        ("99HOSPITAL", "113100", False),
        ("", "113100", False),
    ],
)
def test_codes_of_public_schemes(scheme: str, value: str, public: bool) -> None:
    item = Dataset()
    item.CodingSchemeDesignator, item.CodeValue = scheme, value
    assert is_public_code(item) is public
    assert not is_public_code(Dataset())
