"""What reports come packed in: read by content, within limits; what is wrong is told, and never guessed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import sys
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_results.domain.unpack_limits import UnpackLimits
from ci_results.operations.unpacking.budget import SMALL, Damage
from ci_results.operations.unpacking.member import Member
from ci_results.operations.unpacking.walk import unpacked

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LIMITS = UnpackLimits()
NOISE = random.Random(7).randbytes(90_000).hex().encode()
Pack = Callable[[bytes], bytes]
PACKS: dict[str, Pack] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "Zstandard": zstd.compress,
}


def tar(*files: tuple[str, bytes], **more: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", **more) as archive:  # type: ignore[call-overload]
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings(action="ignore"):
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def found(
    data: bytes, limits: UnpackLimits = LIMITS
) -> tuple[list[tuple[str, bytes, bool]], list[tuple[str, str]]]:
    """Return what is in `data`, each (name, bytes, whether it broke off), and what is wrong with it."""
    members, damages = [], []
    for thing in unpacked(io.BytesIO(data), "x", limits):
        if isinstance(thing, Member):
            members.append((thing.name, thing.stream.read(), thing.cut is not None))
        else:
            damages.append((thing.name, thing.reason))
    return members, damages


def whole(data: bytes) -> dict[str, bytes]:
    members, damages = found(data)
    assert damages == []
    assert not any(cut for _, _, cut in members)
    return {name: content for name, content, _ in members}


# -- what is packed well ---------------------------------------------------------------------------


def test_what_is_not_packed_is_itself() -> None:
    stream = io.BytesIO(b"<testsuite/>")
    (member,) = unpacked(stream, "r.xml", LIMITS)
    assert isinstance(member, Member)
    assert (member.name, member.stream is stream, stream.read()) == ("r.xml", True, b"<testsuite/>")
    assert whole(b"") == {"x": b""}


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_a_compressed_file_is_unpacked_in_all_its_pieces(pack: Pack) -> None:
    assert whole(pack(NOISE) + pack(b"more") + bytes(8)) == {"x": NOISE + b"more"}


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_a_compressed_tar_is_read_member_by_member(pack: Pack) -> None:
    assert whole(pack(tar(("a/r.xml", NOISE), ("b", b"")))) == {"x!a/r.xml": NOISE, "x!b": b""}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_each_kind_of_tar_is_read_with_long_names(form: int) -> None:
    long = "/".join(["folder" * 5] * (3 if form == tarfile.USTAR_FORMAT else 12))
    assert whole(tar((f"{long}/é.xml", b"1"), ("b", b"2"), format=form)) == {
        f"x!{long}/é.xml": b"1",
        "x!b": b"2",
    }


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_zip_is_read_member_by_member(method: int) -> None:
    assert whole(zipped(("a/", b""), ("a/r.xml", NOISE), ("b", b"2"), method=method)) == {
        "x!a/r.xml": NOISE,
        "x!b": b"2",
    }


def test_archives_in_archives_are_read() -> None:
    inner = gzip.compress(tar(("r.xml", b"1")))
    assert whole(zipped(("deep.tgz", inner), ("s.xml.xz", lzma.compress(b"2")))) == {
        "x!deep.tgz!r.xml": b"1",
        "x!s.xml.xz": b"2",
    }
    assert whole(gzip.compress(zipped(("r.xml", b"1")))) == {"x!r.xml": b"1"}


def test_two_files_of_one_name_are_both_read() -> None:
    for data in (tar(("r.xml", b"1"), ("r.xml", b"2")), zipped(("r.xml", b"1"), ("r.xml", b"2"))):
        assert found(data) == ([("x!r.xml", b"1", False), ("x!r.xml", b"2", False)], [])


def test_names_that_lead_elsewhere_are_only_names() -> None:
    names = ("../../etc/passwd", "/etc/shadow", "a\x1b[2J.xml", "C:\\x")
    assert list(whole(tar(*((name, b"1") for name in names)))) == [
        "x!../../etc/passwd",
        "x!/etc/shadow",
        "x!a?[2J.xml",
        "x!C:\\x",
    ]


def test_links_and_devices_of_a_tar_hold_nothing_to_read() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"odd{kind!r}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        archive.addfile(tarfile.TarInfo("last"))
    assert whole(buffer.getvalue()) == {"x!last": b""}


def test_a_link_in_a_zip_holds_nothing_to_read() -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("r.xml", b"1")
    assert whole(buffer.getvalue()) == {"x!r.xml": b"1"}


# -- bombs -----------------------------------------------------------------------------------------


def refusal(data: bytes, limits: UnpackLimits = LIMITS) -> str:
    _, damages = found(data, limits)
    assert damages[-1][0] == "x"
    return damages[-1][1]


@pytest.mark.parametrize("name", ["gzip", "bzip2", "Zstandard"])
def test_a_file_that_unfolds_to_more_than_its_ratio_is_refused(name: str) -> None:
    bomb = PACKS[name](bytes(SMALL + (1 << 20)))
    assert refusal(bomb) == "unpacks to more than 200 times its size"
    assert found(bomb)[0] == []


def test_a_small_file_may_unfold_from_anything() -> None:
    assert whole(gzip.compress(bytes(10 << 20))) == {"x": bytes(10 << 20)}


@pytest.mark.parametrize(
    "data", [gzip.compress(NOISE), tar(("a", NOISE)), zipped(("a", NOISE))], ids=["gzip", "tar", "zip"]
)
def test_more_bytes_than_are_allowed_are_refused(data: bytes) -> None:
    if data[:1] == b"a":  # a tar unfolds to no more than it is
        data = gzip.compress(data)
    assert refusal(data, UnpackLimits(max_bytes=10_000)) == "unpacks to more than 10,000 bytes"


def test_all_that_is_packed_in_one_file_counts_together() -> None:
    data = zipped(*((f"{n}", gzip.compress(bytes(3_000))) for n in range(10)))
    members, damages = found(data, UnpackLimits(max_bytes=10_000))
    assert 0 < len(members) < 10
    assert damages == [("x", "unpacks to more than 10,000 bytes")]


@pytest.mark.parametrize("pack", [tar, zipped])
def test_more_files_than_are_allowed_are_refused(pack: Callable[..., bytes]) -> None:
    data = pack(*((f"{n}", b"1") for n in range(30)))
    members, damages = found(data, UnpackLimits(max_members=20))
    assert (len(members), damages) == (20, [("x", "holds more than 20 files")])


def test_a_directory_that_would_fill_the_memory_is_not_even_read() -> None:
    data = zipped(*((f"{n:0990}", b"") for n in range(30)))
    assert refusal(data, UnpackLimits(max_members=20)) == "has a directory for more than 20 files"


def test_what_is_packed_too_many_times_over_is_refused() -> None:
    data = b"1"
    for _ in range(7):
        data = gzip.compress(data)
    assert refusal(data) == "is packed more than 6 times over"
    nested = b"1"
    for _ in range(7):
        nested = zipped(("a", nested))
    assert refusal(nested) == "is packed more than 6 times over"


def test_a_zip_that_unfolds_to_itself_ends() -> None:
    """As the known quines do: each level holds the next."""
    data = zipped(("r.xml", b"1"))
    for _ in range(40):
        data = zipped(("r.zip", data))
    members, damages = found(data)
    assert (members, damages) == ([], [("x", "is packed more than 6 times over")])


def test_a_sparse_file_is_not_read() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("hole")
        info.pax_headers = {
            "GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "hole",
            "GNU.sparse.size": str(1 << 50), "GNU.sparse.numblocks": "1", "GNU.sparse.map": "0,4",
        }  # fmt: skip
        info.size = 4
        archive.addfile(info, io.BytesIO(b"data"))
        archive.addfile(tarfile.TarInfo("last"))
    members, damages = found(buffer.getvalue())
    assert [name for name, _, _ in members] == ["x!last"]
    assert damages == [("x!hole", "is a sparse file, which is not read")]


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
@pytest.mark.parametrize("there", [0, 64 << 20])
def test_a_header_without_end_is_no_way_to_fill_the_memory(kind: bytes, there: int) -> None:
    info = tarfile.TarInfo("@")
    info.type, info.size = kind, 1 << 40
    data = gzip.compress(tar(("first", b"1"))[:1024] + info.tobuf(tarfile.GNU_FORMAT) + bytes(there))
    members, damages = found(data)
    assert members == [("x!first", b"1", False)]
    assert "a header without end" in damages[0][1]


def test_a_member_that_claims_more_than_there_is_ends_where_that_ends() -> None:
    info = tarfile.TarInfo("big")
    info.size = 1 << 50
    members, damages = found(info.tobuf(tarfile.GNU_FORMAT) + b"1234")
    assert members == [("x!big", b"1234", True)]
    assert damages == [("x", "breaks off at byte 516 of the tar")]


# -- half files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PACKS)
def test_the_front_of_a_cut_file_is_good_as_far_as_it_goes(name: str) -> None:
    data = PACKS[name](NOISE)
    ((_, content, cut),), ((_, reason),) = found(data[: len(data) - 20])
    assert cut
    assert NOISE.startswith(content)
    assert reason.startswith(f"{name} breaks off at byte")


@pytest.mark.parametrize("name", PACKS)
def test_of_a_file_whose_checksum_is_wrong_nothing_is_good(name: str) -> None:
    pack = (lambda data: lzma.compress(data, check=lzma.CHECK_CRC32)) if name == "xz" else PACKS[name]
    data = bytearray(pack(NOISE))
    data[len(data) // 2] ^= 0x10
    if name == "Zstandard":  # it has no checksum where none is asked for
        data = bytearray(zstd.compress(NOISE, options={zstd.CompressionParameter.checksum_flag: 1}))
        data[-1] ^= 1
    members, damages = found(bytes(data))
    assert members == []
    assert "is damaged before byte" in damages[0][1]


@pytest.mark.parametrize("place", [514, 1023, 1024, 1030, 1536, 2000, 100_000])
def test_a_cut_tar_gives_its_front_and_says_where_it_ends(place: int) -> None:
    members, damages = found(tar(("a", b"1"), ("b", NOISE))[:place])
    there = place - 1536
    assert members[0] == ("x!a", b"1", False)
    assert members[1:] == ([("x!b", NOISE[:there], True)] if there >= 0 else [])
    assert damages == [("x", f"breaks off at byte {place:,} of the tar")]


def test_a_cut_compressed_tar_gives_its_front() -> None:
    data = gzip.compress(tar(("a", b"1"), ("b", NOISE)))
    members, damages = found(data[: len(data) // 2])
    assert [(name, cut) for name, _, cut in members] == [("x!a", False), ("x!b", True)]
    assert NOISE.startswith(members[1][1])
    assert len(members[1][1]) > len(NOISE) // 4
    assert damages[0][1].startswith(f"gzip breaks off at byte {len(data) // 2:,}, at byte ")


def test_a_tar_whose_compression_is_damaged_behind_it_is_told() -> None:
    data = bytearray(gzip.compress(tar(("a", b"1"), ("b", NOISE))))
    data[-5] ^= 1
    members, damages = found(bytes(data))
    assert members[0] == ("x!a", b"1", False)
    assert not any(cut for _, _, cut in members)
    assert "is damaged" in damages[0][1]


def test_what_follows_behind_a_tar_is_told() -> None:
    assert found(tar(("a", b"1")) + b"more")[1][0][1].startswith("something follows behind the end")


def test_rubbish_in_a_tar_is_told() -> None:
    data = tar(("a", b"1"))[:1024] + b"rubbish" * 200 + bytes(1024)
    assert found(data) == (
        [("x!a", b"1", False)],
        [("x", f"tar is damaged before byte {len(data):,}: no header where one should be")],
    )


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_cut_zip_gives_its_front(method: int, streamed: bool) -> None:
    class Pipe(io.BytesIO):
        def seek(self, *where: int) -> int:
            if streamed:
                raise io.UnsupportedOperation
            return super().seek(*where)

    buffer = Pipe()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in (("a", b"1" * 50), ("b", NOISE)):
            with archive.open(name, "w") as member:
                member.write(content)
    data = buffer.getvalue()
    for place in (len(data) - 5, len(data) // 2):
        members, damages = found(data[:place])
        if streamed and method == zipfile.ZIP_STORED:  # nothing says where such a file ends
            assert members == []
        else:
            assert members[0] == ("x!a", b"1" * 50, False)
            assert NOISE.startswith(members[1][1])
            assert (members[1][1] == NOISE) is not members[1][2]
            assert members[1][2] is (place == len(data) // 2)
        assert damages[0][1].startswith("zip is damaged behind byte ")


def test_an_encrypted_file_is_told_and_the_others_are_read() -> None:
    data = bytearray(zipped(("a", b"1"), ("b", b"2")))
    for magic, flags in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        data[data.index(magic) + flags] |= 1
    assert found(bytes(data)) == ([("x!b", b"2", False)], [("x!a", "is encrypted")])


def test_a_damaged_file_of_a_zip_is_told_and_the_others_are_read() -> None:
    data = bytearray(zipped(("a", NOISE), ("b", b"2"), method=zipfile.ZIP_STORED))
    data[1000] ^= 1
    members, damages = found(bytes(data))
    assert members == [("x!b", b"2", False)]
    assert damages[0][0] == "x!a"
    assert damages[0][1].startswith("is damaged in the zip: Bad CRC-32")


def test_a_method_that_is_not_read_is_told() -> None:
    data = zipped(("a", b"1"), method=zipfile.ZIP_LZMA)
    assert found(data) == ([], [("x!a", "is packed by method 14, which is not read")])


def test_a_dictionary_that_would_fill_the_memory_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
    data = bytearray(lzma.compress(b"1", filters=filters))
    place = data.index(b"\x21\x01") + 2  # LZMA2, one byte of properties: the size of the dictionary
    data[place] = 40  # 4 GiB
    header = slice(12, 12 + (data[12] + 1) * 4 - 4)
    import zlib

    struct.pack_into("<L", data, header.stop, zlib.crc32(data[header]))
    assert "Memory usage limit" in found(bytes(data))[1][0][1]


SEEDS = [
    gzip.compress(tar(("t/a.t", b"1..1\nok 1\n"), ("meta.yml", b"file_attributes: []\n"))),
    zipped(("a", b"1" * 100), ("b.gz", gzip.compress(b"2"))),
    tar(("a", zipped(("b", b"1")))),
    lzma.compress(b"1" * 1000),
    zstd.compress(NOISE[:2000]),
    bz2.compress(NOISE[:2000]),
]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=6),
    st.floats(0, 1),
)
def test_whatever_comes_it_ends_and_nothing_is_raised(
    seed: bytes, changes: list[tuple[float, int]], length: float
) -> None:
    data = bytearray(seed)
    for place, value in changes:
        data[int(place * len(data))] = value
    for thing in unpacked(io.BytesIO(bytes(data[: int(length * len(data))])), "x", LIMITS):
        assert isinstance(thing, Damage) or thing.stream.read() is not None


# -- TAP::Harness ----------------------------------------------------------------------------------

META = b"""---
file_attributes:
  - description: t/00-load.t
    start_time: 1767323045.5
    end_time: 1767323046.25
  - description: t/fails.t
    end_time: 1767323047
    exit_status: 2
