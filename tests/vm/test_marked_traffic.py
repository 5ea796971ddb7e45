"""Packets find their service by a mark: one service of IPVS for all addresses of a group, by the whole daemon.

Where the kernel has nftables beside IPVS the marks are the daemon's own (`nftables_ipvs`); Debian's User Mode Linux has
not, and there a classifier on the interface stands in. `tests/vm/build-uml-kernel.sh` builds one that has both:
PYHAD_LAB_KERNEL=.cache/lab-kernel/linux-custom tests/vm/run tests/vm/test_marked_traffic.py
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.net import Lab, LabError, wait_until
from tests.vm import traffic

pytestmark = [pytest.mark.vm, pytest.mark.behaviour("LVS-22")]

ADDRESSES = ("192.0.2.1", "192.0.2.2", "192.0.2.3")
_GROUP = """
virtual_server_group {0} {{
    {1}
}}
virtual_server group {0} {{
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server {2}1 80 {{
    }}
    real_server {2}2 80 {{
    }}
}}
"""
BY_NFTABLES = (
    "global_defs {\n nftables_ipvs\n}\n"
    + _GROUP.format("WEB", "192.0.2.1 80\n 192.0.2.2-3 80", "10.1.0.1")
    + _GROUP.format("SIX", "fd00:2::1 80", "fd00:1::1")
)
BY_CLASSIFIER = _GROUP.format("WEB", "fwmark 1000", "10.1.0.1") + _GROUP.format("SIX", "fwmark 1001", "fd00:1::1")
TABLE = {
    "-A -f 1000 -s rr", "-a -f 1000 -r 10.1.0.11:{0} -m -w 1", "-a -f 1000 -r 10.1.0.12:{0} -m -w 1",
    "-A -f 1001 -6 -s rr", "-a -f 1001 -6 -r [fd00:1::11]:{0} -m -w 1", "-a -f 1001 -6 -r [fd00:1::12]:{0} -m -w 1",
}  # fmt: skip


def has_nftables(lab: Lab) -> bool:
    """For IPv4 and IPv6, on the director."""
    try:
        lab.run(
            "director", "nft", "add table ip probe; add table ip6 probe; delete table ip probe; delete table ip6 probe"
        )
    except LabError:
        return False
    return True


def mark_by_classifier(lab: Lab) -> None:
    """What `nftables_ipvs` does, at another place before IPVS."""
    match = "flower ip_proto tcp dst_port 80 dst_ip"
    rules = [f"protocol ip pref 1 {match} {address} action skbedit mark 1000" for address in ADDRESSES]
    rules.append(f"protocol ipv6 pref 2 {match} {traffic.VIP6} action skbedit mark 1001")
    commands = ["tc qdisc add dev eth0 clsact", *(f"tc filter add dev eth0 ingress {rule}" for rule in rules)]
    lab.run("director", "sh", "-ec", "\n".join(commands), timeout_s=60)


@pytest.fixture(scope="module")
def site() -> Iterator[Lab]:
    """The daemon runs on the director, and its table is there."""
    with tempfile.TemporaryDirectory(prefix="pyhad-marked.") as name, Lab() as lab:
        folder = Path(name)
        folder.chmod(0o755)
        traffic.build(lab)
        lab.run("director", "sh", "-ec", "\n".join(f"ip addr add {one}/24 dev eth0" for one in ADDRESSES[1:]))
        is_real = has_nftables(lab)
        if not is_real:
            mark_by_classifier(lab)
        (folder / "k.conf").write_text(BY_NFTABLES if is_real else BY_CLASSIFIER)
        words = ("-n", "-l", "--no-syslog", "-f", str(folder / "k.conf"), "--run-dir", str(folder / "run"))
        log = folder / "pyhad.log"
        daemon = lab.start("director", str(Path(sys.executable).with_name("pyhad")), *words, log=log)
        try:
            wait_until(lambda: saved(lab) == {line.format(80) for line in TABLE}, 60, "the table is there", every_s=0.3)
            yield lab
        finally:
            print("\n".join(log.read_text().splitlines()[-40:]))
        daemon.stop(40)


def saved(lab: Lab) -> set[str]:
    return set(lab.run("director", "ipvsadm", "-Sn").splitlines())


def test_one_service_deals_the_connections_of_all_addresses(site: Lab) -> None:
    shares = [traffic.get(site, 2, address=address) for address in ADDRESSES]
    assert shares == [{"web1": 1, "web2": 1}] * 3


def test_likewise_for_ipv6(site: Lab) -> None:
    assert traffic.get(site, 4, address=traffic.VIP6) == {"web1": 2, "web2": 2}


def test_a_port_that_is_not_marked_has_no_service(site: Lab) -> None:
    assert traffic.get(site, 1, port=81) == {"ConnectionRefusedError": 1}
