"""The command line of pyhadctl. Imports what talks to the daemon only when there is something to ask."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from pyhad.ctl import orders, servers, upgrade
from pyhad.ctl.exits import FINE, NOT_WELL, USAGE, CommandError
from pyhad.ctl.place import run_dir, timeout_s, wants_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyhad.ctl.judge import Part

TIMEOUT_S = 3.0
LOOK_TIMEOUT_S = 9.0
WEIGHT_TIMEOUT_S = 18.0
WATCH_DEFAULT_S = 1.0
WATCH_LEAST_S = 0.1
CLEAR = "\033[H\033[2J"

_EXIT_CODES = """exit codes:
  0  fine: all is well, the instance is master, the reload is in force
  1  something is wrong and known: a router in FAULT, a service without quorum, a refused reload; not master
  2  the command line was wrong
  3  not known: no such instance, or its process is dead, hung or does not answer
  4  pyhad is not running
  5  you may not do that
"""


def main(argv: list[str] | None = None) -> int:
    """The command `pyhadctl`; returns its exit code."""
    gc.disable()  # it is about to end: to look for rubbish among 40,000 servers takes longer than to show them
    arguments = _parser().parse_args(argv)
    if arguments.action is None:
        arguments = _parser().parse_args([*(sys.argv[1:] if argv is None else argv), "status"])
    try:
        code: int = arguments.action(arguments)
        sys.stdout.flush()
    except CommandError as error:
        return _failed(arguments, error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `pyhadctl status | head`: nobody reads on, and that is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FINE
    return code


def command_line() -> argparse.ArgumentParser:
    """The whole command line, for what is made from it: manual page, completion."""
    return _parser()


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    quiet = argparse.SUPPRESS  # the options work before and after the command's name; the last one given counts
    common.add_argument("--run-dir", metavar="DIR", default=quiet, help="run directory of the daemon")
    common.add_argument("-j", "--json", action="store_true", default=quiet, help="JSON for programs")
    common.add_argument("--timeout", type=_seconds, metavar="SEC", default=quiet, help="how long to wait for an answer")
    parser = argparse.ArgumentParser(
        prog="pyhadctl",
        description="Ask the running pyhad how things are.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    parser.set_defaults(action=None)
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    status = commands.add_parser("status", parents=[common], help="how everything is (the default)")
    status.add_argument("part", nargs="?", choices=["vrrp", "vs", "processes"], help="only this part")
    watch: dict[str, Any] = {"type": _seconds, "metavar": "SEC", "const": WATCH_DEFAULT_S}
    status.add_argument("-w", "--watch", nargs="?", help="every SEC seconds (1 when not said)", **watch)
    status.set_defaults(action=_status)
    master = commands.add_parser("is-master", parents=[common], help="exit code 0: yes, 1: no, 3: not known")
    master.add_argument("name", metavar="NAME", help="name of the vrrp_instance")
    master.set_defaults(action=_is_master)
    from pyhad.ctl import config_commands, reload_command, texts, wire_commands

    for module in (reload_command, config_commands, wire_commands, texts):
        module.add_commands(commands, common)
    listing = commands.add_parser("vs", parents=[common], help="the table with its counters, as ipvsadm shows it")
    listing.add_argument("--rate", action="store_true", help="what happens each second in place of the counters")
    listing.set_defaults(action=_listing)
    help_text = "the table as it is now against the wanted one, and what was repaired lately; exit code 0: the same"
    diff = commands.add_parser("diff", parents=[common], help=help_text)
    diff.set_defaults(action=_diff)
    servers.add_commands(commands, common, _set_weight)
    for part in (orders, upgrade):
        part.add_to(commands, common)
    version = commands.add_parser("version", parents=[common], help="versions of this command and of the daemon")
    version.set_defaults(action=_version)
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is no time to wait")
    return value


def _failed(arguments: argparse.Namespace, error: CommandError) -> int:
    if wants_json(arguments):
        _say_json({"schema": 1, "error": error.text, "exit_code": error.exit_code})
    print(f"pyhadctl: {error.text}", file=sys.stderr)
    return error.exit_code


def _say_json(document: dict[str, object]) -> None:
    from pyhad.ctl.document import to_text

    sys.stdout.write(to_text(document))


# ------------------------------------------------------------------------------------------------- status


def _status(arguments: argparse.Namespace) -> int:
    if arguments.watch is None:
        text, code = _status_once(arguments)
        sys.stdout.writelines(text)
        return code
    period_s = max(WATCH_LEAST_S, arguments.watch)
    clear = sys.stdout.isatty() and not wants_json(arguments)
    while True:
        try:
            text = "".join(_status_once(arguments)[0])
        except CommandError as error:  # a daemon that is restarted comes back: go on looking
            text = f"pyhadctl: {error.text}\n"
        sys.stdout.write((CLEAR if clear else "") + text + ("" if clear else "\n"))
        sys.stdout.flush()
        gc.collect()
        time.sleep(period_s)


def _status_once(arguments: argparse.Namespace) -> tuple[Iterable[str], int]:
    from pyhad.ctl import client, document, judge, table

    reply = client.status(run_dir(arguments), timeout_s(arguments, TIMEOUT_S))
    parts = _parts(arguments.part)
    now_ns = reply.taken_ns  # the daemon's clock: ours may be another one, in a container's time namespace
    code = judge.exit_code(judge.problems(reply, now_ns, parts))
    if wants_json(arguments):
        return document.status_text(reply, now_ns, parts), code
    return (table.render_status(reply, now_ns, width=_width(), colour=_colour(), parts=parts),), code


def _parts(word: str | None) -> tuple[Part, ...]:
    from pyhad.ctl.judge import ALL_PARTS, Part

    return ALL_PARTS if word is None else (Part(word),)


def _width() -> int:
    """Of the terminal; 0, no limit, when a program reads."""
    if not sys.stdout.isatty():
        return 0
    return os.get_terminal_size(sys.stdout.fileno()).columns


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


# --------------------------------------------------------------------------------------------- the others


def _is_master(arguments: argparse.Namespace) -> int:
    from pyhad.ctl import client, judge

    reply = client.status(run_dir(arguments), timeout_s(arguments, TIMEOUT_S))
    code, sentence = judge.is_master(reply, arguments.name, reply.taken_ns)
    if wants_json(arguments):
        answer = {FINE: True, NOT_WELL: False}.get(code)
        _say_json({"schema": 1, "name": arguments.name, "is_master": answer, "text": sentence})
    else:
        print(sentence)
    return code


def _listing(arguments: argparse.Namespace) -> int:
    if wants_json(arguments):
        arguments.part, arguments.watch = "vs", None
        return _status(arguments)
    from pyhad.ctl import client, listing

    reply = client.status(run_dir(arguments), timeout_s(arguments, TIMEOUT_S))
    sys.stdout.write(listing.render_table(reply, rates=arguments.rate))
    return FINE


def _diff(arguments: argparse.Namespace) -> int:
    from pyhad.ctl import client
    from pyhad.ctl.look import look_document, render_look

    reply = client.look(run_dir(arguments), timeout_s(arguments, LOOK_TIMEOUT_S))
    assert reply.look is not None
    if wants_json(arguments):
        _say_json({"schema": 1, **look_document(reply.look, reply.taken_ns)})
    else:
        sys.stdout.write(render_look(reply.look, reply.taken_ns))
    return NOT_WELL if reply.look.count or reply.look.refused else FINE


def _set_weight(arguments: argparse.Namespace, service: str, server: str, weight: int) -> int:
    from pyhad.ctl import client

    times_ns, patience_s = servers.times_ns(arguments), timeout_s(arguments, WEIGHT_TIMEOUT_S)
    reply = client.set_weight(run_dir(arguments), service, server, weight, times_ns, patience_s)
    if wants_json(arguments):
        _say_json({"schema": 1, "ok": not reply.problem, "problem": reply.problem})
    elif reply.problem:
        print(f"pyhadctl: {reply.problem}", file=sys.stderr)
    else:
        print(servers.outcome(server, weight, *times_ns))
    return NOT_WELL if reply.problem else FINE


def _version(arguments: argparse.Namespace) -> int:
    import pyhad

    command = pyhad.__version__
    try:
        from pyhad.ctl import client

        reply = client.version(run_dir(arguments), timeout_s(arguments, TIMEOUT_S))
    except CommandError as error:
        if not wants_json(arguments):
            print(f"pyhadctl {command}")
        raise error from None
    if wants_json(arguments):
        _say_json({"schema": 1, "pyhadctl": command, "pyhad": reply.daemon, "protocol": reply.protocol})
    else:
        print(f"pyhadctl {command}\npyhad {reply.daemon} (protocol {reply.protocol})")
    return FINE


__all__ = ["USAGE", "main"]

if __name__ == "__main__":
    sys.exit(main())
