"""The configuration that the running daemon works with, and that of files as this command compiles them.

The parent keeps the documents of its children in sealed memory files; root reads them from /proc without asking
anybody. Nobody else may: they may hold passwords.
"""

from __future__ import annotations

import os
import socket
from typing import TypeVar

from pyhad.common.codec import decode
from pyhad.common.config.compile import CompileOptions, CompileResult, compile_configuration
from pyhad.common.config.model import CheckerDocument, Configuration, IpvsDocument, VrrpDocument
from pyhad.common.errors import WireError
from pyhad.common.messages import StatusReply
from pyhad.common.records import dataclass
from pyhad.common.states import ProcessName
from pyhad.ctl.exits import FORBIDDEN, UNKNOWN, CommandError

D = TypeVar("D", VrrpDocument, CheckerDocument, IpvsDocument)


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """What VRRP, checkers and the owner of the table work with."""

    vrrp: VrrpDocument
    checker: CheckerDocument
    ipvs: IpvsDocument


def of(configuration: Configuration) -> Documents:
    """The documents of a compiled configuration."""
    return Documents(vrrp=configuration.vrrp, checker=configuration.checker, ipvs=configuration.ipvs)


def compile_file(path: str, config_id: str = "") -> CompileResult:
    """Compile as the daemon would, with this machine's name and interfaces and the caller's rights."""
    return compile_configuration(
        path,
        CompileOptions(
            config_id=config_id or socket.gethostname().split(".")[0],
            environment=dict(os.environ),
            interfaces=frozenset(name for _, name in socket.if_nameindex()),
        ),
    )


def read(reply: StatusReply) -> Documents:
    """What is in force in the daemon that gave `reply`. Raises `CommandError`."""
    parent = _parent_pid(reply)
    try:
        found = _memory_files(parent)
    except PermissionError:
        text = "only root may read the configuration in force; compare two files with: plan --against OLD NEW"
        raise CommandError(text, FORBIDDEN) from None
    except OSError as error:
        raise CommandError(f"the parent process {parent} cannot be read: {error.strerror}", UNKNOWN) from None
    return Documents(
        vrrp=_document(VrrpDocument, found.get("vrrp", []), reply.config_generation),
        checker=_document(CheckerDocument, found.get("checker", []), reply.config_generation),
        ipvs=_document(IpvsDocument, found.get("ipvs", []), reply.config_generation),
    )


def _parent_pid(reply: StatusReply) -> int:
    for process in reply.processes:
        if process.name is ProcessName.PARENT and process.pid:
            return process.pid
        try:
            with open(f"/proc/{process.pid}/stat", encoding="ascii", errors="replace") as stat:
                return int(stat.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
    raise CommandError("no process of the daemon is to be seen from here (another PID namespace?)", UNKNOWN)


def _memory_files(pid: int) -> dict[str, list[bytes]]:
    """Contents of the parent's `memfd:pyhad_NAME`, by name; two of each while a reload is under way."""
    found: dict[str, list[bytes]] = {}
    folder = f"/proc/{pid}/fd"
    for number in os.listdir(folder):
        target = os.readlink(f"{folder}/{number}")
        if target.startswith("/memfd:pyhad_"):
            name = target.removeprefix("/memfd:pyhad_").split(" ")[0]
            with open(f"{folder}/{number}", "rb") as file:
                found.setdefault(name, []).append(file.read())
    return found


def _document(kind: type[D], contents: list[bytes], generation: int) -> D:
    for content in contents:
        try:
            document = decode(kind, content)
        except WireError:
            continue
        if document.generation == generation or len(contents) == 1:
            return document
    raise CommandError(f"the daemon holds no {kind.__name__} that this version can read", UNKNOWN)
