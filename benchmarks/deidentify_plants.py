"""Identifiers of made-up people, and the places of a DICOM object where they are hidden: for `deidentify_score.py`.

Knows the standard's dictionary and nothing of how Cormack de-identifies.
"""

from __future__ import annotations

import base64
import calendar
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pydicom import Dataset, config
from pydicom.charset import convert_encodings, decode_bytes, encode_string
from pydicom.datadict import DicomDictionary, dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence as DicomSequence
from pydicom.tag import Tag

config.settings.writing_validation_mode = config.IGNORE
config.settings.reading_validation_mode = config.IGNORE

TEXT_VRS = ("LO", "SH", "ST", "LT", "UT", "UC", "UR", "AE", "CS", "PN")


@dataclass(frozen=True)
class Person:
    """A made-up patient and those around the patient; every word is one that no scanner writes."""

    family: str
    given: str
    middle: str
    patient_id: str
    birth_date: str
    study_date: str
    study_time: str
    accession: str
    phone: str
    email: str
    street: str
    institution: str
    physician: str
    operator: str
    serial: str
    station: str
    character_set: str | list[str]
    ideographic: str = ""
    phonetic: str = ""

    @property
    def name(self) -> str:
        """PatientName as DICOM writes it."""
        groups = [f"{self.family}^{self.given}^{self.middle}", self.ideographic, self.phonetic]
        return "=".join(groups).rstrip("=")

    def dates(self) -> Iterator[str]:
        """The dates of birth and study in the notations that people use."""
        for date in (self.birth_date, self.study_date):
            y, m, d = date[:4], date[4:6], date[6:]
            month = calendar.month_name[int(m)]
            yield from (date, f"{y}-{m}-{d}", f"{d}.{m}.{y}", f"{d}/{m}/{y}", f"{m}/{d}/{y}", f"{y}/{m}/{d}")
            yield from (f"{d}-{month[:3].upper()}-{y}", f"{month} {int(d)}, {y}", f"{int(d)} {month} {y}")
            yield from (f"{month[:3]} {d} {y}", f"{y}.{m}.{d}", f"{d}{month[:3].upper()}{y}")

    def texts(self) -> list[str]:
        """What a careless hand writes into a text field: names in many forms, numbers, dates, addresses."""
        family, given, middle = self.family, self.given, self.middle
        physician = self.physician.split("^")
        names = [
            self.name.split("=")[0], f"{given} {family}", f"{family}, {given}", f"{family}{given}", f"{given}_{family}",
            f"{family.upper()} {given.upper()}", f"{given[0]}. {family}", f"{family.lower()}", f"({given})",
            f"{given}-{middle}", f"{family}s", f"{middle} {family}", f"C:/scans/{family}/{given}.dcm",
            f"pat={family};id={self.patient_id}", self.ideographic, self.phonetic,
        ]  # fmt: skip
        others = [
            self.patient_id, f"MRN {self.patient_id}", f"ID:{self.patient_id}", f"#{self.patient_id}#",
            self.accession, f"Acc# {self.accession}", self.phone, self.email, self.street, self.institution,
            f"Dr. {physician[1]} {physician[0]}", f"{physician[0]}", self.physician, self.operator, self.serial,
            self.station, f"{self.institution}, {self.street}", "219-09-9173", "http://pacs.bergstern.example/73518264",
            "10.217.43.199",
        ]  # fmt: skip
        return [text for text in (*names, *others, *self.dates()) if text]

    def needles(self) -> dict[str, bytes]:
        """Byte sequences that must not be found in any output, by what they are."""
        words = [self.family, self.given, self.middle, self.patient_id, self.accession, self.email, self.phone,
                 self.street, self.serial, self.station, *self.physician.split("^"), *self.operator.split("^"),
                 self.institution, self.institution.split()[-1], self.street.split()[0], self.study_time, "219-09-9173",
                 "10.217.43.199", "bergstern.example", "73518264", *self.ideographic.split("^"),
                 *self.phonetic.split("^"), *self.dates()]  # fmt: skip
        found: dict[str, bytes] = {}
        for word in filter(None, words):
            for encoding in (
                "utf-8",
                "latin-1",
                "utf-16-le",
                "utf-16-be",
                "iso2022_jp",
                "shift_jis",
                "euc_kr",
                "gb18030",
            ):
                try:
                    found.setdefault(f"{word} in {encoding}", word.encode(encoding).lower())
                except UnicodeEncodeError:
                    continue
        for term in ("ISO 2022 IR 87", "ISO 2022 IR 149"):
            for word in filter(None, (*self.ideographic.split("^"), *self.phonetic.split("^"))):
                try:
                    encodings = convert_encodings(["", term])
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", UserWarning)
                        encoded = encode_string(word, encodings)
                    if decode_bytes(encoded, encodings, set()) == word:
                        found[f"{word} in {term}"] = encoded.lower()
                except (UnicodeEncodeError, ValueError):
                    continue
        found["base64"] = base64.b64encode(self.name.split("=")[0].encode())[:12].lower()
        return {what: needle for what, needle in found.items() if len(needle) > 3}


