from __future__ import annotations

import io
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.errors import ConfigError, NotFoundError
from ci_results.operations.sources import (
    read_masters,
    remove_source,
    text_of,
    toml_value,
    with_source,
    without_source,
    write_text,
)

FILE = """\
# our masters
store = "sqlite:x.db"   # kept

# the first
[source.a]
collector = "jenkins"
url = "http://a"
[[source.a.items]]
pattern = "x]"
[source.a.outcomes]
UNSTABLE = "FAILED"

# the second
[source."b.c"]
collector = 'jenkins' # odd   spacing
"""


def test_a_source_is_appended_and_every_other_byte_stays() -> None:
    after = with_source(
        FILE, "new", {"collector": "jenkins", "url": "http://n", "owner": None, "parallel": 8}
    )
    assert after.startswith(FILE)
    assert tomllib.loads(after)["source"]["new"] == {"collector": "jenkins", "url": "http://n", "parallel": 8}


def test_a_source_is_taken_out_with_its_subtables_and_its_comment() -> None:
    after = without_source(FILE, "a")
    assert (
        after
        == '# our masters\nstore = "sqlite:x.db"   # kept\n\n# the second\n' + FILE.split("# the second\n")[1]
    )


def test_the_last_source_is_taken_out() -> None:
    assert without_source(FILE, "b.c") == FILE.split("\n# the second")[0]


def test_what_was_added_and_taken_out_leaves_the_file_as_it_was() -> None:
    assert without_source(with_source(FILE, "new", {"collector": "x"}), "new") == FILE


def test_a_source_that_is_there_already_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"\[source.a\] is there already"):
        with_source(FILE, "a", {"collector": "jenkins"})


def test_an_unknown_source_names_those_there_are() -> None:
    with pytest.raises(NotFoundError, match=r"known are a, b\.c"):
        without_source(FILE, "z")


def test_an_edit_that_would_change_another_table_is_refused() -> None:
    tricky = '[source.a]\nx = 1\n[source.b]\nx = """\n[source.a]\n"""\ny = 2\n'
    with pytest.raises(ConfigError, match="by hand"):
        without_source(tricky, "a")


def test_the_file_is_replaced_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "ci-results.toml"
    write_text(path, FILE)
    path.chmod(0o640)
    remove_source(path, "a")
    assert path.stat().st_mode & 0o777 == 0o640
    assert text_of(path) == without_source(FILE, "a")
    assert list(tmp_path.iterdir()) == [path]


@given(
    st.recursive(
        st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**53), 2**53) | st.booleans(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
        ),
        max_leaves=8,
    )
)
def test_any_value_is_read_back_as_it_was_written(value: object) -> None:
    assert tomllib.loads(f"v = {toml_value(value)}")["v"] == value


def test_masters_come_from_a_table() -> None:
    table = io.StringIO("name,url,owner,token_env,parallel\na,http://a,qe,JTOKEN,8\nb,http://b,,,\n")
    assert read_masters(table, "m.csv") == [
        (
            "a",
            {"collector": "jenkins", "url": "http://a", "owner": "qe", "token_env": "JTOKEN", "parallel": 8},
        ),
        ("b", {"collector": "jenkins", "url": "http://b"}),
    ]


def test_a_source_that_is_no_server_needs_no_url() -> None:
    table = io.StringIO("name,collector,path,url\na,rpmgrill,/srv/a,\nb,jenkins,,http://b\n")
    assert read_masters(table, "m.csv") == [
        ("a", {"collector": "rpmgrill", "path": "/srv/a"}),
        ("b", {"collector": "jenkins", "url": "http://b"}),
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [("url\na\n", "line 1: column name"), ("name,url\n,b\n", "line 2"), ("name,url\na,b,c\n", "line 2")],
)
def test_a_bad_table_is_refused_with_its_line(table: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"m.csv: {said}"):
        read_masters(io.StringIO(table), "m.csv")
