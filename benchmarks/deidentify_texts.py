"""Microseconds per text and share of the time of an image: cleaning of free text, new and met before; keys and dates.

python benchmarks/deidentify_texts.py [--repeats 2000]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from timeit import repeat

from cormack.dicom.deidentify import text
from cormack.dicom.deidentify.dates import shift_da, shift_dt
from cormack.dicom.deidentify.project_key import ProjectKey

DEVICE, PLAIN = "SOMATOM Definition AS+", "CT HEAD W/O CONTRAST 5.0 H30s"
FULL = "CT HEAD John Doe 1975-04-12 tel 555-123-4567 for Dr. Miller"
#: A slice of a series repeats nearly all texts of the slice before; so many are looked at in each.
TEXTS_PER_IMAGE, IMAGES_PER_S = 100, 250


def microseconds(call: Callable[[], object], repeats: int) -> float:
    """The least of five runs, per call."""
    return min(repeat(call, number=repeats, repeat=5)) / repeats * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=2000)
    repeats = parser.parse_args().repeats
    known = text.known_tokens(["Doe^John^A", "AB-123456", "19750412"], places=["General Hospital, Exampleton"])
    print(f"{'text':<62}{'new (µs)':>10}{'words only':>12}{'met before':>12}")
    again = 0.0
    for sample in (DEVICE, PLAIN, FULL):
        new = [microseconds(lambda t=sample, v=v: text._clean(t, known, v, None), repeats) for v in (False, True)]
        again = microseconds(lambda t=sample: text.clean_text(t, known=known), repeats * 10)
        print(f"{sample:<62}{new[0]:>10.1f}{new[1]:>12.1f}{again:>12.2f}")
    share = again * 1e-6 * TEXTS_PER_IMAGE * IMAGES_PER_S
    print(f"{TEXTS_PER_IMAGE} texts met before, {IMAGES_PER_S} images/s: {share:.1%} of one core")
    key = ProjectKey(bytes(range(32)))
    uid = "1.2.840.113619.2.55.3.2831868886.123.1551698553.456"
    for name, call in (
        ("UID by the key", lambda: key.uid(uid)),
        ("pseudonym", lambda: key.pseudonym("12345678")),
        ("DA shifted", lambda: shift_da("20190304", -100)),
        ("DT shifted", lambda: shift_dt("20190304112233.123456+0100", -100)),
    ):
        print(f"{name:<62}{microseconds(call, repeats):>10.1f}")


if __name__ == "__main__":
    main()
