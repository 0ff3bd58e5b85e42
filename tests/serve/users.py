"""Who the servers of these tests know, and what is posted to them."""

from __future__ import annotations

from fake_server import Client, bearer

from ci_results.config_auth import TokenTable
from ci_results.serve.auth.tokens import PREFIX, digest

SECRET = PREFIX + "tWG7C6buYi6jyZdEXeih_LUtDKCg3B75r8bTXUaBrA0"
OTHER = PREFIX + "rinvDa9v4nAUC0GawyklEbL2dh62iwABeCqbhWDQdbo"
BOT = TokenTable(name="bot", sha256=digest(SECRET))
BACK = "http://127.0.0.1:1/auth/callback"
RESULT = {
    "testcase": "baseos.tier1",
    "outcome": "PASSED",
    "data": {"item": "bash-5.2-1.el10", "type": "koji_build"},
}


def posted(client: Client, token: str) -> int:
    """Post a result; return the status of the answer."""
    return client.post("/api/v2.0/results", json=RESULT, headers=bearer(token)).status_code
