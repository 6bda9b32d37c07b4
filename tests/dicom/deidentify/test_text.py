"""What goes out of a text, and what stays."""

import re
import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cormack.dicom.deidentify.text import clean_text, contains_known, known_tokens
from cormack.dicom.deidentify.text_patterns import common_names, vocabulary

#: Descriptions that say nothing of a person, from the headers of several vendors; they must stay in both modes.
DESCRIPTIONS = """\
CT HEAD W/O CONTRAST 5.0 H30s
Head^Routine
HeadRoutine
1_HeadRoutine^Adult
Schädel nativ 5.0 J40s
Schaedel ohne KM
C-Spine L4/5 C1-C7
T2* axial 3mm
t1_mprage_sag_p2_iso
ep2d_diff_b1000
AX T1 POST
SAG FLAIR CUBE 1.5x1.5
1.5x0.5 512x512
CT ABD/PEL W/CONTRAST
LUNG 1.25 mm HRCT
Brain 0.5 CE
ThorRoutine 10.0 B40f
DR CHEST PA
MR HEAD
MR ANGIO
Reconstruction FC68 BONEPLUS
3.0mm AX. MPR
Scout/Topogram
Patient Protocol
Dose Report
CTA COW 0.6 H20f
CTA Head+Neck (arterial phase)
Crâne sans injection
Abdomen, portal venous, 3 mm
Head 5.0 MPR cor
Recon 2: 1.25MM BONE
kidney stone protocol
Thin Axial, 0.625 mm Std""".splitlines()

#: Texts of devices, which are swept.
DEVICES = r"""SIEMENS
SIEMENS HEALTHINEERS
GE MEDICAL SYSTEMS
Philips Medical Systems
TOSHIBA_MEC
Canon Medical Systems
Hitachi Medical Corporation
Hologic, Inc.
Agfa-Gevaert
NeuroLogica
Carl Zeiss Meditec
Picker International, Inc.
UIH
SOMATOM Definition AS+
SOMATOM go.Top
Sensation 64
Emotion 16 (2007)
Aquilion ONE
Aquilion PRIME SP
LightSpeed VCT
LightSpeed16
Revolution CT
Discovery CT750 HD
uCT 760
Ingenuity Core 128
Brilliance 64
IQon - Spectral CT
Mx8000 IDT 16
BodyTom
MAGNETOM Skyra fit
Ingenia Elition X
Biograph128_mCT
syngo CT 2012B
syngo CT VA50A
07MW18.4
V8.40ER004
V10.3SP0012
LX 25MR1 1234.5
26\LX\MR Software release:RX26.0_R03_1831.b
gmp_vct.28
sles_hde.161
3.6.7.18003
5.3.1.3
syngo MR E11
VA44A_SP2
H30s
J70h
FC68
BONEPLUS
Hr36f/3
I31f\3
YB
HELICAL MODE
BODY FILTER
HEAD 32Ch
HeadNeck_20
BO1,2;SP1-4
HE1-4;NE1,2
Sense-Head-8
FAST_GEMS\NPW\VB_GEMS
PFP\FS
*tfl3d1_16ns
Omnipaque 300
ISOVUE 370""".splitlines()


@pytest.mark.parametrize("text", DESCRIPTIONS)
def test_descriptions_stay(text: str) -> None:
    known = known_tokens(["Doe^John^A", "AB-123456", "19750412"], places=["St. Mary's Hospital, Head and Neck Clinic"])
    for vocabulary_only in (False, True):
        assert clean_text(text, known=known, vocabulary_only=vocabulary_only) == text
        assert clean_text(text, known=known, vocabulary_only=vocabulary_only, days=-100) == text


