"""The compiler's process: what it hands back, and that nothing it does reaches the parent as an exception."""

from __future__ import annotations

import os
import select
import signal
import time

import pytest

from pyhad.common.codec import decode
from pyhad.common.config.model import (
    SCHEMA,
    CheckerDocument,
    Configuration,
    ControlDocument,
    DataPlane,
    IpvsDocument,
    ParentDocument,
    VrrpDocument,
)
from pyhad.common.log import LogSettings
from pyhad.common.states import ProcessName
from pyhad.parent.compiler import Compilation, Compile, Compiled, Outcome
from pyhad.parent.options import Options

ACCOUNT = ("nobody", 65534, 65534)
SILENT = LogSettings(console=False, syslog=False)


def configuration(generation: int, schema: int = SCHEMA) -> Configuration:
    return Configuration(
        parent=ParentDocument(schema=schema, generation=generation, vrrp=True, checker=False, down_interval_ns=3),
        vrrp=VrrpDocument(schema=schema, generation=generation, router_id="here", instances=()),
        checker=CheckerDocument(schema=schema, generation=generation, servers=()),
        ipvs=IpvsDocument(schema=schema, generation=generation, data_plane=DataPlane.AUTO, services=()),
        control=ControlDocument(
            schema=schema, generation=generation, router_id="here", files=(), instances=(), services=()
        ),
    )


def begin(compile_files: Compile) -> Compilation:
    return Compilation(compile_files, Options(config="/some.conf"), generation=5, account=ACCOUNT, log=SILENT)


def outcome_of(compile_files: Compile) -> Outcome:
    compilation = begin(compile_files)
    assert select.select([compilation.pidfd], [], [], 10)[0]
    return compilation.outcome()


def test_each_process_gets_its_own_document() -> None:
    def compile_files(options: Options, generation: int) -> Compiled:
        return Compiled(configuration=configuration(generation), report=f"read {options.config}\n", exit_status=0)

    outcome = outcome_of(compile_files)
    assert outcome.report == "read /some.conf\n"
    documents = outcome.documents
    assert documents is not None
    assert documents.parent == configuration(5).parent
    assert decode(VrrpDocument, documents.content(ProcessName.VRRP)) == configuration(5).vrrp
    assert decode(ControlDocument, documents.content(ProcessName.CONTROL)) == configuration(5).control
    assert set(documents.fds) == {
        ProcessName.VRRP, ProcessName.CHECKER, ProcessName.IPVS, ProcessName.CONTROL,
    }  # fmt: skip
    with pytest.raises(PermissionError):
        os.write(documents.fds[ProcessName.VRRP], b"x")
    documents.close()


def test_errors_leave_no_documents_but_a_report() -> None:
    def compile_files(options: Options, generation: int) -> Compiled:
        return Compiled(configuration=None, report="all wrong\n", exit_status=2, errors=3, first_error="a:1:2: wrong")

    outcome = outcome_of(compile_files)
    assert outcome.documents is None
    assert outcome.report == "all wrong\n"
    assert (outcome.summary.exit_status, outcome.summary.errors, outcome.summary.first_error) == (2, 3, "a:1:2: wrong")


def test_a_crash_of_the_compiler_is_a_refusal() -> None:
    def compile_files(options: Options, generation: int) -> Compiled:
        raise RuntimeError("bug")

    outcome = outcome_of(compile_files)
    assert outcome.documents is None
    assert outcome.summary.exit_status == 70
    assert outcome.report == "the configuration compiler crashed or took too long\n"


def test_a_compiler_that_hangs_can_be_killed() -> None:
    def compile_files(options: Options, generation: int) -> Compiled:
        signal.pause()
        raise AssertionError

    compilation = begin(compile_files)
    assert 30 < (compilation.limit_at_ns - time.monotonic_ns()) / 1e9 <= 60
    compilation.kill()
    assert select.select([compilation.pidfd], [], [], 10)[0]
    assert compilation.outcome().documents is None


def test_a_document_of_another_schema_is_refused() -> None:
    def compile_files(options: Options, generation: int) -> Compiled:
        return Compiled(configuration=configuration(generation, schema=99), report="", exit_status=0)

    outcome = outcome_of(compile_files)
    assert outcome.documents is None
    assert "schema 99 instead of 3" in outcome.report


@pytest.mark.parametrize("junk", [b"", b"\xc1", b"\x93\x01\x02\x03", b"x" * 70_000])
def test_junk_instead_of_a_summary_is_refused(junk: bytes) -> None:
    def compile_files(options: Options, generation: int) -> Compiled:
        for entry in os.listdir("/proc/self/fd"):
            path = f"/proc/self/fd/{entry}"
            if os.path.exists(path) and os.readlink(path).startswith("/memfd:pyhad_summary"):
                os.write(int(entry), junk)
        os._exit(0)

    outcome = outcome_of(compile_files)
    assert outcome.documents is None
    assert outcome.report.startswith("the configuration compiler left something unreadable: ")


def test_no_descriptor_is_left_behind() -> None:
    def compile_files(options: Options, generation: int) -> Compiled:
        return Compiled(configuration=configuration(generation), report="", exit_status=0)

    def bad(options: Options, generation: int) -> Compiled:
        return Compiled(configuration=None, report="", exit_status=2)

    before = len(os.listdir("/proc/self/fd"))
    for each in (compile_files, bad):
        documents = outcome_of(each).documents
        if documents is not None:
            documents.close()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to give up")
def test_the_compiler_runs_without_rights_but_to_read() -> None:
    def compile_files(options: Options, generation: int) -> Compiled:
        with open("/proc/self/status", encoding="ascii") as status:
            found = [line.split()[1] for line in status if line.startswith(("Uid:", "CapEff:", "CapBnd:"))]
        return Compiled(configuration=None, report=" ".join(found), exit_status=0)

    assert outcome_of(compile_files).report == "65534 0000000000000004 0000000000000004"
