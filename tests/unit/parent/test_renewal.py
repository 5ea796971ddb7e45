"""Documents that were in force, made again: the same but for their generation."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from pyhad.common.codec import encode
from pyhad.common.config.model import (
    CheckerDocument,
    Configuration,
    ControlDocument,
    DataPlane,
    IpvsDocument,
    ParentDocument,
    VrrpDocument,
)
from pyhad.common.errors import WireError
from pyhad.common.lifeline import write_memfd
from pyhad.common.states import ProcessName
from pyhad.parent.compiler import Documents
from pyhad.parent.options import Options
from pyhad.parent.renewal import NOT_CONFIRMED, renewing

KEPT = Configuration(
    parent=ParentDocument(schema=1, generation=4, vrrp=True, checker=False, down_interval_ns=3),
    vrrp=VrrpDocument(schema=1, generation=4, router_id="here", instances=()),
    checker=CheckerDocument(schema=1, generation=4, servers=()),
    ipvs=IpvsDocument(schema=1, generation=4, data_plane=DataPlane.AUTO, services=()),
    control=ControlDocument(schema=1, generation=4, router_id="here", files=("a",), instances=(), services=()),
)


def kept() -> Documents:
    parts = {
        ProcessName.VRRP: KEPT.vrrp,
        ProcessName.CHECKER: KEPT.checker,
        ProcessName.IPVS: KEPT.ipvs,
        ProcessName.CONTROL: KEPT.control,
    }
    return Documents(KEPT.parent, {name: write_memfd("kept", encode(part)) for name, part in parts.items()})


def test_every_part_is_the_same_under_the_new_generation_and_no_file_is_read() -> None:
    documents = kept()
    compiled = renewing(documents)(Options(config="/is/not/there"), 9)
    documents.close()
    assert compiled.report == NOT_CONFIRMED
    assert compiled.configuration == Configuration(
        parent=replace(KEPT.parent, generation=9),
        vrrp=replace(KEPT.vrrp, generation=9),
        checker=replace(KEPT.checker, generation=9),
        ipvs=replace(KEPT.ipvs, generation=9),
        control=replace(KEPT.control, generation=9),
    )


def test_a_part_that_cannot_be_read_is_an_error() -> None:
    documents = kept()
    os.truncate(documents.fds[ProcessName.IPVS], 5)
    with pytest.raises(WireError):
        renewing(documents)(Options(config="/is/not/there"), 9)
    documents.close()
