"""The names that iproute2 gives to tables, protocols, scopes, types of service, realms and groups of interfaces.

Reads iproute2's own text files, each at most once, and the vendor's before the machine's. Asks no kernel.
"""

from __future__ import annotations

import enum
from pathlib import Path

_USUAL_VENDOR = ("/usr/share/iproute2", "/usr/lib/iproute2")
_USUAL_LOCAL = "/etc/iproute2"
_MAX_BYTES = 1 << 20


class Names(enum.Enum):
    """A kind of name: its file, the greatest number, and what needs no file."""

    TABLE = "rt_tables", 0xFFFFFFFF, {"unspec": 0, "default": 253, "main": 254, "local": 255}
    PROTOCOL = "rt_protos", 255, {"redirect": 1, "kernel": 2, "boot": 3, "static": 4, "ra": 9, "keepalived": 18}
    SCOPE = "rt_scopes", 255, {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
    DSFIELD = "rt_dsfield", 255, {"default": 0}
    REALM = "rt_realms", 0xFFFF, {"cosmos": 0}
    GROUP = "group", 0xFFFFFFFF, {"default": 0}

    def __init__(self, file: str, top: int, known: dict[str, int]) -> None:
        self.file = file
        self.top = top
        self.known = known


class NameTables:
    """Looks names up. `vendor` and `local` are folders; empty: where they usually are."""

    def __init__(self, vendor: str = "", local: str = "") -> None:
        self._folders = ((vendor,) if vendor else _USUAL_VENDOR) + (local or _USUAL_LOCAL,)
        self._read: dict[Names, dict[str, int]] = {}

    def number(self, kind: Names, text: str) -> int | None:
        """The number that `text` is or names; None when it is neither or too great."""
        if text.isascii() and text[:1].isdigit():
            return _number(text, kind.top)
        if kind not in self._read:
            self._read[kind] = self._load(kind)
        return self._read[kind].get(text)

    def where(self, kind: Names) -> str:
        """The file in which a person would add a name."""
        return f"{self._folders[-1]}/{kind.file}"

    def _load(self, kind: Names) -> dict[str, int]:
        found = dict(kind.known)
        for folder in self._folders:
            parts = sorted(Path(folder, f"{kind.file}.d").glob("*.conf"))
            for path in (Path(folder, kind.file), *parts):
                found.update(_entries(path, kind.top))
        return found


def _entries(path: Path, top: int) -> dict[str, int]:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode(errors="replace")
    except OSError:
        return {}
    found = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        number = _number(words[0], top) if len(words) == 2 else None
        if number is not None:
            found[words[1]] = number
    return found


def _number(text: str, top: int) -> int | None:
    """Decimal, or hexadecimal after 0x."""
    try:
        value = int(text, 16 if text[:2] in ("0x", "0X") else 10) if len(text) <= 12 else -1
    except ValueError:
        return None
    return value if 0 <= value <= top else None
