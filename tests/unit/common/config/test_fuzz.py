"""Whatever a file holds, compilation ends, raises nothing, and gives a configuration exactly when there is no error."""

from __future__ import annotations

import random

import pytest

from pyhad.common.config.compile import CompileOptions, compile_text, encode_documents
from pyhad.common.config.diagnostics import render, to_json
from pyhad.common.config.keywords import TABLE
from pyhad.common.config.source import Severity

WORDS = sorted({name for _, name in TABLE if not name.startswith("include")})
VALUES = [
    *(
        "0",
        "1",
        "5",
        "80",
        "255",
        "256",
        "-1",
        "0x10",
        "1.5",
        "99999999999999999999",
        "x",
        "eth0",
        "lo",
        "TCP",
        "MASTER",
    ),
    *("192.0.2.1", "192.0.2.1/24", "192.0.2.0/30", "192.0.2.1-9", "fd00::1", "fe80::1", "fd00::/126", "224.0.0.18"),
    *(
        "group",
        "fwmark",
        "inet6",
        "NAT",
        "DR",
        "TUN",
        "rr",
        "sh",
        "on",
        "no",
        "weight",
        "dev",
        '"a b"',
        "'a",
        '"',
        "\\",
    ),
    *("{", "}", "{ }", "#", "$A", "${A}", "A", "B", "reverse", "nexthop", "encap", "ip", "200-299", "/", "é", "\x07"),
]


def scramble(source: random.Random, lines: int) -> str:
    """Lines of keywords and values, now and then with braces."""
    rows = ["$A=192.0.2.7"]
    for _ in range(lines):
        words = [source.choice(WORDS)] + [source.choice(VALUES) for _ in range(source.randint(0, 4))]
        rows.append(" ".join(words) + source.choice(["", "", " {", "\n}", " { "]))
    return "\n".join(rows)


def shaped(source: random.Random) -> str:
    """Blocks that open and close as they should, with random words of their own inside."""

    def body(block: str, depth: int) -> list[str]:
        own = [
            row for (home, _), row in TABLE.items() if home == block and not row.placeholder and row.form != "directive"
        ]
        rows = []
        for row in source.sample(own, min(len(own), source.randint(1, 12))) if own else []:
            values = [source.choice(VALUES[:40]) for _ in range(source.randint(0, len(row.arguments) + 1))]
            text = " ".join([row.name, *values])
            if row.opens or row.form == "value-block":
                inside = body(row.opens, depth + 1) if row.opens and depth < 4 else ["A B"]
                rows += [text + " {", *inside, "}"]
            else:
                rows.append(text)
        return rows

    return "\n".join(row for _ in range(4) for row in body("ROOT", 0))


@pytest.mark.parametrize("seed", range(40))
def test_nothing_that_a_file_holds_raises(seed: int) -> None:
    source = random.Random(seed)
    text = shaped(source) if seed % 2 else scramble(source, 60)
    print(f"seed {seed}")
    result = compile_text(text, "t.conf", CompileOptions(config_id="x", interfaces=frozenset({"eth0"})))
    failed = any(one.severity is Severity.ERROR for one in result.diagnostics)
    assert (result.configuration is None) is failed
    render(result.diagnostics, True, result.files)
    to_json(result.diagnostics)
    if result.configuration is not None:
        encode_documents(result.configuration)
