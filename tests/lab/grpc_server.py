"""A gRPC server with the standard health service: `python -m tests.lab.grpc_server PORT [--tls FOLDER] [--bare]`.

`shop.Cart` is SERVING, `shop.Search` is not; the server as a whole is. With `--bare` it has no health service.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


def main() -> None:
    """Serve until somebody ends it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--tls", type=Path)
    parser.add_argument("--bare", action="store_true")
    given = parser.parse_args()
    server = grpc.server(ThreadPoolExecutor(2))
    if not given.bare:
        servicer = health.HealthServicer()
        servicer.set("shop.Cart", health_pb2.HealthCheckResponse.SERVING)
        servicer.set("shop.Search", health_pb2.HealthCheckResponse.NOT_SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    address = f"127.0.0.1:{given.port}"
    if given.tls is None:
        server.add_insecure_port(address)
    else:
        pair = ((given.tls / "server.key").read_bytes(), (given.tls / "server.pem").read_bytes())
        server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
