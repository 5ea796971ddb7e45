"""How long nftables takes for a table of pyhad: to program it, to reload it, to read it back. On this machine's kernel.

    .venv/bin/python -m bench.nft [SERVICESxSERVERS ...]

Root; in a network namespace of its own. Beside it `nft -f` with pyhad's own ruleset as text, the tool everybody has.
From the configuration in memory to the whole table, by the owner's own writer; then the reload of the same, with one
weight changed, with half of the servers replaced. Memory: what this process grew by while it held the table.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.ipvs import Owner, configuration, replaced, reweighted, timed
from pyhad.common.config.compile import CompileOptions, compile_text
from pyhad.common.config.model import IpvsDocument
from pyhad.ipvs_proc.nftables import NftablesPlane

SIZES = ("1x100", "10x100", "100x100")
IN_NAMESPACE = "PYHAD_BENCH_NAMESPACE"


def rss_mib() -> float:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def document_of(text: str) -> IpvsDocument:
    """The compiled configuration."""
    result = compile_text(text, "bench.conf", CompileOptions(config_id="bench"))
    assert result.configuration is not None, result.diagnostics[:3]
    return result.configuration.ipvs


def restore() -> float:
    """`nft -f` of what is in the kernel now."""
    saved = subprocess.run(("nft", "list", "ruleset"), capture_output=True, check=True).stdout
    with tempfile.NamedTemporaryFile() as file:
        file.write(saved)
        file.flush()
        subprocess.run(("nft", "flush", "ruleset"), check=True)
        took, _ = timed(lambda: subprocess.run(("nft", "-f", file.name), check=True))
    return took


def measure(services: int, servers: int) -> None:
    """One table."""
    document = document_of(configuration(services, servers))
    before = rss_mib()
    owner = Owner(NftablesPlane())
    print(f"\n{services} services x {servers} servers          seconds   CPU s   changes")
    for what, wanted in (
        ("program", document),
        ("reload, nothing changed (read back)", dataclasses.replace(document, generation=2)),
        ("reload, one weight changed", reweighted(document)),
        ("reload, half replaced", replaced(document)),
    ):
        written = owner.written
        took, cpu = timed(lambda wanted=wanted: owner.apply(wanted))  # type: ignore[misc]
        print(f"{what:40}{took:8.3f}{cpu:8.3f}{owner.written - written:10}", flush=True)
    print(f"{'nft -f of the same':40}{restore():8.3f}")
    print(f"{'memory while it holds the table, MiB':40}{rss_mib() - before:8.1f}", flush=True)
    owner.plane.retire()


def main(sizes: list[str]) -> None:
    """Print one table for each size, in a namespace of our own."""
    if IN_NAMESPACE not in os.environ:
        command = ("unshare", "--net", sys.executable, "-m", "bench.nft", *sizes)
        sys.exit(subprocess.run(command, env={**os.environ, IN_NAMESPACE: "1"}, check=False).returncode)
    for size in sizes:
        services, servers = (int(part) for part in size.split("x"))
        measure(services, servers)


if __name__ == "__main__":
    main(sys.argv[1:] or list(SIZES))
