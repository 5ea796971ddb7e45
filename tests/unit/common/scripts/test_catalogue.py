"""A helper with a catalogue does nothing but what the configuration names, and believes only the parent's documents."""

from __future__ import annotations

import fcntl
import os

import pytest

from pyhad.common.codec import encode
from pyhad.common.config.model import SCHEMA, CheckedServer, CheckerDocument, FileCheck, MiscCheck, Timing
from pyhad.common.config.model.alerts import ToldServer, ToldService
from pyhad.common.config.model.tracking import Fifo, Program, TrackFile
from pyhad.common.errors import WireError
from pyhad.common.scripts.catalogue import catalogue_from, catalogue_of
from pyhad.common.scripts.orders import Check, Finish, Follow, Mail, OpenFifo, Order, Rules, Tell

CHECK, UP, QUORUM, OTHER = (Program(argv=(f"/{name}",)) for name in ("check", "up", "quorum", "other"))
AS_ROOT = Program(argv=("/check",), uid=0, gid=4)
FILE, FIFO = TrackFile(name="load", path="/load"), Fifo(path="/fifo")
DOCUMENT = CheckerDocument(
    schema=SCHEMA, generation=3, fifos=(FIFO,),
    servers=(
        CheckedServer(
            service="s", server="r", address="10.0.0.1", port=1, weight=1, alpha=False,
            checks=(
                MiscCheck(program=CHECK, timeout_ns=1, dynamic=False, timing=Timing(), alpha=False),
                FileCheck(file=FILE, weight=1, timing=Timing()),
            ),
        ),
    ),
    told=(ToldService(service="s", name="S", down=QUORUM, servers=(ToldServer(server="r", name="R", up=UP),)),),
)  # fmt: skip
SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK


@pytest.mark.parametrize(
    ("order", "allowed"),
    [
        (Check(ticket=1, program=CHECK, timeout_ns=1), True),
        (Check(ticket=1, program=OTHER, timeout_ns=1), False),
        (Check(ticket=1, program=AS_ROOT, timeout_ns=1), False),
        (Tell(key="k", programs=(UP, QUORUM), timeout_ns=1), True),
        (Tell(key="k", programs=(UP, OTHER), timeout_ns=1), False),
        (OpenFifo(fifo=FIFO), True),
        (OpenFifo(fifo=Fifo(path="/etc/cron.d/x")), False),
        (Follow(files=(FILE,), initialize=True), True),
        (Follow(files=(TrackFile(name="load", path="/etc/shadow"),), initialize=False), False),
        (Mail(subject="s", body="b", at_s=0), True),
        (Finish(), True),
        (Rules(script_security=False, keep_links=False), False),
    ],
)
def test_only_what_is_named_is_allowed(order: Order, allowed: bool) -> None:
    assert catalogue_of(DOCUMENT).allows(order) is allowed


def memfd(content: bytes, seals: int) -> int:
    fd = os.memfd_create("document", os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def test_a_sealed_document_of_our_own_user_is_taken() -> None:
    fd = memfd(encode(DOCUMENT), SEALS)
    assert catalogue_from(fd) == catalogue_of(DOCUMENT)
    os.close(fd)


@pytest.mark.parametrize("seals", [0, fcntl.F_SEAL_WRITE, SEALS & ~fcntl.F_SEAL_WRITE])
def test_a_document_that_could_still_be_changed_is_refused(seals: int) -> None:
    fd = memfd(encode(DOCUMENT), seals)
    with pytest.raises(WireError, match="did not make"):
        catalogue_from(fd)
    os.close(fd)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user to forge with")
def test_a_document_that_somebody_without_rights_made_is_refused() -> None:
    ours, theirs = os.pipe()
    fd = memfd(encode(DOCUMENT), SEALS)
    os.fchown(fd, 65534, 65534)
    with pytest.raises(WireError, match="did not make"):
        catalogue_from(fd)
    for one in (fd, ours, theirs):
        os.close(one)


def test_what_is_no_document_is_refused() -> None:
    fd = memfd(b"\xff" * 40, SEALS)
    with pytest.raises(WireError):
        catalogue_from(fd)
    os.close(fd)
    with pytest.raises(WireError, match="no sealed document"):
        catalogue_from(-1)
    pipe = os.pipe()
    with pytest.raises(WireError, match="no sealed document"):
        catalogue_from(pipe[0])
    for one in pipe:
        os.close(one)
