"""Small whole configurations drawn by chance, all of them valid, for reloads between any two of them.

What they are made of is few and shared, so that two of them touch: instances, addresses, routes, rules, virtual MACs,
groups, scripts, static items, services with real servers and their checks. Everything comes to rest within a second or
so, and where it rests does not depend on what was before: nobody else is on the segment, each check has one answer.
"""

from __future__ import annotations

from random import Random

TABLE = 77
_INTERFACES = {"eth0": "192.0.2", "eth1": "198.51.100"}
_ROUTERS = ("VI_1", "VI_2", "VI_3", "VI_4")
_SCRIPTS = {"well": "/bin/true", "ill": "/bin/false"}
_SERVICES = ("192.0.2.100 80", "192.0.2.101 443", "203.0.113.9 53")
_CHECKS = (
    "",
    "",
    "TCP_CHECK {\n connect_ip 192.0.2.1\n connect_port 9\n connect_timeout 1\n retry 0\n }",
    "MISC_CHECK {\n misc_path /bin/true\n }",
    "MISC_CHECK {\n misc_path /bin/false\n retry 0\n }",
)
_HEAD = """global_defs {
    router_id lab
    script_user root
    enable_script_security
    pyhad_data_plane nftables
    vrrp_garp_master_delay 1
    vrrp_version 3
    checker_log_all_failures false
}
"""


def block(name: str, *entries: str) -> str:
    """A block of these lines; nothing when there are none."""
    lines = [one for one in entries if one]
    return "".join((f"{name} {{\n", *(f"    {one}\n" for one in lines), "}\n")) if lines else ""


class SmallFile:
    """One configuration; `text` is the file."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        names = sorted(chance.sample(_ROUTERS, chance.randrange(4)))
        tracked = chance.random() < 0.5
        routers = [self._router(name, tracked=tracked) for name in names]
        scripts = [
            f'vrrp_script {name} {{\n    script "{path}"\n    interval 1\n    rise 1\n    fall 1\n    init_fail\n}}\n'
            for name, path in _SCRIPTS.items()
            if any(f" {name}" in one for one in routers)
        ]
        group = ""
        if len(names) > 1 and not tracked and chance.random() < 0.4:
            group = block("vrrp_sync_group VG", block("group", *names[:2]).rstrip())
        services = [self._service(name) for name in sorted(chance.sample(_SERVICES, chance.randrange(4)))]
        self.text = "".join((_HEAD, self._statics(), *scripts, *routers, group, *services))

    def _some(self, *words: str, each: float = 0.5) -> list[str]:
        return [word for word in words if self._chance.random() < each]

    def _statics(self) -> str:
        return "".join((
            block("static_ipaddress", *self._some("192.0.2.61/24 dev eth0", "198.51.100.61/24 dev eth1",
                                                  "fd00:2::61/64 dev eth0", each=0.3)),
            block("static_routes", *self._some("10.61.0.0/16 via 192.0.2.250 dev eth0",
                                               f"10.62.0.0/16 via 198.51.100.250 dev eth1 table {TABLE} metric 5",
                                               "blackhole 10.63.0.0/16", each=0.3)),
            block("static_rules", *self._some(f"from 10.64.0.0/16 table {TABLE} priority 1061",
                                              f"to 10.65.0.0/16 table {TABLE} priority 1062", each=0.3)),
        ))  # fmt: skip

    def _router(self, name: str, *, tracked: bool) -> str:
        number, chance = _ROUTERS.index(name) + 1, self._chance
        interface = chance.choice(tuple(_INTERFACES))
        net = _INTERFACES[interface]
        is_ipv6 = chance.random() < 0.25
        if is_ipv6:
            addresses = [f"fe80::1:{number}/64", *self._some(f"fd00:2::{number}0/64", f"fd00:2::{number}1/64")]
        else:
            addresses = [f"{net}.1{number}{last}/24" for last in sorted(chance.sample(range(4), chance.randint(1, 3)))]
        metric = chance.choice((5, 6))
        routes = (
            f"10.{number}.0.0/16 via {net}.250 dev {interface}",
            f"10.{number}0.0.0/16 via {net}.251 dev {interface} metric {metric}",
        ) * (not is_ipv6)
        rules = (f"from 10.{number}.0.0/16 table {TABLE} priority {1000 + number}",) * (not is_ipv6)
        scripts = self._some("well", "ill weight -10", "ill", each=0.25) if tracked else []
        excluded = self._some(f"203.0.113.{number}/32 dev {interface}", each=0.3)
        entries = (
            f"interface {interface}",
            f"virtual_router_id {chance.choice((50, 60)) + number}",
            f"priority {chance.choice((100, 150))}",
            f"advert_int {chance.choice(('0.1', '0.2'))}",
            *self._some("state MASTER", "nopreempt" if not tracked else "", "use_vmac", each=0.35),
            block("virtual_ipaddress", *addresses).rstrip(),
            block("virtual_ipaddress_excluded", *excluded).rstrip(),
            block("virtual_routes", *self._some(*routes)).rstrip(),
            block("virtual_rules", *self._some(*rules)).rstrip(),
            block("track_script", *scripts[:1]).rstrip(),
        )  # fmt: skip
        if "state MASTER" in entries:
            entries = tuple(one for one in entries if one != "nopreempt")
        return block(f"vrrp_instance {name}", *entries)

    def _service(self, name: str) -> str:
        chance = self._chance
        numbers = sorted(chance.sample(range(1, 5), chance.randint(1, 4)))
        servers = [self._server(number) for number in numbers]
        return block(
            f"virtual_server {name}",
            "delay_loop 1",
            f"lb_algo {chance.choice(('rr', 'wrr'))}",
            "lb_kind NAT",
            f"protocol {'UDP' if name.endswith(' 53') else 'TCP'}",
            *self._some("alpha", f"quorum {min(2, len(numbers))}", "sorry_server 10.9.0.9 80", each=0.25),
            *servers,
        )

    def _server(self, number: int) -> str:
        weight, check = self._chance.choice((1, 1, 3)), self._chance.choice(_CHECKS)
        inhibit = self._some("inhibit_on_failure", each=0.15)
        return block(f"real_server 10.9.0.{number} 80", f"weight {weight}", *inhibit, check).rstrip()
