"""Something to check: an nginx that answers on every address of 127/8, for TCP, HTTP and TLS; and its numbers."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

TCP_PORT, HTTP_PORT, TLS_PORT = 7001, 7002, 7003
PORTS = {"tcp": TCP_PORT, "http": HTTP_PORT, "tls": TLS_PORT, "ping": 0}
_TLS = Path(__file__).parents[2] / "tests" / "data" / "tls"
_CONFIG = """
daemon off; worker_processes {workers}; worker_rlimit_nofile 60000; pid {folder}/nginx.pid;
error_log /dev/null crit; user root;
events {{ worker_connections 30000; multi_accept on; }}
http {{
  access_log off; keepalive_timeout 0; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen {tcp} backlog=20000 {reuse}; listen {http} backlog=20000 {reuse}; return 200 "Hello, world!"; }}
  server {{ listen {tls} ssl backlog=20000 {reuse}; ssl_certificate {cert}; ssl_certificate_key {key};
            ssl_session_cache off; ssl_session_tickets off; return 200 "Hello, world!"; }}
}}
"""


class Targets:
    """A running nginx. Its CPU is nobody's but its own."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        Path("/proc/sys/net/core/somaxconn").write_text("20000")
        Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("10000 65000")
        text = _CONFIG.format(
            workers=workers, folder=folder, tcp=TCP_PORT, http=HTTP_PORT, tls=TLS_PORT,
            reuse="reuseport" if workers > 1 else "", cert=_TLS / "server.pem", key=_TLS / "server.key",
        )  # fmt: skip
        (folder / "nginx.conf").write_text(text)
        self._process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-e", "/dev/null"])
        time.sleep(1)

    def close(self) -> None:
        """All its ports refuse from now on. Harmless when it is gone."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)


def asked() -> int:
    """Connections begun and pings sent in this network namespace so far, whoever did."""
    rows = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines()]
    pairs = zip(rows[::2], rows[1::2], strict=True)
    found = {f"{names[0]}{name}": value for names, values in pairs for name, value in zip(names, values, strict=True)}
    return int(found["Tcp:ActiveOpens"]) + int(found["Icmp:OutEchos"])


def family(pid: int) -> list[int]:
    """A process and everything below it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in family(int(child)))]


def cpu_s(pids: list[int]) -> float:
    """User and system time of these."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def private_kib(pids: list[int]) -> int:
    """Memory that nobody shares with them."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has just ended
            continue
        for line in lines:
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                total += int(line.split()[1])
    return total
