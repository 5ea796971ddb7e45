"""How `bench.failover` reads what an observer wrote, and gathers what several runs gave."""

from __future__ import annotations

from pathlib import Path

from bench.failover.picture import draw
from bench.failover.results import Run, append, cells_of, read, table
from bench.failover.sight import Sight

PAIRS = ("keepalived/keepalived", "pyhad/pyhad")


def sight(*lines: str) -> Sight:
    made = Sight()
    made.take(["0 looks", *lines])
    return made


def run(fault: str = "link cut", pair: str = "pyhad/pyhad", gap_ms: float = 20.4, **others: object) -> Run:
    fields = {"both_ms": 0.0, "for_ever": False, "transitions": 0, "setting": "v2 1000 ms", **others}
    return Run(fault=fault, pair=pair, gap_ms=gap_ms, **fields)  # type: ignore[arg-type]


def test_a_gap_counts_from_the_last_reply_before_the_span_to_its_end() -> None:
    seen = sight("90 reply", "130 reply", "140 reply", "300 reply")
    assert seen.longest_gap_ns(100, 150) == 40
    assert seen.longest_gap_ns(131, 250) == 110
    assert sight().longest_gap_ns(100, 150) == 50


def test_two_holders_are_counted_while_both_have_the_address() -> None:
    seen = sight("10 came a", "20 came a", "120 came b", "150 went a", "160 came a", "165 went b")
    assert seen.both_ns(100, 200) == (35, False)
    assert seen.both_ns(100, 162) == (32, True)
    assert seen.holders() == ["a"]


def test_who_holds_it_before_the_span_counts_within_it_only() -> None:
    assert sight("10 came a", "20 came b").both_ns(100, 130) == (30, True)


def test_a_change_of_the_master_is_what_a_backup_would_take_for_one() -> None:
    orderly = sight("0 heard A 150", "90 heard A 150", "110 heard A 0", "120 heard B 100", "130 heard B 100")
    assert orderly.transitions(100, 200, 30) == 1
    silent = sight("90 heard A 150", "150 heard B 100", "160 heard A 1", "161 heard B 100", "170 heard A 150")
    assert silent.transitions(100, 200, 30) == 2
    assert silent.transitions(100, 165, 30) == 1
    assert silent.transitions(155, 200, 30) == 1


def test_runs_of_several_programs_meet_in_one_file(tmp_path: Path) -> None:
    file = tmp_path / "runs.json"
    for gap_ms in (20.4, 30.6, 10.0):
        append(file, run(gap_ms=gap_ms, both_ms=gap_ms, transitions=1))
    append(file, run(pair="keepalived/keepalived", gap_ms=3000.0, for_ever=True))
    cells = cells_of(read([file]))
    assert table(cells, "v2 1000 ms", ["orderly stop", "link cut"], PAIRS).splitlines() == [
        "| v2 1000 ms | keepalived/keepalived | pyhad/pyhad |",
        "|---|---|---|",
        "| link cut | 3000 (3000) +ever | 20 (31) +20 (31) *1 (1) |",
        "",
        "Runs of each cell: 1 to 3.",
    ]
    picture = draw(cells, "v2 1000 ms", ["orderly stop", "link cut"])
    assert picture.count("<rect") == 4  # two of them in the legend
    assert "orderly stop" not in picture
