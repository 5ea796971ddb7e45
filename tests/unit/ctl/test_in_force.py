"""Reading what is in force: only from a daemon that can be seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyhad.ctl import in_force
from pyhad.ctl.exits import UNKNOWN, CommandError


def test_a_daemon_whose_processes_are_not_to_be_seen_is_said(replies: Any) -> None:
    hidden = replace(replies.good(), processes=tuple(replace(one, pid=0) for one in replies.good().processes))
    with pytest.raises(CommandError, match="PID namespace") as caught:
        in_force.read(hidden)
    assert caught.value.exit_code == UNKNOWN
