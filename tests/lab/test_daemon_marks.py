"""`fwmark` and `bind_if` of checks: nft counts what the packets carry, and who may set marks can do nothing else."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from demo.view import View
from pyhad.checker_proc.core.marks import ANSWER, WISH
from pyhad.checker_proc.probes.mark_filter import shut_in
from pyhad.checker_proc.probes.mark_helper import obey
from pyhad.common import privileges
from tests.lab.net import Lab, wait_until

pytestmark = pytest.mark.lab
CONF = """
virtual_server 10.1.0.100 80 {{
    delay_loop 0.3
    warmup 0
    alpha
    lb_algo rr
    lb_kind NAT
    protocol TCP
    connect_timeout 1
    real_server 10.1.0.2 80 {{
        TCP_CHECK {{
            fwmark {tcp}
        }}
        HTTP_GET {{
            url {{
                path /
                status_code 200
            }}
            fwmark 17
        }}
        UDP_CHECK {{
            connect_port 53
            fwmark 18
        }}
        PING_CHECK {{
            fwmark 19
        }}
    }}
    real_server 10.1.0.3 80 {{
        TCP_CHECK {{
            bind_if eth1
        }}
    }}
}}
"""
SILENT = "import socket\nheld = socket.socket(type=2)\nheld.bind(('', 53))\nwhile True: held.recv(999)"
RULES = """
table inet seen {
    counter of_tcp16 { }
    counter of_tcp20 { }
    counter of_http { }
    counter of_udp { }
    counter of_ping { }
    counter of_device { }
    chain out {
        type filter hook output priority 0; policy accept;
        meta mark 16 tcp dport 80 counter name of_tcp16
        meta mark 20 tcp dport 80 counter name of_tcp20
        meta mark 17 tcp dport 80 counter name of_http
        meta mark 18 udp dport 53 counter name of_udp
        meta mark 19 icmp type echo-request counter name of_ping
        oifname "eth1" ip daddr 10.1.0.3 counter name of_device
    }
}
"""
BOTH = {"10.1.0.2:80", "10.1.0.3:80"}


def test_packets_carry_the_mark_and_go_out_of_the_device_that_is_configured(lab: Lab, open_folder: Path) -> None:
    for device in ("eth0", "eth1"):
        lab.wire("d1", device, "lan", f"10.1.0.{device[-1]}1/24")
    lab.wire("web", "eth0", "lan", "10.1.0.2/24", "10.1.0.3/24")
    lab.start("web", sys.executable, "-m", "http.server", "80", "-d", str(open_folder))
    lab.start("web", sys.executable, "-c", SILENT)
    (open_folder / "rules").write_text(RULES)
    lab.run("d1", "nft", "-f", str(open_folder / "rules"))
    conf, log = open_folder / "d1.conf", open_folder / "d1.log"
    conf.write_text(CONF.format(tcp=16))
    view = View(open_folder / "run")
    daemon = lab.start(
        "d1", str(Path(sys.executable).with_name("pyhad")), "--dont-fork", "--log-console", "--no-syslog",
        "--use-file", str(conf), "--run-dir", f"{open_folder}/run", log=log,
    )  # fmt: skip
    try:
        wait_until(lambda: view.servers() == BOTH, 30, "all checks succeed")
        assert seen(lab) == {"of_tcp16", "of_http", "of_udp", "of_ping", "of_device"}
        conf.write_text(CONF.format(tcp=20))  # a mark that the helper may not set: another checker, another helper
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: "of_tcp20" in seen(lab), 20, "the new mark is on the packets")
        wait_until(lambda: view.servers() == BOTH, 20, "it is checked")
        checker = view.process("checker")
        assert checker is not None
        helper = helper_of(checker.pid)
        assert rights(checker.pid) == 0
        assert rights(helper) == 1 << privileges.CAP_NET_ADMIN
        os.kill(helper, signal.SIGSTOP)
        wait_until(lambda: "mark_helper_lost" in log.read_text(), 30, "a helper that hangs is found")
        assert view.servers() == BOTH
    finally:
        sys.stdout.write(log.read_text()[-9000:])
    assert daemon.stop() == 0


def seen(lab: Lab) -> set[str]:
    """Counters that are not 0."""
    words = lab.run("d1", "nft", "list", "counters").replace("{", " ").split()
    return {words[at + 1] for at, word in enumerate(words) if word == "counter" and int(words[at + 3]) > 0}


def helper_of(checker: int) -> int:
    for child in Path(f"/proc/{checker}/task/{checker}/children").read_text().split():
        if Path(f"/proc/{child}/comm").read_text() == "pyhad_marks\n":
            return int(child)
    raise AssertionError("no helper")


def rights(pid: int) -> int:
    [line] = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("CapEff:")]
    return int(line.split()[1], 16)


@pytest.mark.skipif(os.uname().machine not in ("x86_64", "aarch64"), reason="the filter knows these two machines")
def test_who_sets_marks_can_do_nothing_else() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        ours.close()
        live(theirs)
    theirs.close()
    ours.settimeout(20)
    assert ours.recv(1000) == b"socket 1, open 1, fork 1, kill 1, option 1, exec 1"
    with socket.socket() as marked:
        assert wish(ours, 5, marked) == 0
        assert marked.getsockopt(socket.SOL_SOCKET, 36) == 5
        assert wish(ours, 6, marked) == 1
        assert wish(ours, 5) == 1
    ours.send(b"nonsense")
    ours.close()
    assert os.waitpid(pid, 0)[1] == 0


def live(channel: socket.socket) -> None:
    """The life of the helper, with what it is refused told first."""
    privileges.no_new_privileges()
    shut_in()
    tries = {
        "socket": socket.socket, "open": lambda: os.open("/etc/passwd", os.O_RDONLY), "fork": os.fork,
        "kill": lambda: os.kill(1, 0),
        "option": lambda: channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 5000),
        "exec": lambda: os.execv("/bin/true", ["true"]),
    }  # fmt: skip
    said = []
    for name, attempt in tries.items():
        try:
            attempt()  # type: ignore[operator]
            said.append(f"{name} done")
        except OSError as error:
            said.append(f"{name} {error.errno}")
    channel.send(", ".join(said).encode())
    while obey(channel, frozenset({5})):
        pass
    os._exit(0)


def wish(channel: socket.socket, mark: int, *sockets: socket.socket) -> int:
    socket.send_fds(channel, [WISH.pack(1, mark)], [one.fileno() for one in sockets])
    number, problem = ANSWER.unpack(channel.recv(100))
    assert (number, type(problem)) == (1, int)
    return int(problem)
