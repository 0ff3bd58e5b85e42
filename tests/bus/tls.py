"""TLS in front of a broker: a throw-away authority, and a forwarder that speaks TLS on its outer side."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import SHUT_RDWR, create_connection, create_server, socket
from threading import Thread


@dataclass(frozen=True)
class Papers:
    """Files of an authority, and of one it vouches for."""

    ca: Path
    cert: Path
    key: Path


def papers(folder: Path, *names: str) -> Papers:
    """Make an authority, and a certificate for hosts or a person."""
    import trustme

    folder.mkdir()
    authority = trustme.CA()
    made = Papers(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(made.ca)
    leaf = authority.issue_cert(*names) if names else authority.issue_cert(common_name="ci-results")
    leaf.private_key_pem.write_to_path(made.key)
    for pem in leaf.cert_chain_pems:
        pem.write_to_path(made.cert, append=True)
    return made


@dataclass
class Gate:
    """A port that speaks TLS. `names` are those whom the certificates of callers called them."""

    port: int
    names: list[str] = field(default_factory=list)


@contextmanager
def gate(own: Papers, port: int, callers: Path | None = None) -> Iterator[Gate]:
    """Let through to a local port whoever speaks TLS; with `callers`, who shows a certificate of theirs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.cert, own.key)
    if callers is not None:
        context.load_verify_locations(callers)
        context.verify_mode = ssl.CERT_REQUIRED
    with create_server(("127.0.0.1", 0)) as door:
        made = Gate(door.getsockname()[1])

        def serve() -> None:
            with suppress(OSError):
                while True:
                    raw, _ = door.accept()
                    Thread(target=_let_in, args=(raw, context, port, made), daemon=True).start()

        Thread(target=serve, daemon=True).start()
        yield made
        door.shutdown(SHUT_RDWR)  # or who waits there goes on waiting


def _let_in(raw: socket, context: ssl.SSLContext, port: int, made: Gate) -> None:
    """Carry bytes of one caller, by turns in each direction: TLS is not for two threads at once."""
    with (
        suppress(OSError),
        raw,
        context.wrap_socket(raw, server_side=True) as caller,
        create_connection(("127.0.0.1", port)) as inner,
    ):
        told = dict(pair for part in (caller.getpeercert() or {}).get("subject", ()) for pair in part)
        made.names.append(str(told.get("commonName", "")))
        while True:
            for here, there in ((caller, inner), (inner, caller)):
                here.settimeout(0.005)
                try:
                    said = here.recv(65_536)
                except TimeoutError:
                    continue
                if not said:
                    return
                there.settimeout(10)
                there.sendall(said)