@pytest.mark.parametrize("text", DEVICES)
def test_devices_stay_in_a_sweep(text: str) -> None:
    assert clean_text(text) == text
    assert clean_text(f" {text} \0Doe^John") == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("CT HEAD John Doe 1975-04-12 tel 555-123-4567 for Dr. Miller", "CT HEAD"),
        ("Doe^John^A head", "head"),
        ("Thorax (Doe, J.) 5mm", "Thorax 5mm"),
        ("HEAD_DOE_5mm", "HEAD_5mm"),
        ("johndoe head", "head"),
        ("JDOE chest", "chest"),
        ("Herr Mueller Kopf CT", "Kopf CT"),
        ("DR MILLER CHEST", "CHEST"),
        ("MR SMITH CHEST", "CHEST"),
        ("Dr.Miller chest", "chest"),
        ("Prof. Dr. med. von der Leyen Thorax", "Thorax"),
        ("Dr. Stone kidney stone", "kidney stone"),
        ("Mrs Roe, head", "head"),
        ("Jane Roe MD head", "head"),
        ("Patient: Jane Roe, head CT", "head CT"),
        ("performed by Jane Roe", ""),
        ("MRN: 1234 head", "head"),
        ("pat. no. 4711 head", "head"),
        ("ID 12345 head", "head"),
        ("head 1234567", "head"),
        ("head AB1234567C", "head"),
        ("head 123-45-6789", "head"),
        ("head (555) 123-4567", "head"),
        ("head +49 711 1234567", "head"),
        ("head 0711/123456", "head"),
        ("head 01 23 45 67 89", "head"),
        ("head 943 476 5919", "head"),
        ("mail jane.roe@example.org head", "head"),
        ("see https://example.org/doe?id=5 head", "head"),
        ("head www.example.org", "head"),
        ("head 192.168.1.5", "head"),
        ("head 00:1B:44:11:3A:B7", "head"),
        ("head 1.2.840.113619.2.55.3.2831868886", "head"),
        ("head 6ba7b810-9dad-11d1-80b4-00c04fd430c8", "head"),
        ("head 123 Main Street, Boston, MA 02115", "head"),
        ("Hauptstraße 12a Kopf", "Kopf"),
        ("head 97 y.o.", "head"),
        ("head 95-year-old", "head"),
        ("95yo head", "head"),
        ("head SW1A 1AA", "head"),
        ("\\\\server\\share\\doe head", "head"),
        ("/home/doe/x head", "head"),
        ("head 2019-03-04T11:22:33Z", "head"),
        ("head 4. März 2019 um 11:22", "head"),
        ("head 04/03/2019", "head"),
        ("CT 12:30 head", "CT head"),
        ("head 11:22:33", "head"),
        ("head\u200bDoe", "head"),
        ("head\ue000\ue002 chest", "head chest"),
        ("head Müller", "head"),
        ("HEAD MUELLER", "HEAD"),
        ("head, Anna-Maria", "head"),
        ("", ""),
        ("  ", ""),
        ("\0head", ""),
        ("head\0Doe", "head"),
    ],
)
@pytest.mark.parametrize("vocabulary_only", [False, True])
def test_identifiers_go(text: str, left: str, vocabulary_only: bool) -> None:
    known = known_tokens(["Doe^John", "Müller^Hans"])
    assert clean_text(text, known=known, vocabulary_only=vocabulary_only) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("CT HEAD Zyxwv", "CT HEAD"),
        ("HEAD BROWN", "HEAD"),
        ("Li Wei head", "head"),
        ("head 山田太郎", "head"),
        ("голова Иванов head", "head"),
        ("seen with Smith", ""),
        ("slice 1234 head", "slice head"),
        ("study 2019 head", "study head"),
        ("phase 95, head", "phase 95, head"),
        ("CT of April", "CT"),
        ("head 1.2.3", "head"),
    ],
)
def test_only_the_vocabulary_stays(text: str, left: str) -> None:
    assert clean_text(text, vocabulary_only=True) == left


def test_dates_move_with_days() -> None:
    text = "CT HEAD John Doe 1975-04-12 11:22 tel 555-123-4567, compared with 4. März 2019 and 04/03/2019"
    for vocabulary_only in (False, True):
        left = clean_text(text, known=known_tokens(["Doe^John"]), vocabulary_only=vocabulary_only, days=-1)
        assert left.startswith("CT HEAD 1975-04-11 11:22")
        assert "3. März 2019" in left
        assert "/" not in left
    # A moved date of eight digits is no number of a person.
    assert clean_text("head 20190304", days=-1) == "head 20190303"
    assert clean_text("head 20190304112233", days=-1, vocabulary_only=True) == "head 20190303112233"


def test_known_tokens() -> None:
    known = known_tokens(
        ["O'Brien^Mary Ann=山田^太郎", "AB-123 456", "Ünal"], places=["Head Clinic Bargfeld, Station 1234"]
    )
    assert {"brien", "mary", "ann", "maryann", "annmary", "山田", "太郎", "ab123456", "unal", "uenal"} <= known
    assert {"bargfeld", "1234"} <= known
    assert "head" not in known
    assert known_tokens(["", "A", "12"]) == frozenset()
    assert known_tokens(["Li^Wu"]) >= {"li", "wu", "liwu"}
    # A person may be called like a word; then the word goes.
    assert clean_text("CT Head of Head", known=known_tokens(["Head^Jim"])) == "CT"


@pytest.mark.parametrize(
    "text",
    ["Doe", "x JOHN y", "DoeJohn", "john_doe", "xdoejohnx", "JDoe2", "nr 123456", "Jöhn", "ab123456", "山田太郎"],
)
def test_contains_known(text: str) -> None:
    assert contains_known(text, known_tokens(["Doe^John=山田^太郎", "AB123456"]))


