"""Where a daemon lives among those of one machine."""

from __future__ import annotations

import pytest

from pyhad.common.config.model import ParentDocument
from pyhad.common.config.model.process import DaemonSettings
from pyhad.parent.options import Options
from pyhad.parent.setup import daemon_key
from pyhad.parent.starting import in_place


def document(daemon: str = "", namespace: str = "") -> ParentDocument:
    return ParentDocument(
        schema=1, generation=1, vrrp=True, checker=False, down_interval_ns=0, daemon=daemon,
        settings=DaemonSettings(namespace=namespace),
    )  # fmt: skip


@pytest.mark.behaviour("PROC-2", "CLI-22")
def test_a_name_and_a_namespace_tell_daemons_apart() -> None:
    assert daemon_key("", document()) == ""
    assert daemon_key("", document("left")) == "left"
    assert daemon_key("", document("left", "blue")) == "blue_left"
    assert daemon_key("red", document("left", "blue")) == "red_left"


@pytest.mark.behaviour("PROC-2")
def test_each_has_a_run_directory_of_its_own_unless_one_is_named() -> None:
    assert in_place(Options(), document()).run_dir == "/run/pyhad"
    assert in_place(Options(), document("left")).run_dir == "/run/pyhad/daemons/left"
    assert in_place(Options(run_dir="/r"), document("left")).run_dir == "/r"


@pytest.mark.behaviour("CLI-9")
def test_a_log_file_without_a_name_lies_in_the_run_directory() -> None:
    assert in_place(Options(log_file=""), document("left")).log_file == "/run/pyhad/daemons/left/pyhad.log"
    assert in_place(Options(log_file="/l"), document("left")).log_file == "/l"
    assert in_place(Options(), document("left")).log_file is None
