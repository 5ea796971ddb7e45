"""Client, director and two real servers in namespaces, and HTTP between them. For both data planes alike.

client 192.0.2.10 - director 192.0.2.1, 10.1.0.1 - web1 10.1.0.11, web2 10.1.0.12 (and fd00:: likewise); real servers
route back through the director.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.lab.net import Lab, Running, wait_until

VIP = "192.0.2.1"
VIP6 = "fd00:2::1"

_WEB = """
import http.server, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = sys.argv[1].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words): pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    request_queue_size = 128
Server(("::", 80), Handler).serve_forever()
"""

_CLIENT = """
import http.client, json, sys, time
address, count, pause_s, until_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
answers, end = [], time.monotonic() + until_s
while len(answers) < count and time.monotonic() < end:
    at = time.monotonic_ns()
    try:
        c = http.client.HTTPConnection(address, int(sys.argv[5]), timeout=20)
        c.request("GET", "/")
        answer = c.getresponse().read().decode()
        c.close()
    except OSError as error:
        answer = type(error).__name__
    answers.append([at, answer])
    if pause_s:
        time.sleep(pause_s)
print(json.dumps(answers))
"""


def build(lab: Lab) -> None:
    """Hosts, wires, routes and web servers."""
    lab.host("director", forward=True)
    lab.wire("client", "eth0", "front", "192.0.2.10/24", "fd00:2::10/64")
    lab.wire("director", "eth0", "front", f"{VIP}/24", f"{VIP6}/64")
    lab.wire("director", "eth1", "back", "10.1.0.1/24", "fd00:1::1/64")
    lab.sysctl("director", "net.ipv6.conf.all.forwarding", "1")
    for number in (1, 2):
        lab.wire(f"web{number}", "eth0", "back", f"10.1.0.1{number}/24", f"fd00:1::1{number}/64")
        lab.route(f"web{number}", "default", "via", "10.1.0.1")
        lab.run(f"web{number}", "ip", "-6", "route", "add", "default", "via", "fd00:1::1")
        start_web(lab, number)


def start_web(lab: Lab, number: int) -> Running:
    """The web server of a host, once it listens."""
    web = lab.start(f"web{number}", sys.executable, "-c", _WEB, f"web{number}")
    wait_until(lambda: ":80" in lab.run(f"web{number}", "ss", "-Hltn"), 20, f"web{number} listens")
    return web


def get(lab: Lab, count: int, *, address: str = VIP, port: int = 80) -> dict[str, int]:
    """So many requests one after the other; how many each answered (or failed in which way)."""
    arguments = (address, str(count), "0", "60", str(port))
    answers = json.loads(lab.run("client", sys.executable, "-c", _CLIENT, *arguments, timeout_s=90))
    words = [answer for _, answer in answers]
    return {word: words.count(word) for word in sorted(set(words))}


def start_load(lab: Lab, folder: Path, *, for_s: float, pause_s: float = 0.005) -> Running:
    """Requests without end in the background; read them with `load_answers`."""
    arguments = (VIP, "1000000", str(pause_s), str(for_s), "80")
    return lab.start("client", sys.executable, "-c", _CLIENT, *arguments, log=folder / "load.json")


def load_answers(load: Running) -> list[Any]:
    """All answers of a load that has come to its end: [time it was asked at (monotonic ns), answer]."""
    load.wait(60)
    answers: list[Any] = json.loads(load.log())
    return answers
