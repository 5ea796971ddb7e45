"""Which processes count, and how many there are after births, ends and looks."""

from __future__ import annotations

import pytest

from pyhad.common.config.model.tracking import ParamMatch, TrackProcess
from pyhad.common.scripts.census import Census, Description, is_of_kind

NAME = TrackProcess(name="web", argv=("nginx",))


def line(*argv: str, match: ParamMatch) -> TrackProcess:
    return TrackProcess(name="p", argv=argv, param_match=match)


@pytest.mark.behaviour("TRK-40")
def test_a_name_is_compared_by_its_first_fifteen_characters_and_a_path_by_its_last_part() -> None:
    long = TrackProcess(name="p", argv=("a-name-of-twenty-xyz",))
    assert is_of_kind(long, Description("a-name-of-twent"))
    assert not is_of_kind(long, Description("a-name-of-twen"))
    assert is_of_kind(TrackProcess(name="p", argv=("/usr/sbin/nginx",)), Description("nginx"))
    assert not is_of_kind(NAME, Description("nginx-debug", ("nginx",)))


@pytest.mark.behaviour("TRK-40")
@pytest.mark.parametrize(
    ("match", "wanted", "given", "same"),
    [
        (ParamMatch.EXACT, ("a", "10"), ("a", "10"), True),
        (ParamMatch.EXACT, ("a", "10"), ("a", "10", "7"), False),
        (ParamMatch.EXACT, ("a",), ("a",), True),
        (ParamMatch.EXACT, ("a",), ("a", "6"), False),
        (ParamMatch.PARTIAL, ("a", "10"), ("a", "10", "7"), True),
        (ParamMatch.PARTIAL, ("a", "10"), ("a", "103"), False),
        (ParamMatch.INITIAL, ("a", "10"), ("a", "103"), True),
        (ParamMatch.INITIAL, ("a", "10"), ("a", "10", "7"), True),
        (ParamMatch.INITIAL, ("a", "10"), ("a", "6"), False),
        (ParamMatch.INITIAL, ("a", "5", "1"), ("a", "55", "1"), False),
        (ParamMatch.INITIAL, ("a", "10"), ("a",), False),
        (ParamMatch.INITIAL, ("a",), ("a", "6"), True),
        (ParamMatch.EXACT, ("/x/a", "10"), ("./a", "10"), False),
        (ParamMatch.EXACT, ("a", "10"), (), False),
    ],
)
def test_command_lines_are_compared_as_param_match_says(
    match: ParamMatch, wanted: tuple[str, ...], given: tuple[str, ...], same: bool
) -> None:
    assert is_of_kind(line(*wanted, match=match), Description("a", given)) is same


@pytest.mark.behaviour("TRK-40")
def test_full_command_compares_the_program_as_it_was_called_whatever_its_parameters() -> None:
    whole = TrackProcess(name="p", argv=("/usr/sbin/nginx",), full_command=True)
    assert is_of_kind(whole, Description("nginx", ("/usr/sbin/nginx", "-g", "x")))
    assert not is_of_kind(whole, Description("nginx", ("nginx",)))


def test_a_child_counts_as_its_parent_until_it_becomes_another_program() -> None:
    census = Census((NAME,))
    census.looked(10, Description("nginx"))
    census.born(10, 11)
    census.born(5, 6)
    assert census.counts == {"web": 2}
    census.looked(11, Description("sh"))
    census.ended(6)
    assert census.counts == {"web": 1}
    census.ended(10)
    assert census.counts == {"web": 0}


def test_who_ends_twice_or_is_seen_twice_counts_once() -> None:
    census = Census((NAME, TrackProcess(name="same", argv=("nginx",))))
    census.looked(10, Description("nginx"))
    census.looked(10, Description("nginx"))
    census.ended(11)
    assert census.counts == {"web": 1, "same": 1}
    census.looked(10, None)
    census.ended(10)
    assert census.counts == {"web": 0, "same": 0}


def test_a_whole_look_forgets_whom_it_did_not_see_but_not_who_was_born_meanwhile() -> None:
    census = Census((NAME,))
    for pid in (10, 11):
        census.looked(pid, Description("nginx"))
    census.begin_look()
    census.looked(10, Description("nginx"))
    census.born(10, 12)
    census.end_look()
    assert census.counts == {"web": 2}
    assert (census.is_known(11), census.is_known(12)) == (False, True)
