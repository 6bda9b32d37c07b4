"""What becomes of the patients of a run: pseudonyms or chosen names, shifts of dates, words to be looked for."""

from __future__ import annotations

from collections.abc import Mapping

from cormack.dicom.deidentify.lookup import LookupRow
from cormack.dicom.deidentify.options import Option, Options
from cormack.dicom.deidentify.project_key import ProjectKey
from cormack.dicom.deidentify.survey import PatientFacts
from cormack.dicom.deidentify.text import known_tokens
from cormack.dicom.deidentify.values import Patient
from cormack.dicom.deidentify.vrs import DUMMY_TEXTS


class Patients:
    """The patients of a run, by the identity that the survey gave them.

    Parameters
    ----------
    key : ProjectKey
    options : Options
    chosen : mapping of str to str, optional
        PatientIDs as stored and what they become; who is not there is refused.
    """

    def __init__(self, key: ProjectKey, options: Options, chosen: Mapping[str, str] | None) -> None:
        self._key, self._options, self._chosen = key, options, chosen
        self._new_names = frozenset() if chosen is None else frozenset(chosen.values())
        self._facts: dict[str, PatientFacts] = {}
        self._patients: dict[str, Patient | None] = {}

    def learn(self, facts: Mapping[str, PatientFacts]) -> None:
        """Add what some headers say."""
        for identity, found in facts.items():
            known = self._facts.get(identity)
            self._facts[identity] = found if known is None else known | found

    def patient(self, identity: str) -> Patient | None:
        """What becomes of a patient, once all headers are read; None for one who is not on the list."""
        if identity not in self._patients:
            self._patients[identity] = self._make(identity)
        return self._patients[identity]

    def lookup_rows(self) -> list[LookupRow]:
        """Rows of the look-up table; patients who come from an earlier run under this key have none."""
        rows = []
        for identity, patient in self._patients.items():
            facts = self._facts[identity]
            if patient is not None and not self._is_own(identity, facts):
                days = patient.days if Option.RETAIN_LONGITUDINAL_MODIFIED_DATES in self._options else None
                stated = (facts.patient_id, facts.issuer, facts.name, facts.birth_date)
                rows.append(LookupRow(patient.new_id, *stated, days))
        return rows

    def _make(self, identity: str) -> Patient | None:
        facts = self._facts[identity]
        own = self._is_own(identity, facts)
        if self._chosen is None:
            new_id = self._key.pseudonym(identity)
        elif facts.patient_id in self._chosen:
            new_id = self._chosen[facts.patient_id]
        elif own:
            new_id = facts.patient_id
        else:
            return None
        found = facts.identifiers
        known = known_tokens(
            (value for value in found.persons if not self._is_made_up(value)),
            places=(value for value in found.places if value not in DUMMY_TEXTS),
        )
        return Patient(new_id, 0 if own else self._key.shift_days(identity), known)

    def _is_own(self, identity: str, facts: PatientFacts) -> bool:
        """True for a patient whose objects were de-identified under this key before."""
        return self._key.is_own_pseudonym(identity) or facts.patient_id in self._new_names

    def _is_made_up(self, value: str) -> bool:
        return value in DUMMY_TEXTS or value in self._new_names or self._key.is_own_pseudonym(value)
