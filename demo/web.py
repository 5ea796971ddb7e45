"""A web server of the demonstration: answers every request with its own name. `python -m demo.web NAME PORT`."""

from __future__ import annotations

import http.server
import sys


class Answer(http.server.BaseHTTPRequestHandler):
    """GET gives the server's name and closes."""

    name = b"?"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.name)))
        self.end_headers()
        self.wfile.write(self.name)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the client tells the story."""


class Server(http.server.ThreadingHTTPServer):
    """Room for the client's pace."""

    request_queue_size = 512
    daemon_threads = True


def main() -> None:
    Answer.name = sys.argv[1].encode()
    with Server(("", int(sys.argv[2])), Answer) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
