"""`capture IFACE` and `decode FILE`: what is on the wire, as a person reads it, beside our configuration."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import json
import os
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

from pyhad.ctl.exits import FINE, NOT_WELL, CommandError

if TYPE_CHECKING:
    from pyhad.ctl.wire import Listener

_SIOCGIFADDR = 0x8915
_ABOUT = """Adverts are shown when their sender is new or says something new (-a: all); ! marks what is wrong.
They are compared with FILE of -f, else with the files of the running daemon, else with nothing.
Exit codes: 0 everything fits, 1 something does not."""


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Put the commands into the parser of pyhadctl."""
    raw = argparse.RawDescriptionHelpFormatter
    capture = commands.add_parser(
        "capture", parents=[common], help="listen for adverts, gratuitous ARP and NA (root only)",
        description=_ABOUT, formatter_class=raw,
    )  # fmt: skip
    capture.add_argument("interface", metavar="IFACE")
    capture.add_argument("-s", "--seconds", type=float, default=0, metavar="SEC", help="stop after SEC [Ctrl-C]")
    capture.add_argument("-w", "--write", metavar="FILE", help="keep the frames in a pcap file")
    decode = commands.add_parser(
        "decode", parents=[common], help="the same from a pcap file", description=_ABOUT, formatter_class=raw
    )
    decode.add_argument("packets", metavar="FILE")
    for parser in (capture, decode):
        parser.add_argument("-f", "--config", metavar="FILE", help="configuration to compare with")
        parser.add_argument("-a", "--all", action="store_true", help="every advert")
        parser.add_argument("-c", "--count", type=int, default=0, metavar="N", help="stop after N packets of interest")
    capture.set_defaults(action=_capture)
    decode.set_defaults(action=_decode)


def _capture(arguments: argparse.Namespace) -> int:
    from pyhad.ctl import listening

    listener = _listener(arguments)
    frames = listening.from_interface(arguments.interface, arguments.seconds)
    if not arguments.write:
        return _show(arguments, listener, frames, None)
    try:
        with open(arguments.write, "wb") as kept:
            listening.begin_file(kept)
            return _show(arguments, listener, frames, kept)
    except OSError as error:
        raise CommandError(f"cannot write {arguments.write}: {error.strerror}", NOT_WELL) from None


def _decode(arguments: argparse.Namespace) -> int:
    from pyhad.ctl import listening

    return _show(arguments, _listener(arguments), listening.from_file(arguments.packets), None)


def _show(
    arguments: argparse.Namespace, listener: Listener, frames: Iterable[tuple[float, bytes]], kept: BinaryIO | None
) -> int:
    from pyhad.ctl.frames import read_frame
    from pyhad.ctl.listening import write_frame

    heard = ((at, frame, found) for at, frame in frames if (found := read_frame(frame)) is not None)
    as_json, remarks = getattr(arguments, "json", False), 0
    try:
        for at, frame, found in itertools.islice(heard, arguments.count or None):
            if kept is not None:
                write_frame(kept, at, frame)
            lines = listener.hear(found)
            remarks += sum(line.startswith("!") for line in lines)
            if as_json and lines:
                notes = [line[2:] for line in lines if line.startswith("!")]
                row = {"time": at, "kind": type(found).__name__.lower(), **dataclasses.asdict(found), "remarks": notes}
                print(json.dumps(row), flush=True)
            elif lines:
                clock = time.strftime("%H:%M:%S", time.localtime(at)) + f".{int(at % 1 * 1000):03d}"
                print(f"{clock} {lines[0]}", *(f"    {line}" for line in lines[1:]), sep="\n", flush=True)
    except KeyboardInterrupt:
        pass
    if not as_json:
        print(f"\n{listener.summary()}")
    return NOT_WELL if remarks else FINE


def _listener(arguments: argparse.Namespace) -> Listener:
    from pyhad.ctl import in_force
    from pyhad.ctl.wire import Listener

    path = arguments.config or _file_of_daemon(arguments)
    if not path:
        return Listener((), compares=False, everything=arguments.all)
    result = in_force.compile_file(path)
    if result.configuration is None:
        raise CommandError(f"{path} has errors: pyhad -t -f {path} shows them", NOT_WELL)
    return Listener(
        result.configuration.vrrp.instances, compares=True, own_addresses=own_addresses(), everything=arguments.all
    )  # fmt: skip


def _file_of_daemon(arguments: argparse.Namespace) -> str:
    from pyhad.common.channels import DEFAULT_RUN_DIR
    from pyhad.ctl import client

    run_dir = getattr(arguments, "run_dir", None) or os.environ.get("PYHAD_RUN_DIR") or DEFAULT_RUN_DIR
    try:
        return client.status(str(run_dir), 1.0).config_files[0]
    except (CommandError, IndexError):
        print("pyhadctl: no daemon and no -f FILE: nothing to compare with", file=sys.stderr)
        return ""


def own_addresses() -> frozenset[str]:
    """Of this machine, so that our own adverts are not held against us: of IPv4 each interface's first."""
    import fcntl
    import socket
    import struct

    found = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):  # it has none
                reply = fcntl.ioctl(asked, _SIOCGIFADDR, struct.pack("256s", name.encode()))
                found.add(socket.inet_ntoa(reply[20:24]))
    with contextlib.suppress(OSError), open("/proc/net/if_inet6", encoding="ascii") as file:  # without IPv6
        found |= {socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line.split()[0])) for line in file}
    return frozenset(found)
