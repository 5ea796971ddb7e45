"""From the options to the running parent: its first configuration, its place on the machine, its service.

Apart from main.py because a config test needs none of it, and importing it takes longer than most tests.
"""

from __future__ import annotations

import dataclasses
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Sequence

from pyhad.common import namespaces, privileges
from pyhad.common.channels import DAEMONS, DEFAULT_RUN_DIR
from pyhad.common.config.model import ParentDocument
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.states import ProcessName
from pyhad.parent import resuming
from pyhad.parent.baton import Baton
from pyhad.parent.compiler import Compile, Outcome
from pyhad.parent.daemonize import Background
from pyhad.parent.dumping import NAMES
from pyhad.parent.exits import FATAL, PERMISSION, say
from pyhad.parent.fork import guarded
from pyhad.parent.log_files import LogFiles
from pyhad.parent.options import DEFAULT_UMASK, UPGRADE, Options
from pyhad.parent.reloading import begin_compilation
from pyhad.parent.rooms import Room, import_all
from pyhad.parent.run_dir import AlreadyRunningError, RunDir
from pyhad.parent.service import Service
from pyhad.parent.setup import Beginning, Setup, daemon_key
from pyhad.parent.systemd import service_manager

LOG_FILE = "pyhad.log"
_NEEDED = frozenset({privileges.CAP_NET_ADMIN, privileges.CAP_NET_RAW})


def run_daemon(options: Options, rooms: Sequence[Room], compile_files: Compile, left: Baton | None, home: int) -> int:
    """Serve until the end; returns the exit code. `home`: the namespace that the daemon was started in."""
    if not privileges.permitted().issuperset(_NEEDED):
        return say("needs the rights of root (CAP_NET_ADMIN and CAP_NET_RAW at least); -t does without", PERMISSION)
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP, signal.SIGRTMAX, UPGRADE, *NAMES))  # SIG-9
    os.umask(DEFAULT_UMASK if options.umask is None else options.umask)
    if options.core_files:
        _allow_core_files()
    beginning = Beginning(
        options=_with_absolute_paths(options),
        rooms=rooms,
        compile_files=compile_files,
        account=privileges.service_account(),
        log=_log_settings(options),
        folder=os.getcwd(),
        left=left,
        home_namespace=home,
        log_files=None if options.log_file is None else LogFiles(_log_settings(options)),
    )
    try:
        first = _first_configuration(beginning)
    except OSError as error:
        return say(str(error), FATAL)
    if first.report and (first.documents is None or sys.stderr.isatty()):
        sys.stderr.write(first.report)
        first = dataclasses.replace(first, report="")  # elsewhere the log carries it, and a log stays JSON
    if first.documents is None:
        return _refuse(first, beginning)
    return _settle(beginning, first, first.documents.parent)


def _first_configuration(beginning: Beginning) -> Outcome:
    """In the namespace that it names, for the interfaces are other ones there. Raises OSError."""
    first = _compile_while_importing(beginning)
    if beginning.left is not None:
        return resuming.instead_of(first, beginning.left)
    namespace = first.documents.parent.settings.namespace if first.documents else ""
    if first.documents is None or not namespace or beginning.options.namespace:
        return first
    if problem := namespaces.cannot_enter(namespace):
        raise OSError(problem)
    first.documents.close()
    return _compile_while_importing(beginning)


def _settle(beginning: Beginning, first: Outcome, document: ParentDocument) -> int:
    """Take the place of this daemon among those of this machine, and serve."""
    options = in_place(beginning.options, document)
    try:
        run_dir = RunDir(options.run_dir, beginning.left)
    except AlreadyRunningError as error:
        return say(f"daemon is already running in {error}", 0)  # PROC-3
    except OSError as error:
        return say(f"{options.run_dir}: {error.strerror}", PERMISSION)
    try:
        run_dir.open_listeners(beginning.account)
    except OSError as error:
        return say(f"{options.run_dir}: {error}", PERMISSION)
    log = dataclasses.replace(beginning.log, daemon=document.daemon)
    if beginning.log_files is not None:
        beginning.log_files.place(options.log_file or "")
    stays = options.foreground or beginning.left is not None  # the program before this one went to the background
    background = None if stays else Background(keep_stderr=options.log_console)
    announce = background.report if background else lambda code: None
    fields = {one.name: getattr(beginning, one.name) for one in dataclasses.fields(beginning)}
    setup = Setup(**fields | {"options": options, "log": log}, run_dir=run_dir)
    service = Service(setup, manager=service_manager(), announce=announce)
    return guarded(lambda: service.run(first), ProcessName.PARENT, setup.log_of(ProcessName.PARENT))


def _compile_while_importing(beginning: Beginning) -> Outcome:
    """A compilation in its own process, while this one imports what the children need."""
    compilation = begin_compilation(beginning, 1 if beginning.left is None else beginning.left.generation + 1)
    import_all(beginning.rooms)
    poll = select.poll()
    poll.register(compilation.pidfd, select.POLLIN)
    if not poll.poll(max(0, compilation.limit_at_ns - time.monotonic_ns()) // 1_000_000):
        compilation.kill()
    return compilation.outcome()


def _refuse(first: Outcome, beginning: Beginning) -> int:
    """There is nobody yet to write log files: here it is done at once."""
    options = beginning.options
    file = os.path.join(options.run_dir, LOG_FILE) if options.log_file == "" else options.log_file or ""
    process_log = ProcessLog(ProcessName.PARENT, dataclasses.replace(beginning.log, console=False, file=file))
    process_log.logger.error(
        "configuration_refused", first_error=first.summary.first_error, errors=first.summary.errors
    )  # fmt: skip
    process_log.drain()
    return first.summary.exit_status


def _log_settings(options: Options) -> LogSettings:
    return LogSettings(
        console=options.log_console,
        syslog=options.log_syslog,
        facility=options.log_facility,
        detail=options.log_detail,
    )


def _with_absolute_paths(options: Options) -> Options:
    """A daemon leaves its directory; what the command line named must stay the same thing."""
    return dataclasses.replace(
        options,
        run_dir=os.path.abspath(options.run_dir),
        config=os.path.abspath(options.config),
        log_file=options.log_file and os.path.abspath(options.log_file),
        pid_file=options.pid_file and os.path.abspath(options.pid_file),
        vrrp_pid_file=options.vrrp_pid_file and os.path.abspath(options.vrrp_pid_file),
        checkers_pid_file=options.checkers_pid_file and os.path.abspath(options.checkers_pid_file),
    )


def in_place(options: Options, document: ParentDocument) -> Options:
    """With the directory of this daemon: below the default one for a daemon that has a name or a namespace (PROC-2)."""
    run_dir, key = options.run_dir, daemon_key(options.namespace, document)
    if run_dir == DEFAULT_RUN_DIR and key:
        run_dir = os.path.join(run_dir, DAEMONS, key)
    log_file = os.path.join(run_dir, LOG_FILE) if options.log_file == "" else options.log_file
    return dataclasses.replace(options, run_dir=run_dir, log_file=log_file)


def _allow_core_files() -> None:
    """`-m`: of any size, as far as this process may (CLI-23)."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))
