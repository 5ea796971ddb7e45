"""Something to check, on every address of 127/8: a small program for TCP and HTTP, nginx for TLS; and numbers of it."""

from __future__ import annotations

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
  server {{ listen {tls} ssl backlog=20000 {reuse}; ssl_certificate {cert}; ssl_certificate_key {key};
            ssl_session_cache off; ssl_session_tickets off; return 200 "Hello, world!"; }}
}}
"""


def built(source: str, folder: Path, *options: str) -> Path:
    """A program or library of this bench, compiled into `folder`."""
    made = folder / Path(source).stem
    command = ["cc", "-O2", *options, "-o", str(made), str(Path(__file__).with_name(source))]
    subprocess.run(command, check=True)
    return made


class Targets:
    """They run. Their CPU is nobody's but their own."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        Path("/proc/sys/net/core/somaxconn").write_text("20000")
        Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("10000 65000")
        text = _CONFIG.format(
            workers=workers, folder=folder, tls=TLS_PORT,
            reuse="reuseport" if workers > 1 else "", cert=_TLS / "server.pem", key=_TLS / "server.key",
        )  # fmt: skip
        (folder / "nginx.conf").write_text(text)
        nginx = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-e", "/dev/null"])
        answers = subprocess.Popen([built("answers.c", folder), str(TCP_PORT), str(HTTP_PORT)])
        self._processes = nginx, answers
        time.sleep(1)

    @property
    def pids(self) -> list[int]:
        """All of them."""
        return [pid for process in self._processes for pid in family(process.pid)]

    def close(self) -> None:
        """All its ports refuse from now on. Harmless when it is gone."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(20)


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
    """User and system time of these, all their threads."""
    used_ns = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                used_ns += int(thread.read_text().split()[0])
            except OSError:  # it has just ended
                continue
    return used_ns / 1e9


def private_kib(pids: list[int], fields: tuple[str, ...] = ("Private_Clean:", "Private_Dirty:")) -> int:
    """Memory that nobody shares with them; or those fields of smaps_rollup."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has just ended
            continue
        for line in lines:
            if line.startswith(fields):
                total += int(line.split()[1])
    return total
