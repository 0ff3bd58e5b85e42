from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ci_results.config import Config, read_config
from ci_results.errors import ConfigError

DIGEST = "0123456789abcdef" * 4
WHOLE = f"""
[[permissions]]
name = "BaseOS"
testcases = ["baseos.*"]
users = ["bot"]
groups = ["qe"]
maintainers = ["jdoe"]

[auth]
anonymous_posts = true
tokens_file = "tokens.toml"

[[auth.tokens]]
name = "bot"
sha256 = "{DIGEST}"
expires = 2027-01-31

[auth.oidc]
client_secrets = "/etc/secrets.json"
username_field = "preferred_username"

[auth.ldap]
host = "ldaps://ldap.example.com"
searches = [{{ base = "ou=groups,dc=example" }}]

[auth.proxy]
header = "X-Remote-User"
addresses = ["10.0.0.5", "10.1.0.0/24", "::1"]
"""


def read(text: str) -> Config:
    return read_config(text, Path("/etc/ci/ci-results.toml"))


def test_without_tables_nobody_is_known_and_nobody_is_ruled() -> None:
    config = read("")
    assert config.auth.tokens == ()
    assert config.auth.oidc is config.auth.proxy is config.auth.ldap is None
    assert not config.auth.anonymous_posts
    assert config.permissions == ()


def test_the_tables_are_read_and_paths_count_from_the_file() -> None:
    config = read(WHOLE)
    (token,) = config.auth.tokens
    assert (token.name, token.user, token.expires) == ("bot", None, date(2027, 1, 31))
    assert config.auth.tokens_file == "/etc/ci/tokens.toml"
    assert config.auth.oidc is not None
    assert config.auth.oidc.client_secrets == "/etc/secrets.json"
    assert config.auth.ldap is not None
    assert config.auth.ldap.searches[0].search_string == "(memberUid={user})"


def test_permissions_keep_what_only_people_read() -> None:
    (permission,) = read(WHOLE).permissions
    assert permission.users == {"bot"}
    assert permission.covers("baseos.tier1")
    assert permission.told["maintainers"] == ["jdoe"]
    assert permission.told["testcases"] == ["baseos.*"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("auth = 3", "auth must be a table"),
        ("[auth]\ntoken = []", r"\[auth\] token: unknown key"),
        ("[[auth.tokens]]\nname = 'a'", r"\[auth\] tokens\[0\].sha256: missing"),
        (f"[[auth.tokens]]\nname = ''\nsha256 = '{DIGEST}'", "not the name of a user"),
        (f"[[auth.tokens]]\nname = 'a'\nuser = \"b\\u0007\"\nsha256 = '{DIGEST}'", "not the name of a user"),
        (f"[[auth.tokens]]\nname = 'a'\nexpires = '2027'\nsha256 = '{DIGEST}'", "must be a date"),
        (f"[[auth.tokens]]\nname = 'a'\nsha256 = '{DIGEST}'\n" * 2, "two have the name 'a'"),
        ("[auth.oidc]\nusername_field = 'uid'", "oidc.client_secrets: missing"),
        ("[auth.ldap]\nhost = 'ldap://x'\nsearches = []", "searches must name"),
        ("[auth.ldap]\nhost = 'ldap://x'\nsearches = [{}]", r"ldap.searches\[0\].base: missing"),
        ("[auth.ldap]\nhost = 'ldap://x'\nsearches = [{ base = ' ' }]", "base must not be empty"),
        ("[auth.ldap]\nhost = 'x.example.com'\nsearches = [{ base = 'a' }]", "ldap://NAME"),
        (
            "[auth.ldap]\nhost = 'ldap://x'\nsearches = [{ base = 'a', search_string = '(a=b)' }]",
            "lacks {user}",
        ),
        ("[auth.proxy]\nheader = 'X-User'\naddresses = []", "addresses must name"),
        ("[auth.proxy]\nheader = 'X-User'\naddresses = ['proxy']", "'proxy' does not appear to be"),
        ("[auth.proxy]\nheader = 'X: User'\naddresses = ['::1']", "no name of a header"),
        ("permissions = {}", "permissions must be a list"),
        ("permissions = ['baseos.*']", r"permissions\[0\] must be a table"),
        ("permissions = [{ testcases = 'baseos.*' }]", r"permissions\[0\] testcases: must be a list"),
    ],
)
def test_a_fault_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read(text)
    assert str(caught.value).startswith("/etc/ci/ci-results.toml")


def test_a_token_pasted_in_place_of_its_digest_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="64 hex digits") as caught:
        read("[[auth.tokens]]\nname = 'a'\nsha256 = 'cir_very_secret'")
    assert "very_secret" not in str(caught.value)


def test_no_digest_shows_in_a_repr() -> None:
    assert DIGEST not in repr(read(WHOLE))
