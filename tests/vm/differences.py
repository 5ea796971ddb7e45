"""Where the kernel's table after pyhad is not the one after keepalived 2.2.7, and why. One list.

`docs/keepalived.md` must hold each reason word for word; `tests/vm/test_same_table.py` sees to both.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """In `config`, pyhad has the lines `ours` where keepalived has `theirs`."""

    config: str
    ours: frozenset[str]
    theirs: frozenset[str]
    reason: str


DIFFERENCES = (
    Difference(
        config="group-granularity",
        ours=frozenset(("-A -f 3 -s rr -p 60 -M 255.255.255.0", "-A -t 10.0.0.1:80 -s rr -p 60 -M 255.255.255.0")),
        theirs=frozenset(("-A -f 3 -s rr -p 60", "-A -t 10.0.0.1:80 -s rr -p 60")),
        reason="the mask counts for every entry of the group, as it does for an address",
    ),
    Difference(
        config="inhibit",
        ours=frozenset(("-a -t 10.0.0.1:80 -r 10.1.0.99:80 -m -w 1",)),
        theirs=frozenset(("-a -t 10.0.0.1:80 -r 10.1.0.99:0 -m -w 1",)),
        reason="it has the port of the service: connections to port 0 reach nobody",
    ),
)
