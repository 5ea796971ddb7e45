"""The messages of docs/diagnostics.md: broken files and what is said of them, as the program says it.

    .venv/bin/python -m tools.diagnostics docs/diagnostics.md

Writes what stands between its two marks; a test says when that is stale. The files are those of tests/data/broken, one
whose script is not there, and one of 200,000 lines that is made here.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pyhad.common.config.compile import CompileOptions, CompileResult, compile_configuration, compile_text
from pyhad.common.config.diagnostics import render
from pyhad.ctl.lint_scripts import lint_scripts

BEGIN, END = "<!-- messages begin -->", "<!-- messages end -->"
ROOT = Path(__file__).resolve().parents[1]
_OPTIONS = CompileOptions(config_id="node1")
_NO_SCRIPT = """vrrp_script nginx {
    script "/usr/local/bin/check_nginx --fast"
    interval 2
    user root
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        192.0.2.100/24
    }
    track_script {
        nginx
    }
}
"""
_SHOWN_LINES = 45


def large_file() -> str:
    """200,000 lines; the same mistake in 20,000 of them."""
    server = "    real_server 10.{}.{}.{} 80 {{\n        wieght 1\n        TCP_CHECK {{\n            retry 2\n"
    server += (
        "            connect_timeout 3\n            delay_loop 5\n        }}\n        inhibit_on_failure\n    }}\n"
    )
    servers = "".join(server.format(n >> 16, n >> 8 & 255, n & 255) for n in range(20_000))
    head = "virtual_server 192.0.2.100 80 {\n    lb_algo wrr\n    lb_kind NAT\n    protocol TCP\n"
    return head + servers + "}\n" + "# the end\n" * (200_000 - 9 * 20_000 - 5)


def messages() -> str:
    """All of it as markdown."""
    parts = [_section(path.stem, path.read_bytes(), _said_of(path)) for path in _files()]
    linted = compile_text(_NO_SCRIPT, "no_script.conf", _OPTIONS)
    said = render(lint_scripts(linted), False, ("no_script.conf",))
    parts.append(_section("no_script", _NO_SCRIPT.encode(), said, command="pyhadctl config lint"))
    text = large_file()
    said = _rendered(compile_text(text, "large.conf", _OPTIONS))
    parts.append(f"### `large.conf`: {len(text.splitlines()):,} lines\n\n{_fence(said)}")
    return "\n".join(parts)


def refreshed(page: str) -> str:
    """`page` with the part between its marks made anew. Raises ValueError where a mark is missing."""
    before, after = page.index(BEGIN) + len(BEGIN), page.index(END)
    return f"{page[:before]}\n\n{messages()}\n{page[after:]}"


def _files() -> list[Path]:
    return sorted((ROOT / "tests/data/broken").glob("*.conf"))


def _said_of(path: Path) -> str:
    return _rendered(compile_configuration(str(path), _OPTIONS)).replace(f"{path.parent}/", "")


def _rendered(result: CompileResult) -> str:
    return render(result.diagnostics, False, result.files)


def _section(name: str, text: bytes, said: str, command: str = "pyhad -t -f") -> str:
    shown = text.decode("utf-8-sig").replace("\r", "").expandtabs(4)
    return f"### `{name}.conf`\n\n{_fence(shown)}\n`{command} {name}.conf` says:\n\n{_fence(said or '(nothing)')}"


def _fence(text: str) -> str:
    lines = text.rstrip("\n").split("\n")
    if len(lines) > _SHOWN_LINES:
        lines = [*lines[:_SHOWN_LINES], f"... {len(lines) - _SHOWN_LINES} lines more"]
    return "\n".join(["```", *(line.rstrip() for line in lines), "```", ""])


def main(arguments: list[str]) -> int:
    """Rewrites the generated part of the page named."""
    page = Path(arguments[0])
    page.write_text(refreshed(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
