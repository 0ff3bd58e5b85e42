"""An OIDC provider on loopback: introspection, and a login that asks nobody anything."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "our-client", "our-secret"


@cache
def a_key(which: int = 0) -> Any:
    """Return a key that signs; the same for the same number, for making one takes time."""
    return RSAKey.generate_key(2048, {"kid": "one"})


class Provider:
    """What a test may set, and what it may look at afterwards.

    tokens     access token -> what introspection says of it
    status     answered to every question instead, if not 0; `body` with it
    delay_s    before each answer; `drip` sends introspection byte by byte, for ever
    id_claims  changes the claims of the ID token that a login gets
    """

    def __init__(self) -> None:
        self.tokens: dict[str, Any] = {}
        self.status, self.body = 0, b""
        self.delay_s, self.drip = 0.0, False
        self.id_claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
        self.key, self.signs_with = a_key(), None
        self.questions: list[str] = []
        self.authorised: list[dict[str, str]] = []
        self.root = ""
        self._codes: dict[str, dict[str, str]] = {}

    def secrets_file(self, folder: Path, **changes: Any) -> str:
        """Write the file that operators have, and return its path."""
        web = {
            "issuer": self.root,
            "auth_uri": f"{self.root}/authorize",
            "token_uri": f"{self.root}/token",
            "userinfo_uri": f"{self.root}/userinfo",
            "token_introspection_uri": f"{self.root}/introspect",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "redirect_uris": [],
            **changes,
        }
        path = folder / "client_secrets.json"
        path.write_text(json.dumps({"web": {key: value for key, value in web.items() if value is not None}}))
        return str(path)

    def introspect(self, form: dict[str, str]) -> Any:
        self.questions.append(form.get("token", ""))
        return self.tokens.get(form.get("token", ""), {"active": False})

    def authorise(self, query: dict[str, str]) -> str:
        """Say where the browser goes next: back, with a code."""
        self.authorised.append(query)
        code = f"code-{len(self.authorised)}"
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> tuple[int, Any]:
        asked = self._codes.pop(form.get("code", ""), None)
        verifier = sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if asked is None or challenge != asked.get("code_challenge"):
            return 400, {"error": "invalid_grant"}
        access = f"access-of-{form['code']}"
        self.tokens.setdefault(access, {"active": True, "uid": "jdoe"})
        now = int(time.time())
        claims = {"iss": self.root, "sub": "1", "aud": CLIENT, "iat": now, "exp": now + 60}
        claims = self.id_claims({**claims, "nonce": asked["nonce"]})
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signs_with or self.key)
        return 200, {"access_token": access, "token_type": "Bearer", "id_token": signed}

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.root,
            "authorization_endpoint": f"{self.root}/authorize",
            "token_endpoint": f"{self.root}/token",
            "jwks_uri": f"{self.root}/jwks",
            "id_token_signing_alg_values_supported": ["RS256"],
        }


@contextmanager
def providing() -> Iterator[Provider]:
    """Run a provider."""
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider}))
    server.daemon_threads = True
    server.block_on_close = False
    provider.root = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        at = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(at.query).items()}
        if self._troubled():
            return
        if at.path == "/authorize":
            self._answer(302, {}, Location=self.provider.authorise(query))
        elif at.path == "/jwks":
            self._answer(200, {"keys": [self.provider.key.as_dict(private=False)]})
        elif at.path == "/.well-known/openid-configuration":
            self._answer(200, self.provider.metadata())
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        form = {key: values[0] for key, values in parse_qs(body).items()}
        if self._troubled():
            return
        wanted = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if self.headers.get("authorization") != wanted:
            self._answer(401, {"error": "invalid_client"})
        elif self.path == "/introspect":
            self._answer(200, self.provider.introspect(form))
        elif self.path == "/token":
            self._answer(*self.provider.token(form))

    def _troubled(self) -> bool:
        provider = self.provider
        time.sleep(provider.delay_s)
        if provider.drip:
            self.send_response(200)
            self.end_headers()
            try:
                while provider.drip:
                    self.wfile.write(b" ")
                    time.sleep(0.02)
            except OSError:
                pass
            return True
        if provider.status:
            self.send_response(provider.status)
            self.send_header("content-length", str(len(provider.body)))
            self.end_headers()
            self.wfile.write(provider.body)
        return bool(provider.status)

    def _answer(self, status: int, said: Any, **headers: str) -> None:
        body = json.dumps(said).encode()
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # whoever asked did not wait

    def log_message(self, *args: Any) -> None:
        pass
