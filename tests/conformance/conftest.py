from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_ldap import Directory, listening
from fake_provider import Provider, providing
from fake_server import Client
from fake_server import serving as serving_typed

from ci_results.config_auth import Auth, TokenTable
from ci_results.serve.auth.tokens import digest
from ci_results.store.protocol import Store

from .places import KINDS, Api, opened, serving
from .typed import OURS, PERMISSIONS, ldap, oidc


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of store that is on this machine."""
    found: str = request.param
    return found


@pytest.fixture(scope="session")
def api(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A live server that many tests share: each uses names of its own (`places.name`)."""
    with opened(kind, tmp_path_factory.mktemp("shared")) as store, serving(store, ("BORKED",)) as found:
        yield found


@pytest.fixture
def store(kind: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with opened(kind, tmp_path) as found:
        yield found


@pytest.fixture
def fresh(store: Store) -> Iterator[Api]:
    """A live server over an empty store."""
    with serving(store) as found:
        yield found


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing() as found:
        for name in ("jdoe", "asmith", "nobody"):
            found.tokens[f"token-of-{name}"] = {
                "active": True,
                "uid": name,
                "preferred_username": f"p-{name}",
            }
        yield found


@pytest.fixture(scope="module")
def directory() -> Iterator[Directory]:
    with listening() as found:
        found.groups = {
            "ou=one": {"desktop-qe": ["asmith"], "all": ["asmith", "jdoe"]},
            "ou=two": {"gtk": ["jdoe"]},
        }
        yield found


@pytest.fixture(scope="module", params=KINDS)
def typed(
    request: pytest.FixtureRequest,
    provider: Provider,
    directory: Directory,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Client]:
    """A server that knows users in all ways, over each kind of store."""
    auth = Auth(
        oidc=oidc(provider, tmp_path_factory.mktemp("oidc")),
        ldap=ldap(directory.url),
        tokens=(TokenTable(name="bot", sha256=digest(OURS), user="jdoe"),),
    )
    with (
        opened(request.param, tmp_path_factory.mktemp("store")) as store,
        serving_typed(auth, PERMISSIONS, here_only=False, store=store) as client,
    ):
        yield client
