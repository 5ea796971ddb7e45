"""What one program of the parent hands to the next over `execve`: descriptors and children, by number.

JSON in a memfd, read with defaults for what is missing, so that neighbouring versions understand each other; `FORMAT`
changes only when they cannot, and the trial of the new program finds that out while the old one still runs.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Any

from pyhad.common.records import dataclass, field

FORMAT = 1
VARIABLE = "PYHAD_BATON"
"""Environment variable with the number of the memfd."""


class BatonError(Exception):
    """What was left cannot be taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftChild:
    """One running child of the program before."""

    name: str
    pid: int
    lifeline: int
    started_ns: int
    restarts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBox:
    """A black box and its measures."""

    fd: int
    slots: int
    payload_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Baton:
    """Everything the next program needs to go on. Numbers are descriptors unless their name says otherwise."""

    version: str
    """Of the program that left it."""
    lock: int
    generation: int
    """Of the configuration in force."""
    pulse: int
    pulse_layout: str
    environment: dict[str, str] = field(default_factory=dict)
    """Variables that were taken out of the environment at the start."""
    listeners: dict[str, int] = field(default_factory=dict)
    boxes: dict[str, LeftBox] = field(default_factory=dict)
    children: tuple[LeftChild, ...] = ()
    icmp: dict[str, int] = field(default_factory=dict)
    """Raw ICMP sockets by number of their address family."""
    home_namespace: int = -1
    """The network namespace that the daemon was started in; -1: the one it is in."""
    documents: dict[str, int] = field(default_factory=dict)
    """The configuration in force by process, the parent's own among them."""

    def descriptors(self) -> list[int]:
        """All that must stay open."""
        return [
            self.lock, self.pulse, *self.listeners.values(), *(box.fd for box in self.boxes.values()),
            *(child.lifeline for child in self.children), *self.icmp.values(), *self.documents.values(),
            *(fd for fd in (self.home_namespace,) if fd >= 0),
        ]  # fmt: skip


def write(baton: Baton) -> int:
    """A memfd that holds it, kept open by `execve`, as are all descriptors that it names."""
    fd = os.memfd_create("pyhad_baton", 0)
    os.write(fd, json.dumps({"format": FORMAT, **asdict(baton)}).encode())
    for inherited in baton.descriptors():
        os.set_inheritable(inherited, True)
    return fd


def take(environment: dict[str, str] | os._Environ[str]) -> Baton | None:
    """What the program before this one left, None at an ordinary start. Raises BatonError."""
    number = environment.pop(VARIABLE, "")
    if not number:
        return None
    try:
        fd = int(number)
        text = os.pread(fd, os.fstat(fd).st_size, 0).decode()
        os.close(fd)
        baton = read(text)
        for inherited in baton.descriptors():
            os.set_inheritable(inherited, False)
    except (ValueError, OSError) as error:
        raise BatonError(f"what the program before this one left cannot be read: {error}") from error
    environment.update(baton.environment)
    return baton


def read(text: str) -> Baton:
    """The meaning of the JSON text. Raises BatonError."""
    try:
        left: dict[str, Any] = json.loads(text)
        if left["format"] != FORMAT:
            raise BatonError(f"the running program hands over in format {left['format']}, this one takes {FORMAT}")
        return Baton(
            version=str(left["version"]),
            lock=int(left["lock"]),
            generation=int(left["generation"]),
            pulse=int(left["pulse"]),
            pulse_layout=str(left["pulse_layout"]),
            environment={str(key): str(value) for key, value in left.get("environment", {}).items()},
            listeners=_numbers(left.get("listeners", {})),
            boxes={name: _known(LeftBox, box) for name, box in left.get("boxes", {}).items()},
            children=tuple(_known(LeftChild, child) for child in left.get("children", ())),
            home_namespace=int(left.get("home_namespace", -1)),
            icmp=_numbers(left.get("icmp", {})),
            documents=_numbers(left.get("documents", {})),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BatonError(f"what the program before this one left makes no sense: {error!r}") from error


def _numbers(left: dict[str, Any]) -> dict[str, int]:
    return {str(name): int(number) for name, number in left.items()}


def _known(kind: type[Any], left: dict[str, Any]) -> Any:
    """Fields that this version does not know are left out."""
    return kind(**{name: left[name] for name in kind.__dataclass_fields__})