PEOPLE = (
    Person("Quennerstedt", "Ysolde", "Thornquist", "73518264", "19310709", "20180423", "164233.918273", "ACC5550917",
           "+49 (6221) 555-0187", "ysolde.q@klinik.bergstern.example", "Rosenzweigstrasse 17", "Klinikum Bergsternwald",
           "Abernathyson^Zebulon", "Oppenlander^Wilhelmina", "SN-77QX-40917", "BERGSTERNCT3", "ISO_IR 100"),
    Person("Müßigbrodt", "Łucjanna", "Brzęczysława", "HN-4408-1937-ZK", "19981130", "20210228", "071309.445566",
           "77120034417", "(617) 555-0143", "lucjanna@praxis.bergstern.example", "Kirschblütenallee 204",
           "Sankt Przemyslaus Spital", "Ødegårdshaug^Ingrið", "Villaseñorito^José", "GZ9940512", "PRZEMYSLMR1",
           "ISO_IR 192"),
    Person("Yamagushiku", "Tarounosuke", "Kenzaburow", "JP90217745", "19550102", "20191231", "235959.000123",
           "A-2019-88213", "03-5555-0199", "tarou@bergstern.example", "Sakurazakamachi 5", "Hoshiyamakawa Byoin",
           "Watanabeshima^Hanakorin", "Kobayashikawa^Jirouta", "XK-20391-B", "HOSHIYAMA1", ["", "ISO 2022 IR 87"],
           "山口^太郎之助", "やまぐち^たろうのすけ"),
    Person("Hongkildong", "Gyeonghwanx", "Seonhyeokk", "KR-5512-90871", "20051217", "20240229", "000001.500000",
           "2024022900871", "02-555-0166", "hong@bergstern.example", "Banpodaerogil 222", "Byeolsanpyeong Hospital",
           "Namgungminsoo^Dohyunkk", "Jegalgongmyung^Riaxx", "KSN-771-22", "BYEOLCT2", ["", "ISO 2022 IR 149"],
           "洪^吉洞", "홍^길동"),
)  # fmt: skip


