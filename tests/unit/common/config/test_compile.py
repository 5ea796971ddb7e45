"""The whole way: files to documents, exit statuses, the sample that uses every block."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyhad.common.codec import decode
from pyhad.common.config.compile import (
    CompileOptions,
    compile_configuration,
    compile_text,
    encode_documents,
    exit_status,
)
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.diagnostics import render
from pyhad.common.config.grammar import parse
from pyhad.common.config.model import CheckerDocument, ControlDocument, IpvsDocument, ParentDocument, VrrpDocument
from pyhad.common.config.reader import ReaderOptions, read
from pyhad.common.config.source import Severity, Trouble
from pyhad.common.config.tree import Statement

Compile = Callable[..., Any]
DATA = Path(__file__).parents[3] / "data"
OPTIONS = CompileOptions(config_id="node1")


def test_the_sample_that_uses_every_block_has_no_error() -> None:
    result = compile_configuration(str(DATA / "everything.conf"), OPTIONS)
    assert [one for one in result.diagnostics if one.severity is Severity.ERROR] == []
    assert result.configuration is not None
    names = [one.name for one in result.configuration.vrrp.instances]
    assert names == ["VI_plain", "VI_v3", "VI_vmac", "VI_unicast", "VI_ipv6"]
    assert result.configuration.control.services == ("192.0.2.100:443/tcp", "group:WEB/udp", "fwmark:3/inet6")


def test_the_sample_uses_every_block_of_the_list() -> None:
    listed = (Path(__file__).parent / "keywords.txt").read_text(encoding="utf-8").splitlines()
    wanted = {line.split(" ", 1)[0] for line in listed}
    wanted.remove("vrrp_instance.virtual_ipaddress_excluded.ADDR")  # shares the options of virtual_ipaddress
    wanted.remove("global_defs.include_check")  # its words carry a sign: `include_check +match`
    root = parse(read(str(DATA / "everything.conf"), ReaderOptions(config_id="x")).lines, Complaints())
    assert wanted - set(_blocks(root)) == set()


def _blocks(statement: Statement) -> Iterator[str]:
    keyword = statement.keyword
    yield keyword.block
    if keyword.opens and statement.children:
        yield keyword.opens
    if keyword.options and (statement.options or len(statement.line.words) > 2):
        yield keyword.options
    for child in statement.children:
        yield from _blocks(child)


@pytest.mark.parametrize("name", sorted(path.stem for path in (DATA / "broken").glob("*.conf")))
def test_the_messages_about_a_broken_file_are_these(name: str) -> None:
    path = DATA / "broken" / f"{name}.conf"
    result = compile_configuration(str(path), OPTIONS)
    shown = render(result.diagnostics, False, result.files).replace(f"{path.parent}/", "")
    assert (result.configuration is None) is (path.stem != "bom")
    assert shown == path.with_suffix(".txt").read_text(encoding="utf-8")


def test_each_process_can_decode_its_document() -> None:
    result = compile_configuration(str(DATA / "everything.conf"), CompileOptions(config_id="n", generation=7))
    assert result.configuration is not None
    frames = encode_documents(result.configuration)
    assert decode(ParentDocument, frames["parent"]) == result.configuration.parent
    assert decode(VrrpDocument, frames["vrrp"]) == result.configuration.vrrp
    assert decode(CheckerDocument, frames["checker"]) == result.configuration.checker
    assert decode(IpvsDocument, frames["ipvs"]) == result.configuration.ipvs
    assert decode(ControlDocument, frames["control"]) == result.configuration.control
    assert decode(VrrpDocument, frames["vrrp"]).generation == 7


def test_no_secret_leaves_in_a_document_or_a_diagnostic() -> None:
    result = compile_configuration(str(DATA / "everything.conf"), OPTIONS)
    assert result.configuration is not None
    documents = {name: one.decode("latin-1") for name, one in encode_documents(result.configuration).items()}
    vrrp = documents.pop("vrrp")  # it alone has to use the password and the key
    everything = "".join(documents.values()) + repr(result.diagnostics) + repr(result.configuration)
    for secret, packed in (("hunter22", "hunter22"), ("000102030405", "\x00\x01\x02\x03\x04\x05")):
        assert packed in vrrp
        assert secret not in everything
        assert packed not in everything
    checker = documents.pop("checker")  # it alone has to use the key
    for secret in ("very secret", "PRIVATE KEY"):
        assert secret in checker
        assert secret not in "".join(documents.values()) + repr(result.diagnostics) + repr(result.configuration)


def test_globals_reach_their_documents(compiled: Compile) -> None:
    text = "instance blue\nchild_wait_time 9\nglobal_defs {\n lvs_flush\n vrrp_startup_delay 1.5\n}\n"
    configuration = compiled(text, generation=3).result.configuration
    assert configuration.parent == ParentDocument(
        schema=3,
        generation=3,
        vrrp=False,
        checker=False,
        down_interval_ns=0,
        child_wait_ns=9_000_000_000,
        daemon="blue",
        processes=configuration.parent.processes,
    )
    assert [one.name for one in configuration.parent.processes] == ["parent", "vrrp", "checker"]
    assert configuration.ipvs.flush_at_start
    assert configuration.vrrp.startup_delay_ns == 1_500_000_000
    assert configuration.vrrp.router_id == "node1"


def test_halves_that_the_command_line_leaves_out_are_checked_but_not_run() -> None:
    path = str(DATA / "everything.conf")
    without_vrrp = compile_configuration(path, CompileOptions(config_id="n", vrrp=False)).configuration
    without_checker = compile_configuration(path, CompileOptions(config_id="n", checker=False)).configuration
    assert without_vrrp is not None
    assert without_checker is not None
    assert (without_vrrp.parent.vrrp, without_vrrp.parent.checker) == (False, True)
    assert (without_checker.parent.vrrp, without_checker.parent.checker) == (True, False)
    assert without_checker.checker.servers == ()


@pytest.mark.behaviour("CLI-37")
def test_a_missing_file_is_one_error_and_status_6(tmp_path: Path) -> None:
    result = compile_configuration(str(tmp_path / "none.conf"), OPTIONS)
    assert [one.trouble for one in result.diagnostics] == [Trouble.FILE_NOT_FOUND]
    assert result.configuration is None
    assert (exit_status(result, testing=True), exit_status(result, testing=False)) == (6, 6)


@pytest.mark.behaviour("PROC-20")
@pytest.mark.parametrize(
    ("text", "testing", "daemon"),
    [
        ("global_defs { router_id x }", 0, 0),
        ("global_defs { smtp_alert }", 0, 0),
        ("global_defs { router_id a b }", 5, 0),
        ("nonsense", 5, 2),
        ("global_defs { router_id }", 2, 2),
    ],
)
def test_exit_status_of_test_and_daemon(text: str, testing: int, daemon: int) -> None:
    result = compile_text(text, "t.conf", OPTIONS)
    assert (exit_status(result, testing=True), exit_status(result, testing=False)) == (testing, daemon)


def test_a_missing_interface_alone_is_status_4(instance: Compile) -> None:
    result = instance(interfaces=frozenset({"lo"})).result
    assert exit_status(result, testing=True) == 4
    assert exit_status(result, testing=False) == 0


def test_configuration_is_none_exactly_when_there_is_an_error(compiled: Compile) -> None:
    assert compiled("global_defs { router_id a b }").result.configuration is not None
    assert compiled("global_defs { version 9 }").result.configuration is None


def test_200_services_of_10_servers_compile_well_below_a_second_of_processor_time() -> None:
    real = "".join(
        f" real_server 10.1.0.{n} 80 {{\n  HTTP_GET {{\n   url {{\n    path /\n   }}\n   retry 2\n  }}\n }}\n"
        for n in range(1, 11)
    )
    text = "".join(
        f"virtual_server 10.0.{n}.1 80 {{\n lb_algo rr\n lb_kind NAT\n protocol TCP\n{real}}}\n" for n in range(200)
    )
    begin = time.process_time()
    result = compile_text(text, "t.conf", OPTIONS)
    assert result.configuration is not None
    assert len(result.configuration.checker.servers) == 2000
    assert time.process_time() - begin < 2


def test_one_mistake_in_200_000_lines_is_found_and_one_that_stands_often_fills_no_screen() -> None:
    good = "vrrp_script s {\n script /bin/true\n}\n" + "# a comment\n" * 199_997
    assert good.count("\n") == 200_000
    [error] = [
        one for one in compile_text(good + "vrrp_instace X {\n}\n", "t.conf", OPTIONS).diagnostics
        if one.severity is Severity.ERROR
    ]  # fmt: skip
    assert (error.at.line, error.hint) == (200_001, "did you mean 'vrrp_instance'?")
    flood = compile_text("rooter_id left\n" * 2_000, "t.conf", OPTIONS)
    assert len(flood.diagnostics) == 2_000
    assert len(render(flood.diagnostics, False, flood.files)) < 2000
