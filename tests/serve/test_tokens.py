"""Tokens of our own: made, known, expired, replaced, remembered."""

from __future__ import annotations

import os
import time
from datetime import date
from pathlib import Path

import pytest

from ci_results.config_auth import TokenTable
from ci_results.errors import ConfigError
from ci_results.serve.auth import tokens as module
from ci_results.serve.auth.remembered import Remembered
from ci_results.serve.auth.tokens import PREFIX, Tokens, digest, new_token

from .users import BOT, OTHER, SECRET

# -- tokens -------------------------------------------------------------------------------------------


def test_a_token_is_long_random_and_known_by_its_beginning() -> None:
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert all(token.startswith(PREFIX) and len(token) >= 40 for token in made)


def test_a_token_says_who_has_it() -> None:
    table = TokenTable(name="bot-2026", sha256=digest(SECRET), user="bot", groups=("qe",), strict=True)
    user = Tokens([table]).user(SECRET)
    assert user is not None
    assert (user.name, user.groups, user.strict, user.source) == ("bot", {"qe"}, True, "api:bot")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        " ",
        "x",
        SECRET[:-1],
        SECRET + "x",
        SECRET.upper(),
        " " + SECRET,
        digest(SECRET),
        "bot",
        PREFIX,
        "ü",
    ],
)
def test_a_wrong_token_is_nobodys(wrong: str) -> None:
    assert Tokens([BOT]).user(wrong) is None


def test_a_token_holds_through_its_last_day() -> None:
    table = TokenTable(name="bot", sha256=digest(SECRET), expires=date(2026, 1, 31))
    for day, holds in ((date(2026, 1, 31), True), (date(2026, 2, 1), False)):
        assert (Tokens([table], day=lambda day=day: day).user(SECRET) is not None) is holds  # type: ignore[misc]


def test_every_look_compares_digests_whole_whether_the_token_is_known_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[str, str]] = []
    monkeypatch.setattr(module, "compare_digest", lambda a, b: compared.append((a, b)) or a == b)
    tokens = Tokens([BOT])
    for token in (SECRET, OTHER, SECRET[:-1]):
        tokens.user(token)
    assert [asked for _, asked in compared] == [digest(SECRET), digest(OTHER), digest(SECRET[:-1])]


def test_a_look_is_cheap_whatever_is_known() -> None:
    many = Tokens([TokenTable(name=f"t{n}", sha256=digest(str(n))) for n in range(20_000)])
    began = time.perf_counter()
    for _ in range(10_000):
        many.user(SECRET)
    assert time.perf_counter() - began < 1.0


# -- a file of tokens ---------------------------------------------------------------------------------


def write(path: Path, *tokens: str) -> None:
    tables = [f'[[tokens]]\nname = "t{n}"\nsha256 = "{digest(token)}"\n' for n, token in enumerate(tokens)]
    path.write_text("\n".join(tables))


def test_a_file_of_tokens_may_be_replaced_while_all_runs(tmp_path: Path) -> None:
    path, now = tmp_path / "tokens.toml", [0.0]
    write(path, SECRET)
    tokens = Tokens([], path, clock=lambda: now[0])
    assert tokens.user(SECRET)
    write(path, OTHER)
    os.utime(path, ns=(1, 1))
    now[0] += 10
    assert tokens.user(OTHER)
    assert tokens.user(SECRET) is None


@pytest.mark.parametrize("text", ["[[tokens", "tokens = 3", "[[token]]", '[[tokens]]\nname = "a"', None])
def test_a_broken_file_is_told_and_the_tokens_of_before_hold(
    tmp_path: Path, text: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    path, now = tmp_path / "tokens.toml", [0.0]
    write(path, SECRET)
    tokens = Tokens([], path, clock=lambda: now[0])
    path.write_text(text) if text is not None else path.unlink()
    now[0] += 10
    assert tokens.user(SECRET)
    assert "tokens file cannot be read" in caplog.text
    with pytest.raises(ConfigError, match=r"tokens\.toml"):
        Tokens([], path)


# -- answers that hold for a while --------------------------------------------------------------------


def test_an_answer_is_remembered_for_its_time_and_not_beyond_the_room() -> None:
    now = [0.0]
    known: Remembered[str, int] = Remembered(2, clock=lambda: now[0])
    known.put("a", 1, 10)
    known.put("b", 2, 5)
    now[0] = 6
    assert (known.get("a"), known.get("b")) == (1, None)
    known.put("c", 3, 10)
    known.put("d", 4, 10)
    assert [known.get(key) for key in "acd"] == [None, 3, 4]
    known.put("e", 5, 0)
    assert known.get("e") is None
