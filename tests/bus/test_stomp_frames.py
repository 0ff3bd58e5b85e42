"""Frames come out as they went in, however the network cuts them up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("stomp")
from ci_results.bus.stomp_frames import Unpacked, frame, packed

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
names = texts.filter(lambda text: text and text.lower() != "content-length")
frames = st.lists(st.tuples(st.dictionaries(names, texts, max_size=4), st.binary(max_size=20)), max_size=4)


@given(frames, st.lists(st.integers(1, 30)), st.booleans())
def test_what_is_packed_is_unpacked_however_it_is_cut(
    given_frames: list[tuple[dict[str, str], bytes]], cuts: list[int], beats: bool
) -> None:
    said = b"\n\r\n" if beats else b""
    for headers, body in given_frames:
        said += packed([frame("MESSAGE", {**headers, "content-length": len(body)}, body)])
        said += b"\n" if beats else b""
    unpacked, found = Unpacked(), []
    for cut in cuts:
        found += unpacked.feed(said[:cut])
        said = said[cut:]
    found += unpacked.feed(said)
    assert [each.cmd for each in found] == ["MESSAGE"] * len(given_frames)
    for each, (headers, body) in zip(found, given_frames, strict=True):
        assert each.headers == {**headers, "content-length": str(len(body))}
        assert each.body == body


@given(st.lists(st.binary(max_size=30)))
def test_any_bytes_are_no_accident(chunks: list[bytes]) -> None:
    unpacked = Unpacked()
    for chunk in chunks:
        unpacked.feed(chunk)


def test_a_frame_without_length_ends_with_its_first_zero() -> None:
    (first, second) = Unpacked().feed(b"MESSAGE\r\na:1\r\na:2\r\n\r\nbody\0\n\nRECEIPT\nreceipt-id:7\n\n\0")
    assert (first.cmd, first.headers, first.body) == (
        "MESSAGE",
        {"a": "1"},
        b"body",
    )  # the first of two counts
    assert (second.cmd, second.headers, second.body) == ("RECEIPT", {"receipt-id": "7"}, b"")
