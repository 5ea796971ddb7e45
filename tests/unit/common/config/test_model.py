"""Row by row through to the model: a default that is written changes nothing, and a range holds where values are read.

The files are the frames of `tests/lab/config_files.py`: each block of the language in a valid file, one line replaced.
"""

from __future__ import annotations

import re

from pyhad.common.config.arguments import Kind
from pyhad.common.config.compile import CompileOptions, CompileResult, compile_text
from pyhad.common.config.keyword import LOUD, NOW, Form, Keyword
from pyhad.common.config.keywords import TABLE
from pyhad.common.config.source import Severity, Trouble
from tests.lab.config_files import beyond, fitting, frames

FRAMES = frames()
OPTIONS = CompileOptions(config_id="node1", interfaces=frozenset({"lo", "eth0", "eth1"}))


def compiled(block: str, line: str) -> CompileResult:
    return compile_text(FRAMES[block].replace("@@", f"{line}\n"), "t.conf", OPTIONS)


def plain_rows() -> list[Keyword]:
    """Those that stand on a line of their own with one value at the most."""
    return [
        row
        for (block, _), row in TABLE.items()
        if block in FRAMES and row.form is Form.KEYWORD and len(row.arguments) <= 1
    ]


def findings(result: CompileResult) -> list[str]:
    """What it says of the words themselves, not of what is not acted on yet."""
    counted = (one for one in result.diagnostics if one.severity is not Severity.NOTE)
    return [one.message for one in counted if one.trouble is not Trouble.NOT_YET]


def written_defaults() -> list[Keyword]:
    """Those whose default is a word that can be written; `NOT_WORDS` only describe it. Warnings are in the model."""
    rows = [row for row in plain_rows() if row.arguments and _WORD.fullmatch(row.default) and row.acts is not LOUD]
    return [row for row in rows if row.default not in NOT_WORDS and (row.block, row.name) not in SET_BY_THE_FRAME]


_WORD = re.compile(r"[A-Za-z0-9./:_-]+")
NOT_WORDS = ("-", "none", "required", "any", "unset", "unlimited", "all", "interval", "virtualhost", "auto-detect")
SET_BY_THE_FRAME = {
    ("virtual_server", "lb_algo"),
    ("virtual_server", "lvs_sched"),
    ("global_defs", "nftables_ipvs"),  # the default is the table of the word without a name
    ("global_defs", "nftables_ipvs_priority"),  # ignored without it, with a warning
    ("global_defs", "nftables_ipvs_start_fwmark"),
    ("global_defs", "process_monitor_rcv_bufs_force"),  # our own default size is forced; a size that is given is not
    # Without a regex it is ignored, with a warning.
    ("virtual_server.real_server.HTTP_GET.url", "regex_min_offset"),
    ("virtual_server.real_server.SSL_GET.url", "regex_min_offset"),
}
OUT_OF_RANGE_BUT_OFF = {
    # The default is what holds when the word is not there; written, it is out of the word's range.
    "vrrp_rt_priority", "checker_rt_priority", "bfd_rt_priority", "vrrp_garp_interval", "vrrp_gna_interval",
    "vrrp_startup_delay", "vrrp_delay_after_boot", "delay", "terminate_delay", "fork_delay",
}  # fmt: skip


def test_a_default_that_is_written_changes_nothing_in_the_model() -> None:
    rows = written_defaults()
    changed, refused = [], set()
    for row in rows:
        without, written = compiled(row.block, "#"), compiled(row.block, f"{row.name} {row.default}")
        assert without.configuration is not None, row
        if written.configuration is None:
            refused.add(row.name)
        elif written.configuration != without.configuration:
            changed.append(f"{row.block} {row.name} {row.default}")
    assert changed == []
    assert refused - OUT_OF_RANGE_BUT_OFF == REFUSED
    assert len(rows) > 110


def test_another_value_than_the_default_does_change_it() -> None:
    """Or the test before would prove nothing: of what acts, a value at the end of its range is in the model."""
    same = []
    for row in written_defaults():
        if row.acts is not NOW or row.arguments[0].kind not in NUMBERS:
            continue
        written = [compiled(row.block, f"{row.name} {value}") for value in fitting(row, row.arguments[0])]
        without = compiled(row.block, "#").configuration
        if all(one.configuration in (without, None) for one in written):
            same.append(f"{row.block} {row.name}")
    assert same == WITHOUT_EFFECT_ALONE


def test_what_is_outside_a_range_is_said_and_what_is_inside_is_not() -> None:
    unsaid, said = [], []
    for row in plain_rows():
        for argument in row.arguments:
            for value in beyond(argument):
                if not findings(compiled(row.block, f"{row.name} {value}")):
                    unsaid.append(f"{row.block} {row.name} {value}")
            for value in fitting(row, argument) if argument.kind in NUMBERS else ():
                result = compiled(row.block, f"{row.name} {value}")
                if any(one.trouble is Trouble.INVALID_VALUE for one in result.diagnostics):
                    said.append(f"{row.block} {row.name} {value}")
    assert unsaid == []
    assert said == BOUND_BY_ANOTHER_WORD


NUMBERS = (Kind.NUMBER, Kind.SECONDS, Kind.MILLISECONDS, Kind.MARK)
REFUSED = {
    # The default is described by the word that holds instead.
    "vrrp_garp_lower_prio_delay", "vrrp_garp_lower_prio_repeat", "strict_mode", "garp_extra_if", "require_reply",
}  # fmt: skip
WITHOUT_EFFECT_ALONE = [
    "global_defs smtp_connect_timeout",  # there is nobody to send mail to
    "global_defs startup_script_timeout",  # there is no script
    "global_defs shutdown_script_timeout",
    "virtual_server connect_timeout",  # the only server has no check
    "virtual_server delay_loop",
]
BOUND_BY_ANOTHER_WORD = [
    "vrrp_instance advert_int 0.01",  # version 2, which the frame has, knows whole seconds
    "virtual_server.real_server.UDP_CHECK min_reply_length 65535",  # max_reply_length is 255 unless given
]
