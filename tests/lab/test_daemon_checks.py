"""The whole daemon with a keepalived.conf of every kind of checker, against real servers, to the table and back."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path

import pytest

from demo.view import View
from tests.lab.net import Lab, wait_until
from tests.lab.tools import needs, needs_smtpd, smtpd

TLS = Path(__file__).parents[1] / "data" / "tls"
pytestmark = [
    pytest.mark.lab,
    needs("nginx", "nginx-light"),
    needs("dnsmasq", "dnsmasq-base"),
    needs_smtpd,
]

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 10.1.0.2:443 ssl; ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
            ssl_client_certificate {folder}/ca.pem; ssl_verify_client on;
            location / {{ return 200 "name=$ssl_server_name from $ssl_client_s_dn"; }} }}
}}
"""
PYHAD = """
global_defs {{
    router_id d1
}}
SSL {{
    password "very secret"
    certificate {folder}/client.pem
    key {folder}/client.key
}}
track_file drain {{
    file {folder}/drain
}}
virtual_server 10.1.0.100 80 {{
    delay_loop 0.3
    warmup 0
    delay_before_retry 0.3
    lb_algo wrr
    lb_kind NAT
    protocol TCP
    connect_timeout 1
    real_server 10.1.0.2 443 {{
        weight 5
        SSL_GET {{
            url {{
                path /
                regex "^name=www\\.example\\.org from CN=director$"
            }}
            sni_name www.example.org
            delay_before_retry 0.3
        }}
        FILE_CHECK {{
            track_file drain
        }}
    }}
    real_server 10.1.0.2 25 {{
        SMTP_CHECK {{
            helo_name d1.example
        }}
    }}
    real_server 10.1.0.2 53 {{
        DNS_CHECK {{
            type A
            name www.example
            delay_before_retry 0.3
            retry 0
        }}
    }}
    real_server 10.1.0.2 54 {{
        UDP_CHECK {{
            connect_port 53
            payload 0001 0100 0001 0000 0000 0000 00 0006 0001
            require_reply 0001
        }}
    }}
}}
"""
ALL = {"10.1.0.2:443", "10.1.0.2:25", "10.1.0.2:53", "10.1.0.2:54"}


@pytest.mark.behaviour("CHK-26", "CHK-40", "CHK-50", "CHK-80", "CHK-90")
def test_every_kind_decides_about_the_table_and_the_checker_holds_no_right(lab: Lab, open_folder: Path) -> None:
    for name in ("d1", "web"):
        lab.host(name)
    lab.wire("d1", "eth0", "lan", "10.1.0.1/24")
    lab.wire("web", "eth0", "lan", "10.1.0.2/24")
    for file in TLS.glob("*.*"):
        shutil.copy(file, open_folder)
    for secret in ("client.key", "client.pem"):
        (open_folder / secret).chmod(0o600)  # root's alone: the compiler reads them, nobody else
    (open_folder / "nginx.conf").write_text(NGINX.format(folder=open_folder))
    (open_folder / "smtpd.conf").write_text(
        'listen on 10.1.0.2 port 25 hostname mx.example\naction "local" mbox\nmatch for local action "local"\n'
    )
    servers = {
        "nginx": lab.start("web", "nginx", "-c", f"{open_folder}/nginx.conf", "-e", f"{open_folder}/nginx.log"),
        "smtpd": lab.start("web", *smtpd(open_folder / "smtpd.conf")),
        "dnsmasq": lab.start(
            "web", "dnsmasq", "-k", "-C", "/dev/null", "--no-resolv", "--no-hosts", "--pid-file", "--user=root",
            "--address=/www.example/10.1.2.3", "--listen-address=10.1.0.2", "--bind-interfaces",
        ),
    }  # fmt: skip
    (open_folder / "d1.conf").write_text(PYHAD.format(folder=open_folder))
    log = open_folder / "d1.log"
    pyhad = str(Path(sys.executable).with_name("pyhad"))
    daemon = lab.start(
        "d1", pyhad, "--dont-fork", "--log-console", "--no-syslog", "--use-file", f"{open_folder}/d1.conf",
        "--run-dir", f"{open_folder}/run", log=log,
    )  # fmt: skip
    try:
        view = View(open_folder / "run")
        wait_until(lambda: succeeded(view) == ALL, 15, "every check has succeeded")
        wait_until(lambda: view.servers() == ALL, 5, "all are in the table")
        assert weight(view, "10.1.0.2:443") == 5
        checker = view.process("checker")
        assert checker is not None
        assert "CapEff:\t0000000000000000" in Path(f"/proc/{checker.pid}/status").read_text()
        (open_folder / "drain").write_text("7\n")
        wait_until(lambda: weight(view, "10.1.0.2:443") == 12, 5, "the file adds to the weight")
        (open_folder / "drain").write_text("-2147483648\n")
        wait_until(lambda: "10.1.0.2:443" not in view.servers(), 5, "the file takes the server out")
        (open_folder / "drain").unlink()
        wait_until(lambda: weight(view, "10.1.0.2:443") == 5, 5, "without the file the weight is the configured one")
        for name, gone in (("smtpd", {"25"}), ("dnsmasq", {"53", "54"}), ("nginx", {"443"})):
            servers[name].signal(signal.SIGTERM)
            lost = {f"10.1.0.2:{port}" for port in gone}
            wait_until(lambda lost=lost: not lost & view.servers(), 10, f"{name} is gone from the table")
        wait_until(lambda: log.read_text().count('"connect_refused"') >= 3, 5, "the log says why they are gone")
        assert "very secret" not in log.read_text()
        assert "PRIVATE KEY" not in log.read_text()
    finally:
        sys.stdout.write(log.read_text()[-6000:])
    assert daemon.stop() == 0


def succeeded(view: View) -> set[str]:
    status = view.status()
    if status is None or status.checker is None:
        return set()
    return {one.verdict.server for one in status.checker.servers if one.verdict.reason == "check_succeeded"}


def weight(view: View, server: str) -> int:
    status = view.status()
    if status is None or status.ipvs is None:
        return -1
    found = [one.weight for service in status.ipvs.services for one in service.destinations if one.server == server]
    return found[0] if found else -1