file_order:
  - t/00-load.t
  - t/fails.t
start_time: 1767323045
stop_time: 1767323047
"""


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("folder", ["", "./", "run-7/"])
def test_an_archive_of_tap_harness_tells_of_its_streams_wherever_it_does_so(first: bool, folder: str) -> None:
    files = [(f"{folder}t/00-load.t", b"ok 1\n1..1\n"), (f"{folder}t/fails.t", b"ok 1\n1..1\n")]
    files.insert(0 if first else 2, (f"{folder}meta.yml", META))
    told = {
        thing.path: thing.told
        for thing in unpacked(io.BytesIO(gzip.compress(tar(*files))), "x", LIMITS)
        if isinstance(thing, Member) and thing.told
    }
    load, fails = told[f"{folder}t/00-load.t"], told[f"{folder}t/fails.t"]
    assert load is not None
    assert fails is not None
    assert (load.script, str(load.ended), load.exit_status) == (
        "t/00-load.t",
        "2026-01-02 03:04:06.250000+00:00",
        None,
    )
    assert (fails.script, fails.exit_status) == ("t/fails.t", "2")


def test_a_meta_yml_that_says_nothing_well_tells_nothing() -> None:
    for meta in (b"", b"[", b"file_attributes: 3\n", b"file_attributes:\n  - 7\n  - description: [a]\n"):
        data = tar(("meta.yml", meta), ("t/a.t", b"ok 1\n1..1\n"))
        members = [thing for thing in unpacked(io.BytesIO(data), "x", LIMITS) if isinstance(thing, Member)]
        assert [member.told for member in members] == [None, None]


def test_members_come_in_the_order_of_the_archive() -> None:
    names = [name for name, _, _ in found(tar(*((f"{n:02}", b"") for n in range(20))))[0]]
    assert all(a < b for a, b in pairwise(names))