@dataclass
class Plants:
    """Hands out identifiers of one person in turn and counts where they went."""

    person: Person
    start: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._texts = self.person.texts()
        self._next = self.start

    def text(self) -> str:
        """The next careless text."""
        self._next += 1
        return self._texts[self._next % len(self._texts)]

    def value(self, vr: str) -> object:
        """A value of a VR that holds an identifier."""
        person, text = self.person, self.text()
        number = int("".join(filter(str.isdigit, person.patient_id))[:8])
        makers: dict[str, Callable[[], object]] = {
            "PN": lambda: person.name if self._next % 2 else person.physician,
            "DA": lambda: person.birth_date if self._next % 2 else person.study_date,
            "TM": lambda: person.study_time,
            "DT": lambda: person.study_date + person.study_time + ("+0200" if self._next % 2 else ""),
            "UI": lambda: self.uid(number),
            "AS": lambda: "087Y",
            "CS": lambda: text.upper().replace("^", "_").replace(".", "_").replace(",", "")[:16],
            "AE": lambda: person.station if self._next % 2 else person.family[:16],
            "SH": lambda: text[:16] if self._next % 2 else person.family,
            "LO": lambda: f"axial {text}"[:64],
            "UR": lambda: f"http://pacs.bergstern.example/{person.patient_id}/{person.family}",
            "DS": lambda: str(number),
            "IS": lambda: str(number),
            "UL": lambda: number, "SL": lambda: number, "UV": lambda: number, "SV": lambda: number,
            "FD": lambda: float(number), "FL": lambda: float(number),
            "US": lambda: number & 0x7FFF, "SS": lambda: number & 0x7FFF,
            "AT": lambda: number,
            "SQ": lambda: DicomSequence([self.code_item()]),
        }  # fmt: skip
        if vr in makers:
            return makers[vr]()
        if vr in ("OB", "OW", "UN", "OD", "OF", "OL", "OV"):
            return (text.encode("utf-8") + b"        ")[: (len(text.encode("utf-8")) + 8) // 8 * 8]
        return (
            f"Axial head without contrast. {text}; {self.text()} and {self.text()}. "
            + base64.b64encode(person.name.split("=")[0].encode()).decode()
        )

    def uid(self, number: int) -> str:
        """A UID with date, time and number of the patient, sometimes in the clothes of the standard's."""
        self._next += 1
        date = self.person.study_date
        root = "1.2.840.10008.5.1.4" if self._next % 9 == 0 else "1.2.826.0.1.99"
        return f"{root}.{date}.{int(self.person.study_time[:6])}.{number}.{self._next}"

    def stranger(self, vr: str) -> str:
        """A name that stands nowhere else, with or without words around it."""
        self._next += 1
        name = STRANGERS[self._next % len(STRANGERS)]
        if vr in ("CS", "SH", "AE"):
            return name.upper()[:16] if vr == "CS" else name[:16]
        return name if vr in ("UR", "PN") or self._next % 2 else f"Axial head {name} left"

    def code_item(self) -> Dataset:
        """A code whose parts all name somebody."""
        item = Dataset()
        item.CodeValue = self.person.patient_id[:16]
        item.CodingSchemeDesignator = "99LOCAL"
        item.CodeMeaning = self.text()[:64]
        item.CodingSchemeVersion = self.person.study_date
        item.PersonName = self.person.name
        item.LongCodeValue = self.text()
        return item

    def count(self, kind: str, number: int = 1) -> None:
        """Remember that identifiers went to a kind of place."""
        self.counts[kind] = self.counts.get(kind, 0) + number


#: Surnames that no other element of any object holds: only a closed vocabulary can find them.
STRANGERS = ("Vandersloothoek", "Hrabovecky", "Oyelaranjo", "Szczepankiewiczowa", "Ramanathapuram")

#: What makes an object readable; an identifier there makes another object, not a hiding place.
STRUCTURE = frozenset(
    tag_for_keyword(word)
    for word in (
        "SpecificCharacterSet", "SOPClassUID", "Modality", "PhotometricInterpretation", "PlanarConfiguration",
        "SamplesPerPixel", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
        "NumberOfFrames", "PixelData", "FloatPixelData", "DoubleFloatPixelData", "ExtendedOffsetTable",
        "ExtendedOffsetTableLengths", "LossyImageCompression", "BurnedInAnnotation", "ImageType", "SegmentationType",
        "RecognizableVisualFeatures", "PatientIdentityRemoved", "DeidentificationMethod",
        "DeidentificationMethodCodeSequence", "LongitudinalTemporalInformationModified", "EncapsulatedDocument",
        "MIMETypeOfEncapsulatedDocument", "ValueType",
    )
)  # fmt: skip


def dictionary_tags() -> list[tuple[int, str]]:
    """Every tag of the dictionary with its first VR, except for groups of files, commands and items."""
    return [
        (tag, entry[0].split(" or ")[0])
        for tag, entry in sorted(DicomDictionary.items())
        if tag >> 16 > 0x0006 and tag >> 16 < 0xFFFC and entry[0] != "NONE" and tag not in STRUCTURE
    ]


def element(tag: int, vr: str, value: object) -> DataElement:
    """An element whose value is not looked at."""
    return DataElement(Tag(tag), vr, value, already_converted=vr in ("IS", "DS"))


def vr_of(tag: int) -> str:
    """First VR of a tag in the dictionary."""
    return str(dictionary_VR(tag)).split(" or ")[0]


def make_writable(dataset: Dataset) -> None:
    """Values of VRs without a character set become the bytes of UTF-8, as a careless writer leaves them."""
    for found in dataset:
        if found.VR == "SQ":
            for item in found.value:
                make_writable(item)
        elif found.VR in ("AE", "CS", "UR", "IS", "DS", "UI") and isinstance(found.value, str):
            found._value = str(found.value).encode("utf-8").decode("latin-1")