def test_contains_known_is_not_too_eager() -> None:
    known = known_tokens(["Doe^John", "AB123456"])
    assert not contains_known("CT HEAD does 12345 johns", known)
    assert not contains_known("anything", frozenset())


LETTERS = st.text(string.ascii_letters, min_size=5, max_size=12)


@given(
    st.lists(LETTERS, min_size=1, max_size=3),
    st.from_regex(r"[A-Z]{0,3}\d{6,10}", fullmatch=True),
    st.dates(date(1900, 1, 2)),
    st.data(),
)
def test_planted_identifiers_never_survive(names, number, day, data) -> None:
    """Any name, number and date of a patient, anywhere between words of a description, in both modes."""
    name = "^".join(names)
    known = known_tokens([name, number, f"{day:%Y%m%d}"])
    forms = [name, " ".join(names), ", ".join(names), "_".join(names), "".join(names), names[0].upper(), number]
    forms += [f"{day:%Y%m%d}", f"{day:%d.%m.%Y}", f"{day:%Y-%m-%d}", f"#{number}:", f"x{number}y"]
    planted = data.draw(st.lists(st.sampled_from(forms), min_size=1, max_size=4))
    words = data.draw(st.lists(st.sampled_from([*DESCRIPTIONS, *DEVICES, "for", "Dr.", "tel"]), max_size=4))
    text = " ".join(data.draw(st.permutations([*planted, *words])))
    for vocabulary_only in (False, True):
        left = clean_text(text, known=known, vocabulary_only=vocabulary_only)
        squeezed = left.casefold()
        assert number.casefold() not in squeezed
        assert f"{day:%Y%m%d}" not in squeezed
        assert not any(part.casefold() in re.findall(r"[^\W_]+", squeezed) for part in names)
        assert not contains_known(left, known)


@given(st.text(max_size=80), st.booleans(), st.one_of(st.none(), st.integers(-3650, -1)))
def test_any_text_is_cleaned_without_a_crash_and_stably(text: str, vocabulary_only: bool, days: int | None) -> None:
    left = clean_text(text, vocabulary_only=vocabulary_only, days=days)
    assert len(left) <= len(text) + 20
    assert "\0" not in left
    if days is None:
        again = clean_text(left, vocabulary_only=vocabulary_only)
        assert len(again) <= len(left)


def test_word_lists() -> None:
    assert not vocabulary() & common_names()
    assert {"head", "contrast", "schadel", "schaedel", "axial"} <= vocabulary()
    assert not {"john", "smith", "miller", "march", "monday", "doe", "brown"} & vocabulary()
    assert all(word == word.casefold() and word.isalpha() for word in vocabulary())


@pytest.mark.parametrize(
    "text",
    [
        "x_219-09-9173_y",
        "a_10.217.43.199_b",
        "seen at 10.217.43.199. Then",
        "x_http://pacs.site.example/73518264_y",
        "x 29_02_2024 y",
        "on 09.07.1931; 23.04.2018 and later",
    ],
)
def test_identifiers_beside_underscores_and_full_stops_go(text: str) -> None:
    cleaned = clean_text(text)
    assert not any(part in cleaned for part in ("9173", "217", "pacs", "02", "07", "04", "18")), cleaned


def test_dates_in_a_row_are_all_moved() -> None:
    assert clean_text("09.07.1931; 23.04.2018.", days=-500) == "24.02.1930; 09.12.2016."


def test_known_numbers_are_found_with_other_marks_between_their_signs() -> None:
    known = known_tokens(["KSN-771-22", "73518264"])
    for text in (
        "Sensation 64 KSN-771-22",
        "Sensation 64 ksn 771.22",
        "Sensation 64 KSN_771_22",
        "Sensation 64 7351 8264",
    ):
        assert clean_text(text, known=known) == "Sensation 64"
        assert contains_known(text, known)
    assert clean_text("Sensation 64 771", known=known) == "Sensation 64 771"


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    *DESCRIPTIONS,
                    *DEVICES,
                    "for",
                    "Dr.",
                    "tel",
                    "Doe",
                    "J.",
                    "25/03/2019",
                    "Mon, 4 Mar 2019",
                    "12",
                    "555",
                    "-",
                ]
            ),
            st.text("ab CTD1290^-_/.,:()", max_size=8),
        ),
        max_size=8,
    ),
    st.booleans(),
    st.sampled_from([None, 0, -20, -400]),
)
def test_a_clean_text_stays(parts, vocabulary_only, days) -> None:
    """A second run over its own result changes nothing; under modified dates it moves by no days."""
    known = known_tokens(["Doe^John", "AB-1234"])
    left = clean_text(" ".join(parts), known=known, vocabulary_only=vocabulary_only, days=days)
    again = None if days is None else 0
    assert clean_text(left, known=known, vocabulary_only=vocabulary_only, days=again) == left
