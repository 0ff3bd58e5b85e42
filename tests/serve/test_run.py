from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from ci_results.errors import ConfigError
from ci_results.serve.address import admit_no_more, is_loopback, listen, waiting_at
from ci_results.serve.answering import allow_files

SERVE = """
import sys
from ci_results.config import Serving
from ci_results.serve.run import serve
serve(sys.argv[1], Serving(port=int(sys.argv[2])), announce=lambda line: print(line, flush=True))
"""


def start(store: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SERVE, str(store), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )


def announced(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    line = ""
    while "serving" not in line:
        line = server.stdout.readline()
        assert line, server.stderr and server.stderr.read()
    found = re.search(r"http://\S+", line)
    assert found is not None
    return found[0]


def stop(server: subprocess.Popen[str]) -> int:
    server.send_signal(signal.SIGINT)
    try:
        return server.wait(10)
    finally:
        server.communicate()


def test_a_busy_port_makes_way_for_the_next_and_the_address_is_printed(generated: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        server = start(generated, port)
        try:
            address = announced(server)
            assert address != f"http://127.0.0.1:{port}/"
            assert requests.get(address, timeout=20).status_code == 200
        finally:
            assert stop(server) == 0


def test_ctrl_c_ends_with_success_and_silence(generated: Path) -> None:
    server = start(generated, 0)
    address = announced(server)
    assert requests.get(f"{address}browse/results", timeout=20).status_code == 200
    server.send_signal(signal.SIGINT)
    _, errors = server.communicate(timeout=10)
    assert server.returncode == 0
    assert "Traceback" not in errors


def test_serving_needs_neither_datasette_nor_its_second_to_start() -> None:
    check = "import sys, ci_results.serve.run; sys.exit('datasette.app' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.8.0.1", True), ("::1", True), ("localhost", True), ("192.0.2.1", False), ("ci.example", False)],
)
def test_loopback_is_told_from_the_network(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_twenty_busy_ports_are_an_error_that_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ci_results.serve.address.PORTS_TRIED", 1)
    with listen("127.0.0.1", 0) as taken, pytest.raises(ConfigError, match="cannot serve"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_an_address_of_another_machine_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 0)


def test_a_socket_listens_before_it_is_announced() -> None:
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname(), timeout=1):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="a packet filter of Linux")
def test_who_knocked_before_the_end_is_taken_in_and_nobody_more() -> None:
    with listen("127.0.0.1", 0) as listening:
        address = listening.getsockname()
        with socket.create_connection(address, timeout=5) as before:
            admit_no_more(listening)
            with pytest.raises(TimeoutError):
                socket.create_connection(address, timeout=0.3)
            assert waiting_at(listening) == 1
            taken, _ = listening.accept()
            assert waiting_at(listening) == 0
            with taken:
                before.sendall(b"hello")
                assert taken.recv(5) == b"hello"
            listening.settimeout(0.1)
            with pytest.raises(TimeoutError):
                listening.accept()


def test_as_many_files_may_be_open_as_connections() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        allow_files(400)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (400, before[1])
        allow_files(300)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 400
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
