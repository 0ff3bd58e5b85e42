from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ci_results.domain.outcome import Outcome
from ci_results.serve import words

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=3), "3 s ago"),
        (timedelta(minutes=14), "14 min ago"),
        (timedelta(hours=30), "30 h ago"),
        (timedelta(days=12), "12 days ago"),
        (timedelta(days=120), "3 months ago"),
        (timedelta(days=1000), "2 years ago"),
        (timedelta(minutes=-5), "in 5 min"),
    ],
)
def test_how_long_ago_is_said_in_one_unit(before: timedelta, text: str) -> None:
    assert words.ago(NOW - before, NOW) == text


def test_a_time_shows_utc_and_how_long_ago() -> None:
    drawn = words.when("2026-01-31T11:46:00.000000", NOW)
    assert "2026-01-31 11:46:00 UTC" in drawn
    assert "14 min ago" in drawn


@pytest.mark.parametrize("text", ["yesterday", "2026-99-99T00:00:00", "<b>", "2026-01-31T11:46:00+02:00"])
def test_what_is_no_time_stays_text(text: str) -> None:
    assert "<time" not in words.when(text, NOW)
    assert "<b>" not in words.when(text, NOW)


@pytest.mark.parametrize("word", [*Outcome, "SKIPPED", "<b>"])
def test_every_outcome_shows_a_symbol_and_its_word(word: str) -> None:
    drawn = str(words.outcome(word))
    assert 'aria-hidden="true">' in drawn
    assert drawn.replace("&lt;", "<").replace("&gt;", ">").endswith(f"</span> {word}</span>")


def test_outcomes_differ_by_symbol_not_by_colour_only() -> None:
    symbols = [symbol for _, symbol in words.OUTCOME_MARKS.values()]
    assert len(set(symbols)) == len(symbols)
    assert set(words.OUTCOME_MARKS) == set(Outcome)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.5, "0.50 s"), (42.0, "42.0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations_read_as_people_say_them(value: float | None, text: str) -> None:
    assert words.seconds(value) == text


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://ci.example.com/job/1/", "ci.example.com/job/1"),
        (
            "https://ci.example.com/job/folder/job/openssl-functional/42/",
            "ci.example.com/…/openssl-functional/42",
        ),
        ("https://ci.example.com/", "ci.example.com"),
    ],
)
def test_long_addresses_are_shortened(url: str, text: str) -> None:
    assert words.short_url(url) == text


def test_names_break_at_joints_and_stay_escaped() -> None:
    assert words.breakable("a.b/c<d") == "a.<wbr>b/<wbr>c&lt;d"
