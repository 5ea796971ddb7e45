"""`make demo`: a fault after another, live, and what the client saw of each."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from demo import traffic
from demo.site import DIRECTORS, GATEWAY, VIP, WEB_SERVERS, Site
from demo.view import View
from tests.lab.net import Lab, LabError, require_root, wait_until

SETTLE_S = 2.0


class Story:
    """Tells what it does and what came of it, and keeps the figures for the summary."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.views = {name: View(site.run_dir(name)) for name in DIRECTORS}
        self.rows: list[tuple[str, traffic.Window, str]] = []
        self._start = time.monotonic()
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def say(self, text: str, style: str = "") -> None:
        """One line with the time since the start."""
        if style and self._colour:
            text = f"\033[{style}m{text}\033[0m"
        print(f"{time.monotonic() - self._start:5.1f} s  {text}", flush=True)

    # ------------------------------------------------------------------------------------------ scenes

    def tell(self) -> None:
        """All scenes, in order."""
        self.begin()
        client = self.site.start_client()
        wait_until(lambda: any(outcome.ok for outcome in traffic.read(client)), 10, "the client gets its first answer")
        time.sleep(1)
        self.scene(client, "nothing happens", lambda: None, lambda: True, "requests are shared")
        site, webs = self.site, self.site.webs
        self.scene(
            client, "web1 is killed", lambda: webs["web1"].kill(),
            lambda: self.healthy() == {"web2"}, "web1 is out of both tables",
        )  # fmt: skip
        self.scene(
            client, "web1 comes back", lambda: site.start_web("web1"),
            lambda: self.healthy() == {"web1", "web2"}, "web1 is in both tables again",
        )  # fmt: skip
        self.child_scene(client, "vrrp")
        self.child_scene(client, "checker")
        self.child_scene(client, "ipvs")
        self.scene(
            client, "d1, the master, is stopped", lambda: site.directors["d1"].stop(),
            lambda: self.is_master("d2"), "d2 is master",
        )  # fmt: skip
        self.scene(
            client, "d1 is started again", lambda: site.start_director("d1"),
            lambda: self.is_master("d1") and self.healthy() == {"web1", "web2"},
            "d1 is master again (it has the higher priority)", patience_s=15,
        )  # fmt: skip

    def begin(self) -> None:
        """Start everything and wait until the service is up."""
        self.say("two web servers, two directors (d1 priority 110, d2 priority 100), one client", "1")
        for name in WEB_SERVERS:
            self.site.start_web(name)
        for name in DIRECTORS:
            self.site.start_director(name)
        took = wait_until(lambda: self.is_master("d1"), 15, "d1 is master")
        self.say(f"d1 is master of {VIP} and {GATEWAY} after {took:.1f} s")
        wait_until(lambda: self.healthy() == {"web1", "web2"}, 15, "both web servers are in both tables")
        self.show_status("d1")

    def scene(
        self,
        client: Path,
        title: str,
        act: Callable[[], object],
        is_right: Callable[[], bool],
        outcome: str,
        patience_s: float = 10,
    ) -> None:
        """Do one thing, wait until everything is right again, and say what the client saw."""
        self.say(title, "1;33")
        begin_ns = time.monotonic_ns()
        act()
        wait_until(is_right, patience_s, outcome, every_s=0.01)
        took = f"{(time.monotonic_ns() - begin_ns) / 1e6:.0f} ms" if title != "nothing happens" else "-"
        self.say(f"  {outcome}" + (f", {took} later" if took != "-" else ""))
        time.sleep(SETTLE_S)
        window = traffic.between(traffic.read(client), begin_ns, time.monotonic_ns())
        shares = ", ".join(f"{name} {count}" for name, count in sorted(window.servers.items()))
        self.say(f"  client: {window.requests} requests, {window.lost} lost, longest gap "
                 f"{window.longest_gap_ms:.0f} ms ({shares})")  # fmt: skip
        self.rows.append((title, window, took))

    def child_scene(self, client: Path, process: str) -> None:
        """SIGKILL one child of the master."""
        old = self.views["d1"].process(process)

        def is_replaced() -> bool:
            new = self.views["d1"].process(process)
            ready = new is not None and old is not None and new.pid != old.pid and not new.silent
            return ready and self.is_master("d1") and self.healthy() == {"web1", "web2"}

        if old is None:
            raise LabError(f"d1 does not show its {process} process")
        self.scene(
            client, f"kill -9 of the {process} process of d1", lambda: os.kill(old.pid, signal.SIGKILL),
            is_replaced, "it is replaced, d1 is still master, the table is whole",
        )  # fmt: skip

    # ----------------------------------------------------------------------------------------- looking

    def is_master(self, name: str) -> bool:
        """One director is master, the other is not (a stopped one does not count)."""
        others = [view.is_master() for other, view in self.views.items() if other != name]
        return self.views[name].is_master() and not any(others)

    def healthy(self) -> set[str]:
        """The web servers that are in the table of every director that runs; empty while they differ."""
        tables = [view.servers() for name, view in self.views.items() if self.site.directors[name].alive]
        if not tables or any(table != tables[0] for table in tables):
            return set()
        names = {"10.0.0.11:80": "web1", "10.0.0.12:80": "web2"}
        return {names[server] for server in tables[0]}

    def show_status(self, name: str) -> None:
        """What `pyhadctl status` prints on a director."""
        self.say(f"`pyhadctl status` on {name}:")
        pyhadctl = str(Path(sys.executable).with_name("pyhadctl"))
        command = [pyhadctl, "--run-dir", str(self.site.run_dir(name)), "status"]
        sys.stdout.flush()
        subprocess.run(command, timeout=20, check=False)

    def summary(self) -> None:
        """The table at the end."""
        print()
        print(f"{'fault':<36} {'longest gap':>12} {'lost':>10} {'right after':>12}")
        for title, window, took in self.rows:
            lost = f"{window.lost}/{window.requests}"
            print(f"{title:<36} {window.longest_gap_ms:>9.0f} ms {lost:>10} {took:>12}")
        print()
        print("The client starts a new request every 10 ms; the gap is the longest time between two answers.")


def main() -> int:
    """0 when every scene ended as it should, 130 after Ctrl-C, 1 otherwise."""
    require_root()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    # The checkers run without privilege: they must be able to reach the run directories below this one.
    folder = Path(tempfile.mkdtemp(prefix="pyhad-demo."))
    folder.chmod(0o755)
    try:
        with Lab() as lab:
            story = Story(Site(lab, folder))
            try:
                story.tell()
            except LabError as error:
                print(f"demo: {error}", file=sys.stderr)
                _show_logs(folder)
                return 1
            story.summary()
    except KeyboardInterrupt:
        print("\ndemo: interrupted, everything is taken apart", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _show_logs(folder: Path) -> None:
    for log in sorted(folder.glob("d?.log")):
        lines = log.read_text(errors="replace").splitlines()
        print(f"--- the last lines of {log.name}", *lines[-25:], sep="\n", file=sys.stderr)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
