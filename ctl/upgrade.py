"""`pyhadctl upgrade`: ask, then watch until every process runs the installed program. Light to import."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from pyhad.common.states import ProcessName, ProcessState
from pyhad.ctl.exits import FINE, NOT_WELL, UNKNOWN, CommandError
from pyhad.ctl.place import run_dir, timeout_s, wants_json

if TYPE_CHECKING:
    from pyhad.common.messages import ProcessStatus, StatusReply

TRIAL_TIMEOUT_S = 70.0
WATCH_S = 60.0
_LOOK_EVERY_S = 0.1
_ALIVE = (ProcessState.STARTING, ProcessState.RUNNING, ProcessState.STOPPING, ProcessState.BACKOFF)


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Put the command into the parser."""
    text = "go on as the version that is installed now, without a gap (root only)"
    upgrade = commands.add_parser("upgrade", parents=[common], help=text)
    upgrade.set_defaults(action=_upgrade)


def _upgrade(arguments: argparse.Namespace) -> int:
    from pyhad.ctl import client

    before = client.status(run_dir(arguments), timeout_s(arguments, TRIAL_TIMEOUT_S))
    reply = client.upgrade(run_dir(arguments), timeout_s(arguments, TRIAL_TIMEOUT_S))
    after = _watch(run_dir(arguments), before.taken_ns) if reply.ok else None
    if wants_json(arguments):
        version = after.version if after is not None else before.version
        document = {"schema": 1, "ok": reply.ok, "report": reply.report, "version": version}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return FINE if reply.ok else NOT_WELL
    if after is None:
        sys.stderr.write(reply.report)
        print("pyhadctl: upgrade refused; the program before it runs on.", file=sys.stderr)
        return NOT_WELL
    print(f"Every process runs pyhad {after.version} now (before: {before.version}).")
    return FINE


def _watch(folder: str, asked_ns: int) -> StatusReply:
    """The status once every process was replaced. Raises CommandError."""
    from pyhad.ctl import client

    end = time.monotonic() + WATCH_S
    late = "all"
    while time.monotonic() < end:
        time.sleep(_LOOK_EVERY_S)
        try:
            reply = client.status(folder, 1.0)
        except CommandError:  # the control process is the first to be replaced
            continue
        old = [seen.name for seen in reply.processes if not _is_new(seen, reply.taken_ns - asked_ns)]
        if not old:
            return reply
        late = ", ".join(sorted(old))
    text = f"the upgrade goes on for more than {WATCH_S:g} s; not replaced yet: {late}. See `pyhadctl status processes`"
    raise CommandError(text, UNKNOWN)


def _is_new(seen: ProcessStatus, age_ns: int) -> bool:
    if seen.state not in _ALIVE:
        return True
    return seen.uptime_ns < age_ns and (seen.name is ProcessName.PARENT or seen.state is ProcessState.RUNNING)
