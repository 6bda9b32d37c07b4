"""Counts of outcomes become the report's content."""

from collections import Counter

from cormack.dicom.deidentify.reasons import Reason
from cormack.pipeline.deidentify_tally import Tally
from cormack.pipeline.deidentify_worker import Outcome, Status

CT = "1.2.840.10008.5.1.4.1.1.2"


def test_actions_add_up() -> None:
    tally = Tally({"empty file": 2})
    for number in (1, 2):
        actions = Counter({("removed", "people"): number, ("emptied", "texts"): 1, ("removed", "private"): 3})
        tally.add(Outcome(0, Status.WRITTEN, sop_class=CT, pixels="untouched", place=("p", "s", "r"), actions=actions))
    tally.add(Outcome(2, Status.REFUSED, Reason.ENCAPSULATED, sop_class=CT))
    assert tally.actions_by_kind() == {"emptied": {"texts": 2}, "removed": {"people": 3, "private": 6}}
    assert sum(tally.written.values()) == 2
    assert [group.count for group in tally.refused_groups()] == [1]
    assert tally.aside["empty file"] == 2
    assert tally.places == (1, 1, 1)
