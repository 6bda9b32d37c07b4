"""Code strings: the standard's and the makers' terms are known, names in their place are not."""

import pytest

from cormack.dicom.deidentify.defined_terms import is_term


@pytest.mark.parametrize(
    "value",
    [
        "ORIGINAL", "DERIVED", "MONOCHROME2", "YBR_FULL_422", "PALETTE COLOR", "SOFT_TISSUE", "FILTER_BACK_PROJ",
        "LRNTZ_GSS_TRNSFM", "CT_SOM5 SPI", "CSAPARALLEL", "CSPINE", "HFDR", "ISO_10918_1", "18CMX24CM", "WHITE",
        "PROTON_DENSITY", "IN PROGRESS", "FOR PRESENTATION", "",
    ],
)  # fmt: skip
def test_terms_of_the_standard_and_of_makers(value):
    assert is_term(value)


@pytest.mark.parametrize("value", ["VANDERSLOOT", "HEAD VANDERSLOOT", "ANNEGRET_CT", "735182", "19310709"])
def test_names_and_numbers(value):
    assert not is_term(value)
