"""One question to the running daemon. Turns every way it can fail into a sentence and an exit code."""

from __future__ import annotations

import os
from typing import Any, TypeVar

from pyhad.common import messages as m
from pyhad.common.bus import ask
from pyhad.common.channels import OPERATOR
from pyhad.common.errors import WireError
from pyhad.ctl.exits import FORBIDDEN, NOT_RUNNING, UNKNOWN, CommandError

R = TypeVar("R")

ATTEMPTS = 3
"""A question that is only a question is asked again: the control process may just be replaced."""


def status(run_dir: str, timeout_s: float) -> m.StatusReply:
    """The whole status. Raises `CommandError`."""
    return _expect(_ask_again(run_dir, m.StatusRequest(version=m.VERSION), timeout_s), m.StatusReply)


def version(run_dir: str, timeout_s: float) -> m.VersionReply:
    """Which daemon runs. Raises `CommandError`."""
    return _expect(_ask_again(run_dir, m.VersionRequest(version=m.VERSION), timeout_s), m.VersionReply)


def look(run_dir: str, timeout_s: float) -> m.TableLookReply:
    """What is not as it should be in the table. Raises `CommandError`."""
    reply = _expect(_ask_again(run_dir, m.TableLookRequest(version=m.VERSION), timeout_s), m.TableLookReply)
    problem = reply.problem or (reply.look.problem if reply.look is not None else "nothing is known of the table")
    if problem:
        raise CommandError(problem, UNKNOWN)
    return reply


def texts(run_dir: str, form: m.TextForm, timeout_s: float) -> dict[str, str]:
    """The status as texts that others read. Raises `CommandError`."""
    return _expect(_ask_again(run_dir, m.TextRequest(version=m.VERSION, form=form), timeout_s), m.TextReply).texts


def reload(run_dir: str, timeout_s: float, confirm_s: int = 0) -> m.ReloadReply:
    """Have the configuration read again; asked once only. `confirm_s` not 0: to be confirmed. Raises `CommandError`."""
    plain, confirmed = m.ReloadRequest(version=m.VERSION), m.ReloadForRequest(version=m.VERSION, confirm_s=confirm_s)
    return _order_reload(run_dir, confirmed if confirm_s else plain, timeout_s)


def confirm_reload(run_dir: str, timeout_s: float) -> m.ReloadReply:
    """Keep the configuration of the last reload; asked once only. Raises `CommandError`."""
    return _order_reload(run_dir, m.ReloadConfirmRequest(version=m.VERSION), timeout_s)


def _order_reload(run_dir: str, request: object, timeout_s: float) -> m.ReloadReply:
    path = os.path.join(run_dir, OPERATOR.path)
    try:
        reply = _ask(path, request, timeout_s)
    except TimeoutError:
        raise _no_answer(path, timeout_s) from None
    return _expect(reply, m.ReloadReply)


def set_weight(
    run_dir: str, service: str, server: str, weight: int, times_ns: tuple[int, int], timeout_s: float
) -> m.WeightReply:
    """Set or undo (-1) a server's weight: the same when asked twice. `times_ns`: (deadline, for how long).

    Raises `CommandError`.
    """
    deadline_ns, for_ns = times_ns
    request = m.WeightRequest(
        version=m.VERSION, service=service, server=server, weight=weight, deadline_ns=deadline_ns, for_ns=for_ns
    )
    return _expect(_ask_again(run_dir, request, timeout_s), m.WeightReply)


def standby(run_dir: str, name: str, wanted: bool, for_ns: int, timeout_s: float) -> m.StandbyReply:
    """Hold routers back, or let them go; asked once only. Raises `CommandError`."""
    path = os.path.join(run_dir, OPERATOR.path)
    try:
        reply = _ask(path, m.StandbyRequest(version=m.VERSION, name=name, standby=wanted, for_ns=for_ns), timeout_s)
    except TimeoutError:
        raise _no_answer(path, timeout_s) from None
    return _expect(reply, m.StandbyReply)


def upgrade(run_dir: str, timeout_s: float) -> m.UpgradeReply:
    """Have the installed program tried and, if it fits, take over; asked once only. Raises `CommandError`."""
    path = os.path.join(run_dir, OPERATOR.path)
    try:
        reply = _ask(path, m.UpgradeRequest(version=m.VERSION), timeout_s)
    except TimeoutError:
        raise _no_answer(path, timeout_s) from None
    return _expect(reply, m.UpgradeReply)


def _ask_again(run_dir: str, request: object, timeout_s: float) -> Any:
    path = os.path.join(run_dir, OPERATOR.path)
    for _ in range(ATTEMPTS):
        try:
            return _ask(path, request, timeout_s / ATTEMPTS)
        except TimeoutError:
            pass
    raise _no_answer(path, timeout_s)


def _ask(path: str, request: object, timeout_s: float) -> Any:
    try:
        return ask(OPERATOR, path, request, timeout_s)
    except TimeoutError:
        raise
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        text = f"pyhad is not running: nothing listens on {path}. Start it with: systemctl start pyhad"
        raise CommandError(text, NOT_RUNNING) from None
    except PermissionError:
        raise CommandError(_may_not(path), FORBIDDEN) from None
    except WireError as error:
        text = f"what answers on {path} is no pyhad of this version: {error}"
        raise CommandError(text, UNKNOWN) from None
    except OSError as error:
        raise CommandError(f"cannot ask pyhad on {path}: {error.strerror}", NOT_RUNNING) from None


def _expect(reply: Any, kind: type[R]) -> R:
    if isinstance(reply, kind):
        return reply
    if isinstance(reply, m.RequestRefused):
        raise CommandError(f"refused: {reply.reason}", FORBIDDEN)
    raise CommandError(f"the daemon answered with {type(reply).__name__}", UNKNOWN)


def _no_answer(path: str, timeout_s: float) -> CommandError:
    text = (
        f"pyhad does not answer: {path} is there, but no answer came within {timeout_s:g} s. "
        "Its control process hangs or is being replaced; this says nothing about the virtual routers"
    )
    return CommandError(text, UNKNOWN)


def _may_not(path: str) -> str:
    group = _group_of(path)
    who = f"be root or a member of the group {group!r}" if group else "be root"
    return f"you may not open {path}: {who} to talk to pyhad"


def _group_of(path: str) -> str:
    """Name of the group that may open the socket; empty when that cannot be seen or gives no right."""
    import grp  # needed only when something went wrong

    for place in (path, os.path.dirname(path)):
        try:
            entry = os.stat(place)
        except OSError:
            continue
        if entry.st_gid == 0:
            return ""
        try:
            return grp.getgrgid(entry.st_gid).gr_name
        except KeyError:
            return str(entry.st_gid)
    return ""
