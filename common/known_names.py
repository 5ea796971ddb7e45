"""The last known addresses of names, in a file of the run directory: they outlive a restart, not a reboot.

The checker writes it; the owner of the table reads it when it starts. Written as a whole and renamed into place.
"""

from __future__ import annotations

import ipaddress
import json
import os
import stat
from collections.abc import Mapping
from typing import Any

from pyhad.common.records import dataclass, field

PATH = "bus/names"
"""Below the run directory, in the folder that belongs to the processes without rights."""
_VERSION = 1
_MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNames:
    """What was known last."""

    names: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """Addresses by name and family."""
    servers: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Addresses in use, by ids of service and server: a server may stay for a while where its name was before."""


def load(path: str) -> KnownNames:
    """Nothing known where there is no such file, or what is there is none of ours."""
    try:
        document = json.loads(_read(path))
        if not isinstance(document, dict) or document.get("version") != _VERSION:
            return KnownNames()
        return KnownNames(
            names={(_text(name), _family(address, family)): address for name, family, address in document["names"]},
            servers={
                (_text(service), _text(server)): str(ipaddress.ip_address(_text(address)))
                for service, server, address in document["servers"]
            },
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return KnownNames()


def save(path: str, known: KnownNames) -> None:
    """In place of what was there. Raises `OSError`."""
    names = [[name, family, address] for (name, family), address in sorted(known.names.items()) if address]
    servers = [[*key, address] for key, address in sorted(known.servers.items())]
    new = f"{path}.new"
    with open(new, "w", encoding="utf-8") as file:
        json.dump({"version": _VERSION, "names": names, "servers": servers}, file)
    os.replace(new, path)


def _read(path: str) -> bytes:
    """Never waits: whoever may write into that folder has fewer rights than some who read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(f"{path} is no file")
        return file.read(_MAX_BYTES)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"not a text: {value!r}"[:200])
    return value


def _family(address: Any, family: Any) -> int:
    if ipaddress.ip_address(_text(address)).version != family:
        raise ValueError(f"not of that family: {address!r}"[:200])
    return int(family)
