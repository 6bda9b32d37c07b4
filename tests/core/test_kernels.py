"""The table of kernels, on names as scanners write them."""

import pytest

from cormack.core.kernels import KERNEL_RULES, KernelClass, kernel_class


@pytest.mark.parametrize(
    ("manufacturer", "kernel", "expected"),
    [
        ("GE MEDICAL SYSTEMS", "STD+", KernelClass.SOFT),
        ("GE MEDICAL SYSTEMS", "SOFT", KernelClass.SOFT),
        ("GE MEDICAL SYSTEMS", "DETAIL", KernelClass.MEDIUM),
        ("GE MEDICAL SYSTEMS", "BONEPLUS", KernelClass.SHARP),
        ("SIEMENS", "H31s", KernelClass.SOFT),
        ("SIEMENS", "['J40s', '3']", KernelClass.SOFT),
        ("SIEMENS", "J40f\\3", KernelClass.SOFT),
        ("SIEMENS", "H47s", KernelClass.MEDIUM),
        ("SIEMENS", "H70h", KernelClass.SHARP),
        ("Philips", "UA", KernelClass.SOFT),
        ("Philips", "D", KernelClass.SHARP),
        ("TOSHIBA", "FC21", KernelClass.SOFT),
        ("Canon Medical Systems", "FC30", KernelClass.SHARP),
        ("Siemens Healthineers", "Hr60f", KernelClass.SHARP),
        ("Philips", "UB", KernelClass.SOFT),
        ("Philips", "UC", KernelClass.MEDIUM),
        ("Philips", "YC", KernelClass.SHARP),
        ("TOSHIBA", "FC68", KernelClass.SOFT),
        ("TOSHIBA", "FC26", KernelClass.MEDIUM),
        ("Canon", "FC81", KernelClass.SHARP),
        ("UIH", "H_SHARP_C", KernelClass.SHARP),
        ("UIH", "H_SOFT_B", KernelClass.SOFT),
        ("NMS", "F20", KernelClass.SOFT),
        ("", "STANDARD", KernelClass.SOFT),
        (None, "Bone", KernelClass.SHARP),
        (None, "Detail", KernelClass.MEDIUM),
    ],
)
def test_class_of_known_names(manufacturer, kernel, expected):
    assert kernel_class(kernel, manufacturer) is expected


@pytest.mark.parametrize(
    ("manufacturer", "kernel"), [(None, None), ("SIEMENS", ""), ("SIEMENS", "XYZ"), (None, "H31s")]
)
def test_unknown_names_have_no_class(manufacturer, kernel):
    assert kernel_class(kernel, manufacturer) is None


def test_a_vendor_is_not_found_inside_another_word():
    # "IMAGE" holds "GE": only a name that begins with it is General Electric.
    assert kernel_class("PERF", "IMAGE WORKS") is None


def test_every_rule_is_a_valid_pattern():
    for rule in KERNEL_RULES:
        kernel_class("X", rule.manufacturer)
