"""The same configuration gives the same kernel table after pyhad and after keepalived. ipvsadm is the witness.

pyhad's side is its own compiler, balancer and kernel writer in this process; keepalived's is the real daemon.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pyhad.common.config.compile import CompileOptions, compile_configuration
from pyhad.common.config.model import IpvsDocument, IpvsTimeouts
from pyhad.ipvs_proc.core.desired import Balancer
from pyhad.ipvs_proc.core.events import Configured
from pyhad.ipvs_proc.core.marks import allot, with_mark
from pyhad.ipvs_proc.core.reconcile import reconcile
from pyhad.ipvs_proc.core.table import Table
from pyhad.ipvs_proc.kernel import IpvsPlane
from tests.vm.differences import DIFFERENCES

pytestmark = pytest.mark.vm

CONFIGS = Path(__file__).parent / "configs"
PATIENCE_S = 40.0


def output(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def clear(plane: IpvsPlane) -> None:
    """As a kernel is after its boot."""
    plane.flush()
    plane.set_sync(None)
    plane.set_timeouts(IpvsTimeouts(tcp_s=900, tcp_fin_s=120, udp_s=300))


def seen(text: str) -> frozenset[str]:
    """All that ipvsadm shows: services and servers, thresholds, and where asked for timeouts and sync daemons."""
    lines = output("ipvsadm", "-Sn")
    if "threshold" in text:
        lines += [line for line in output("ipvsadm", "-Ln", "--thresholds") if line.startswith("->")]
    if "lvs_timeouts" in text:
        lines += output("ipvsadm", "-l", "--timeout")
    if "lvs_sync_daemon" in text:
        lines += output("ipvsadm", "-l", "--daemon")
    return frozenset(lines)


@pytest.fixture(scope="module")
def plane() -> Iterator[IpvsPlane]:
    """IPVS of this process's own namespace, with an interface for the sync daemons."""
    for command in (
        "link add d0 type dummy",
        "addr add 10.9.0.1/24 dev d0",
        "link set d0 multicast on up",
        "link set lo up",
    ):
        subprocess.run(("ip", *command.split()), check=True)
    plane = IpvsPlane()
    yield plane
    clear(plane)
    plane.close()
    subprocess.run(("ip", "link", "del", "d0"), check=True)


def document(config: Path) -> IpvsDocument:
    result = compile_configuration(str(config), CompileOptions(config_id="test"))
    assert result.configuration is not None, result.diagnostics
    ipvs = result.configuration.ipvs
    if ipvs.marking is None:
        return ipvs
    given = allot(ipvs.services, ipvs.marking.first_mark, {})
    return replace(ipvs, services=tuple(with_mark(one, given[one.id]) if one.marked else one for one in ipvs.services))


def ours(plane: IpvsPlane, config: Path) -> frozenset[str]:
    """What pyhad makes of it, and that it then finds nothing more to do."""
    clear(plane)
    wanted_document = document(config)
    balancer = Balancer()
    balancer.handle(Configured(document=wanted_document, actual={}), 0)
    wanted: Table = {}
    for listener in balancer.listeners:
        entry = balancer.wanted(listener)
        assert entry is not None
        wanted[listener] = entry
    plane.set_timeouts(wanted_document.timeouts)
    plane.set_sync(wanted_document.sync)
    assert [str(refusal.error) for refusal in plane.apply(reconcile(wanted, {}, ()))] == []
    assert reconcile(wanted, plane.read().table, ()) == []
    assert not plane.set_timeouts(wanted_document.timeouts)
    if wanted_document.sync is not None:
        assert plane.set_sync(wanted_document.sync) == 0
    return seen(config.read_text())


def theirs(plane: IpvsPlane, config: Path, expected: frozenset[str]) -> frozenset[str]:
    """What keepalived makes of it, once its table has come to rest, and is the expected one or is given up."""
    clear(plane)
    with tempfile.TemporaryDirectory() as folder:
        halves = "" if "vrrp_instance" in config.read_text() else "-C"  # a sync daemon may follow an instance
        command = f"keepalived -n {halves} -f {config} -p {folder}/p -c {folder}/c -r {folder}/r --log-console"
        with Path(f"{folder}/log").open("w") as log:
            daemon = subprocess.Popen(command.split(), stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE_S
        before, rested = plane.read().table, 0
        while rested < 4 and time.monotonic() < end:
            time.sleep(0.05)
            after = plane.read().table
            rested = rested + 1 if after and after == before else 0
            before = after
        found = seen(config.read_text())
        while found != expected and time.monotonic() < end:
            time.sleep(0.2)
            found = seen(config.read_text())
        daemon.terminate()
        daemon.wait(60)
        print(Path(f"{folder}/log").read_text())
    return found


@pytest.mark.behaviour("QRK-7")
@pytest.mark.behaviour("LVS-10")  # where ours differs, as DIFFERENCES say
@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.conf")), ids=lambda config: config.stem)
def test_the_kernel_has_the_same_table_after_both(plane: IpvsPlane, config: Path) -> None:
    here = ours(plane, config)
    expected = here
    for difference in DIFFERENCES:
        if difference.config == config.stem:
            assert difference.ours <= here
            expected = expected - difference.ours | difference.theirs
    there = theirs(plane, config, expected)
    assert {"pyhad": sorted(expected - there), "keepalived": sorted(there - expected)} == {
        "pyhad": [],
        "keepalived": [],
    }


def test_every_difference_is_explained_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "keepalived.md").read_text()
    assert [each.reason for each in DIFFERENCES if each.reason not in page] == []
