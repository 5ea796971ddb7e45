"""The site of the demonstration: who is wired to what, and the plain keepalived.conf of each director.

      client .10                     outside 192.0.2.0/24
         |
---------+---------------------------------------
   |                        |
 d1 .11   VIP .100 ->     d2 .12      (VRRP, whoever is master holds .100 and 10.0.0.1)
   | .2                     | .3      inside 10.0.0.0/24
---+---------+------------+---+-----
           web1 .11     web2 .12      (default route 10.0.0.1: NAT, the servers see the client)
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.lab.net import Lab, Running

VIP = "192.0.2.100"
GATEWAY = "10.0.0.1"
DIRECTORS = ("d1", "d2")
WEB_SERVERS = ("web1", "web2")

CONFIG = """\
global_defs {{
    router_id {name}
}}

vrrp_instance VI_1 {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 1
    virtual_ipaddress {{
        {vip}/24
    }}
    virtual_ipaddress_excluded {{
        {gateway}/24 dev eth1
    }}
}}

virtual_server {vip} 80 {{
    delay_loop 1
    lb_algo rr
    lb_kind NAT
    protocol TCP

    real_server 10.0.0.11 80 {{
        TCP_CHECK {{
            connect_timeout 1
            retry 0
        }}
    }}
    real_server 10.0.0.12 80 {{
        TCP_CHECK {{
            connect_timeout 1
            retry 0
        }}
    }}
}}
"""


class Site:
    """Everything wired and running, and the handles to break it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.directors: dict[str, Running] = {}
        self.webs: dict[str, Running] = {}
        self._wire()

    def _wire(self) -> None:
        lab = self.lab
        for index, name in enumerate(DIRECTORS, 1):
            lab.host(name, forward=True)
            lab.wire(name, "eth0", "outside", f"192.0.2.1{index}/24")
            lab.wire(name, "eth1", "inside", f"10.0.0.{index + 1}/24")
            config = CONFIG.format(name=name, priority=120 - 10 * index, vip=VIP, gateway=GATEWAY)
            (self.folder / f"{name}.conf").write_text(config)
        for index, name in enumerate(WEB_SERVERS, 1):
            lab.wire(name, "eth0", "inside", f"10.0.0.1{index}/24")
            lab.route(name, "default", "via", GATEWAY)
        lab.wire("client", "eth0", "outside", "192.0.2.10/24")

    def run_dir(self, name: str) -> Path:
        """Where the daemon of a director keeps its sockets."""
        return self.folder / f"run-{name}"

    def start_web(self, name: str) -> None:
        self.webs[name] = self.lab.start(name, sys.executable, "-m", "demo.web", name, "80")

    def start_director(self, name: str) -> None:
        """pyhad in the foreground on a director, its log in the folder."""
        pyhad = str(Path(sys.executable).with_name("pyhad"))
        self.directors[name] = self.lab.start(
            name, pyhad, "--dont-fork", "--log-console", "--no-syslog",
            "--use-file", str(self.folder / f"{name}.conf"), "--run-dir", str(self.run_dir(name)),
            log=self.folder / f"{name}.log",
        )  # fmt: skip

    def start_client(self) -> Path:
        """The client's requests; returns the file of its outcomes."""
        log = self.folder / "client.txt"
        self.lab.start("client", sys.executable, "-m", "demo.client", VIP, "80", log=log)
        return log
