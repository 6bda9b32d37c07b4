import pytest

from cormack.core.errors import InputError
from cormack.files.label_tables import COLORS, read_label_table


def test_names_colours_and_background(tmp_path):
    path = tmp_path / "dseg.tsv"
    path.write_text(
        "index\tname\tabbreviation\tcolor\n0\tbackground\tbg\t#000000\n3\tthalamus\tTha\t#ff8000\n9\tpons\t\t\n"
    )
    table = read_label_table(path)
    assert [label.index for label in table] == [3, 9]
    assert (table[3].abbreviation, table[3].color) == ("Tha", (255, 128, 0))
    assert (table["pons"].abbreviation, table["pons"].color) == ("pons", COLORS[9 % 7])


@pytest.mark.parametrize(
    "text",
    [
        "", "index,name\n1,a\n", "index\tname\nx\ta\n", "index\tname\n1\n", "index\tname\n1\t\n",
        "index\tname\tcolor\n1\ta\t#12\n", "index\tname\n1\ta\n1\tb\n", "index\tname\n-1\ta\n",
    ],
)  # fmt: skip
def test_what_is_no_table(text, tmp_path):
    (tmp_path / "t.tsv").write_text(text)
    if text:
        with pytest.raises(InputError):
            read_label_table(tmp_path / "t.tsv")
    else:
        assert len(read_label_table(tmp_path / "t.tsv")) == 0
    with pytest.raises(InputError, match="table of labels"):
        read_label_table(tmp_path / "missing.tsv")
