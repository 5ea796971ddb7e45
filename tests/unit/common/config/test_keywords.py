"""The keyword table: complete, consistent, and the source of hints."""

from __future__ import annotations

from pathlib import Path

from pyhad.common.config.keyword import Form
from pyhad.common.config.keywords import ROOT, TABLE, VOCABULARIES, blocks_with

LISTED = [
    tuple(line.split(" ", 1))
    for line in (Path(__file__).parent / "keywords.txt").read_text(encoding="utf-8").splitlines()
]


def test_the_list_holds_819_rows() -> None:
    assert len(LISTED) == 819


def test_every_keyword_of_keepalived_is_in_the_table() -> None:
    assert [(block, name) for block, name in LISTED if (block, name) not in TABLE] == []


def test_only_a_few_words_are_our_own_and_those_say_so() -> None:
    ours = [(block, name) for block, name in TABLE if not block.endswith(".PYHAD_GRPC_CHECK")]
    own = {name for block, name in ours if (block, name) not in set(LISTED) and not TABLE[block, name].placeholder}
    own_words = {"pyhad_data_plane", "pyhad_metrics", "pyhad_masquerade", "pyhad_put_back", "pyhad_realtime"}
    own_words |= {"pyhad_vip_lease", "pyhad_slow_start", "pyhad_panic_threshold", "pyhad_checker_workers"}
    own_words |= {"pyhad_resolve_interval"}
    own_words |= {"pyhad_smtp_security", "pyhad_smtp_login"}
    own_words |= {"pyhad_method", "pyhad_header", "pyhad_body", "pyhad_http2", "PYHAD_GRPC_CHECK"}
    own_words |= {"pyhad_max_latency", "pyhad_latency_warning", "pyhad_certificate_warning"}
    assert own == own_words | {"reverse", "noreverse", "overwrite"}


def test_every_alias_names_a_keyword_of_the_same_block() -> None:
    for (block, name), row in TABLE.items():
        assert not row.alias_of or (block, row.alias_of) in TABLE, (block, name)


def test_everything_that_opens_or_has_options_names_a_known_block() -> None:
    for row in TABLE.values():
        assert row.opens in VOCABULARIES, row
        assert not row.options or row.options in VOCABULARIES, row
        assert row.form is not Form.BLOCK or row.opens, row


def test_only_the_last_argument_takes_many_words_and_optional_ones_come_last() -> None:
    for row in TABLE.values():
        assert not any(argument.many for argument in row.arguments[:-1]), row
        optional = [argument.optional for argument in row.arguments]
        assert optional == sorted(optional), row


def test_a_mistyped_word_finds_its_neighbour() -> None:
    assert VOCABULARIES["vrrp_instance"].nearest("virtual_ipadress") == "virtual_ipaddress"
    assert VOCABULARIES["vrrp_instance"].nearest("xyzzy") == ""


def test_a_word_of_another_block_is_found_there() -> None:
    assert list(blocks_with("lb_algo")) == ["virtual_server"]
    assert ROOT in list(blocks_with("vrrp_instance"))
