"""The methods paragraph says what was done, and nothing else."""

from dataclasses import replace

import pytest

from cormack.report.content import Processing
from cormack.report.methods import MUSCHELLI_2015, MUSCHELLI_2019, RORDEN_2012, SMITH_2002, methods_text


def test_dicom_with_tilt_and_padding(content):
    text = methods_text(content).paragraph
    assert "Cormack 0.1.0" in text
    assert "5 DICOM slices" in text
    assert "3.00 to 6.00 mm apart" in text
    assert "(−2000)" in text
    assert "−1024 to 3071 HU" in text
    assert "by linear interpolation" in text
    assert "analytic brain" in text
    assert methods_text(content).references == (MUSCHELLI_2019, RORDEN_2012)


def test_what_was_not_done_is_not_mentioned(bare):
    text = methods_text(bare)
    assert "NIfTI file" in text.paragraph
    for word in ("winsorised", "interpolation", "Cormack units", "hold", "Image Position"):
        assert word not in text.paragraph
    assert text.references == (MUSCHELLI_2019, MUSCHELLI_2015, SMITH_2002)


def test_slices_that_lay_on_the_grid_were_not_resampled(content):
    kept = replace(content, processing=Processing(interpolation=None))
    assert "not resampled" in methods_text(kept).paragraph


@pytest.mark.parametrize("method", ["bet", "skull", "network"])
def test_every_citation_is_in_the_list(content, method):
    text = methods_text(replace(content, processing=Processing(brain_method=method)))
    for reference in text.references:
        assert reference.key in text.paragraph
        assert reference.url in text.plain


def test_head_without_a_description_is_described_by_its_range(content):
    plain = replace(content, head=replace(content.head, description=""))
    assert "largest component of −100 to 300 HU" in methods_text(plain).paragraph
    assert "mask: analytic head." in methods_text(content).paragraph


def test_unknown_method_is_described_by_the_mask(content):
    text = methods_text(replace(content, processing=Processing(brain_method="atlas"))).paragraph
    assert "inside of the skull" not in text
    assert "Definition of the brain mask: analytic brain." in text
