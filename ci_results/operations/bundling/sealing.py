"""Seal a bundle: a statement that names the digest of every row, in an envelope that may be signed.

The statement is in-toto's (https://in-toto.io/Statement/v1), the envelope DSSE, by securesystemslib.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ...errors import ConfigError, InvalidError, NotFoundError, StoreError
from . import tables
from .tables import TABLES, Rows

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope

Signer = Any
"""A securesystemslib.signer.CryptoSigner: the library is an extra, and imported where it is used."""
Key = Any
"""A securesystemslib.signer.SSlibKey."""
STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD = "application/vnd.in-toto+json"
PREDICATE = "urn:ci-results:bundle:1"


def state(rows: Rows, schema: Mapping[str, str], names: Sequence[str]) -> bytes:
    """Return the statement about these rows, as it is signed."""
    said = {
        "format": tables.FORMAT,
        "schema": dict(schema),
        "rows": {each.name: tables.digests(rows.get(each.name, ()), each) for each in TABLES},
    }
    whole = hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
    statement = {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": whole}} for name in names],
        "predicateType": PREDICATE,
        "predicate": said,
    }
    return orjson.dumps(statement, option=orjson.OPT_SORT_KEYS)


def seal(statement: bytes, keys: Iterable[Path]) -> bytes:
    """Return the envelope, signed with each of these private keys; with none it is a check sum only.

    Raises ConfigError where the extra is not installed, InvalidError for a key that cannot be used.
    """
    signers = [read_private(each) for each in keys]
    if not signers:
        return _json(_unsigned(statement))
    from securesystemslib.dsse import Envelope

    envelope = Envelope(statement, PAYLOAD, {})
    for signer in signers:
        envelope.sign(signer)
    return _json(envelope.to_dict())


def _unsigned(statement: bytes) -> dict[str, Any]:
    return {"payload": base64.b64encode(statement).decode(), "payloadType": PAYLOAD, "signatures": []}


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def keygen(name: Path) -> tuple[Path, Path, str]:
    """Make an Ed25519 pair, NAME.key and NAME.pub in PEM; return both files, and the id of the key.

    Raises InvalidError where one is there already, StoreError where it cannot be written.
    """
    signers = _signers()
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    private, public = (name.with_name(name.name + ending) for ending in (".key", ".pub"))
    made = signers.CryptoSigner.generate_ed25519()
    text = made._private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    try:
        for file, said, mode in ((private, made.private_bytes, 0o600), (public, text, 0o644)):
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as target:
                target.write(said)
    except FileExistsError as err:
        raise InvalidError(f"{err.filename}: is there already: choose another name") from err
    except OSError as err:
        raise StoreError(f"{name}: cannot be written: {err.strerror or err}") from err
    return private, public, str(made.public_key.keyid)


def read_private(file: Path) -> Signer:
    """Read a private key. Raises ConfigError, NotFoundError, InvalidError."""
    signers = _signers()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_bytes(file), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise InvalidError(f"{file}: is no private key in PEM without a password: {err}") from err
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidError(f"{file}: is no Ed25519 key; make one: ci-results bundle keygen NAME")
    return signers.CryptoSigner(key)


def read_public(file: Path) -> Key:
    """Read a public key. Raises ConfigError, NotFoundError, InvalidError."""
    signers = _signers()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_bytes(file))
    except (ValueError, UnsupportedAlgorithm) as err:
        raise InvalidError(f"{file}: is no public key in PEM: {err}") from err
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidError(f"{file}: is no Ed25519 key")
    return signers.SSlibKey.from_crypto(key)


def signed_by(envelope: Mapping[str, Any], keys: Sequence[Key]) -> list[str]:
    """Return the ids of those keys whose signature the envelope has, and which hold."""
    from securesystemslib.exceptions import VerificationError

    found = []
    for key in keys:
        try:
            _envelope(envelope).verify([key], 1)
        except VerificationError:
            continue
        found.append(str(key.keyid))
    return found


def _envelope(said: Mapping[str, Any]) -> Envelope:
    from securesystemslib.dsse import Envelope

    copied = {**said, "signatures": [dict(each) for each in said["signatures"]]}
    return Envelope.from_dict(copied)  # which changes what it is given


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as err:
        raise NotFoundError(f"no key {file}; make one: ci-results bundle keygen NAME") from err
    except OSError as err:
        raise InvalidError(f"{file}: cannot be read: {err.strerror or err}") from err


def _signers() -> Any:
    """Import what signs, which is an extra."""
    try:
        import cryptography  # noqa: F401
        from securesystemslib import signer
    except ImportError as err:
        raise ConfigError("signatures need an extra: pip install 'ci-results[sign]'") from err
    return signer
