"""`python -m tests.fuzz packet|machine|configuration|response [--seconds 600] [--runs N]`: throw bytes at it and see.

With the package atheris (`pip install atheris` into the environment; it is no dependency) the fuzzer follows the
branches that an input takes. Without, inputs are seeds changed blindly. What fails is written to a file and can be
given again: `python -m tests.fuzz TARGET FILE...`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 4096


def main(arguments: list[str]) -> int:
    """1 when an input failed, or memory grew without bound."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=("packet", "machine", "configuration", "response"))
    parser.add_argument("files", nargs="*", help="inputs to try again instead")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--runs", type=int, default=0, help="stop after so many (0: by time alone)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    os.chdir(tempfile.mkdtemp(prefix="pyhad-fuzz."))  # what a configuration includes by chance is not ours
    if given.files:
        target = _target(given.target)
        for name in given.files:
            target(Path(name).read_bytes())
        return 0
    try:
        importlib.import_module("atheris")
    except ImportError:
        return _blind(given)
    return _guided(given)


def _target(name: str) -> Callable[[bytes], None]:
    found: Callable[[bytes], None] = importlib.import_module("tests.fuzz.targets").TARGETS[name]
    return found


def seeds_of(name: str) -> list[bytes]:
    """Inputs that get far."""
    if name == "configuration":
        folder = ROOT / "tests/data"
        pieces = (folder / "everything.conf").read_bytes().split(b"\n}\n")
        return [piece + b"\n}\n" for piece in pieces] + [
            path.read_bytes() for path in (folder / "broken").glob("*.conf")
        ]
    if name == "machine":
        return [bytes(range(first, first + 64)) for first in range(0, 192, 16)]
    if name == "response":
        from tests.fuzz.responses import seeds

        return seeds()
    from pyhad.vrrp_proc.core.packet import build_advertisement
    from tests.fuzz.targets import CONFIGS

    made = []
    for number, config in enumerate(CONFIGS):
        source = "10.0.0.2" if config.family == 4 else "fe80::2"
        made.append(bytes((number, 2)) + build_advertisement(config, source=source, priority=100))
    return made


def _guided(given: argparse.Namespace) -> int:
    import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

    with atheris.instrument_imports(include=["pyhad.vrrp_proc", "pyhad.checker_proc", "pyhad.common.config", "h2"]):
        target = _target(given.target)
    corpus = Path("corpus")
    corpus.mkdir()
    for number, seed in enumerate(seeds_of(given.target)):
        (corpus / str(number)).write_bytes(seed[:MOST_BYTES])
    options = [f"-max_total_time={given.seconds}", f"-max_len={MOST_BYTES}", f"-seed={given.seed}", "-timeout=20",
               "-rss_limit_mb=2048", "-print_final_stats=1"]  # fmt: skip
    if given.runs:
        options.append(f"-runs={given.runs}")

    def keeping(data: bytes) -> None:
        try:
            target(data)
        except BaseException:
            print(f"failed: {_keep(data)}", flush=True)
            raise

    atheris.Setup([sys.argv[0], *options, str(corpus)], keeping)
    atheris.Fuzz()
    return 0


def _blind(given: argparse.Namespace) -> int:
    target, chance = _target(given.target), random.Random(given.seed)
    seeds, begin, runs = seeds_of(given.target), time.monotonic(), 0
    while time.monotonic() - begin < given.seconds and (not given.runs or runs < given.runs):
        data = changed(chance.choice(seeds), chance)
        runs += 1
        try:
            target(data)
        except Exception:
            traceback.print_exc()
            print(f"input {runs} of seed {given.seed} failed: {_keep(data)}")
            return 1
        if len(seeds) < 5000 and runs % 100 == 0:
            seeds.append(data[:MOST_BYTES])
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{runs} inputs in {time.monotonic() - begin:.0f} s, nothing raised; at most {peak_mib} MiB")
    return 0


def _keep(data: bytes) -> Path:
    path = Path(f"failed-{hashlib.sha256(data).hexdigest()[:8]}").absolute()
    path.write_bytes(data)
    return path


def changed(seed: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, put in, taken out, or doubled."""
    data = bytearray(seed[:MOST_BYTES])
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1 if at < len(data):
                data[at] = chance.choice((0, 1, 127, 128, 255, 10, 32, 123, 125))
            case 2:
                data[at:at] = chance.randbytes(chance.choice((1, 2, 4, 16)))
            case 3:
                del data[at : at + chance.choice((1, 2, 4, 64))]
            case _:
                data[at:at] = data[at : at + chance.randrange(1, 64)]
    return bytes(data)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
