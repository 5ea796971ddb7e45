"""Names of iproute2, from folders made for the test."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyhad.common.config.name_tables import Names, NameTables


@pytest.fixture
def tables(tmp_path: Path) -> NameTables:
    """A vendor's folder and the machine's."""
    vendor, local = tmp_path / "usr", tmp_path / "etc"
    (local / "rt_tables.d").mkdir(parents=True)
    vendor.mkdir()
    (vendor / "rt_tables").write_text("100 lan\n101 dsl\n")
    (local / "rt_tables").write_text("# mine\n102 lan # not 100\n0x70 hex\nbroken line here\nx y\n")
    (local / "rt_tables.d" / "isp.conf").write_text("300 isp\n")
    (local / "rt_tables.d" / "ignored.txt").write_text("301 nobody\n")
    return NameTables(str(vendor), str(local))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("102", 102),
        ("0x66", 102),
        ("lan", 102),
        ("dsl", 101),
        ("hex", 112),
        ("isp", 300),
        ("main", 254),
        ("nobody", None),
        ("y", None),
        ("4294967296", None),
        ("12x", None),
    ],
)
def test_a_number_stands_for_itself_and_the_machine_s_names_win(
    tables: NameTables, text: str, number: int | None
) -> None:
    assert tables.number(Names.TABLE, text) == number


def test_what_is_everywhere_needs_no_file(tmp_path: Path) -> None:
    bare = NameTables(str(tmp_path), str(tmp_path))
    assert bare.number(Names.SCOPE, "link") == 253
    assert bare.number(Names.PROTOCOL, "keepalived") == 18
    assert bare.number(Names.SCOPE, "256") is None
    assert bare.where(Names.DSFIELD) == f"{tmp_path}/rt_dsfield"
