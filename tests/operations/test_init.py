"""What init writes, and above all what it leaves as it is."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import pytest

from ci_results.config import build_sinks, load_config
from ci_results.errors import ConfigError
from ci_results.operations.init import Begun, begin, project_name
from ci_results.plugin.manager import load_plugins

pytestmark = pytest.mark.demand("S-143")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "My Widget"
    folder.mkdir()
    return folder


def begun(project: Path, *, tox: bool = True) -> dict[str, Begun]:
    return {one.path.name: one for one in begin(project, tox=tox)}


def environment(project: Path) -> dict[str, str]:
    parsed = ConfigParser(interpolation=None)
    parsed.read(project / "tox.ini")
    return dict(parsed["testenv:ci-results"])


def test_a_configuration_is_written_that_can_be_read(project: Path) -> None:
    assert begun(project, tox=False)["ci-results.toml"].state == "written"
    config = load_config(project / "ci-results.toml")
    assert (config.report.namespace, config.report.item_type) == ("my-widget", "plain")
    assert dict(config.sinks) == {}
    assert not (project / "tox.ini").exists()


def test_with_tox_results_are_sent_on_to_a_file(project: Path) -> None:
    assert [one.state for one in begun(project).values()] == ["written", "written"]
    (sink,) = build_sinks((), load_config(project / "ci-results.toml"), load_plugins().sinks)
    assert (sink.name, sink.options.path) == ("feed", project / "ci-results.jsonl")
    written = environment(project)
    assert "--item {env:ITEM:my-widget}" in written["commands"]
    assert written["deps"].split() == ["ci-results", "pytest"]
    assert written["ignore_errors"] == "true"


def test_a_second_time_changes_nothing_and_prints_the_lines(project: Path) -> None:
    begun(project)
    before = {path.name: path.read_bytes() for path in project.iterdir()}
    again = begun(project)
    assert {path.name: path.read_bytes() for path in project.iterdir()} == before
    assert again["ci-results.toml"] == Begun(
        path=project / "ci-results.toml", state="kept", why="is there already"
    )
    assert again["tox.ini"].state == "kept"
    assert again["tox.ini"].lines.startswith("[testenv:ci-results]\n")


@pytest.mark.parametrize(
    "before",
    ["[tox]\nenv_list = a\n", "[tox]\nenv_list = a", "[tox]\r\nenv_list = a\r\n", "# é\n\n[testenv]\n", ""],
    ids=["plain", "no last newline", "dos", "comment", "empty"],
)
def test_what_is_in_tox_ini_stays_byte_for_byte(project: Path, before: str) -> None:
    (project / "tox.ini").write_bytes(before.encode())
    assert begun(project)["tox.ini"].state == "extended"
    after = (project / "tox.ini").read_bytes()
    assert after.startswith(before.encode())
    assert after.count(b"\r\n") == (after.count(b"\n") if "\r\n" in before else 0)
    assert "ci-results deliver feed" in environment(project)["commands"]


@pytest.mark.parametrize("section", ["testenv:ci-results", "testenv:{py3,ci-results}"])
def test_an_environment_of_that_name_is_left_alone(project: Path, section: str) -> None:
    text = f"[{section}]\ncommands = true\n"
    (project / "tox.ini").write_text(text)
    kept = begun(project)["tox.ini"]
    assert (kept.state, (project / "tox.ini").read_text()) == ("kept", text)
    assert "has an environment ci-results already" in kept.why
    assert "ci-results report" in kept.lines


def test_the_dependencies_of_the_tests_are_taken_over(project: Path) -> None:
    (project / "tox.ini").write_text("[testenv]\ndeps = requests\n")
    begun(project)
    assert environment(project)["deps"].split() == ["{[testenv]deps}", "ci-results", "pytest"]


def test_a_project_that_can_be_installed_is(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "Widget.Core"\n')
    begun(project)
    assert "skip_install" not in environment(project)
    assert project_name(project) == "widget-core"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tox.toml", 'env_list = ["a"]\n'),
        ("pyproject.toml", "[tool.tox]\nlegacy_tox_ini = ''\n"),
        ("setup.cfg", "[tox:tox]\n"),
    ],
)
def test_a_new_tox_ini_hides_no_other_configuration(project: Path, name: str, text: str) -> None:
    (project / name).write_text(text)
    kept = begun(project)["tox.ini"]
    assert not (project / "tox.ini").exists()
    assert f"tox is configured in {name}" in kept.why
    assert kept.lines


def test_a_configuration_that_is_there_gets_its_sink_printed(project: Path) -> None:
    text = 'store = "sqlite:mine.db"\n'
    (project / "ci-results.toml").write_text(text)
    kept = begun(project)["ci-results.toml"]
    assert (kept.state, (project / "ci-results.toml").read_text()) == ("kept", text)
    assert kept.lines == '[sink.feed]\nkind = "jsonlines"\npath = "ci-results.jsonl"\n'


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("tox.ini", b"no section\n", "tox.ini: is no INI file"),
        ("tox.ini", b"\xff\xfe", "tox.ini: cannot be read"),
        ("ci-results.toml", b"= 7", "ci-results.toml: cannot be read"),
        ("pyproject.toml", b"= 7", "pyproject.toml: .*mend it first"),
    ],
)
def test_a_broken_file_is_told_and_left(project: Path, name: str, text: bytes, said: str) -> None:
    (project / name).write_bytes(text)
    with pytest.raises(ConfigError, match=said):
        begin(project, tox=True)
    assert (project / name).read_bytes() == text


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder; make it first"):
        begin(tmp_path / "absent")


@pytest.mark.parametrize(
    ("folder", "name"),
    [("Widget 2", "widget-2"), ("...", "project"), ("a.b_c-D", "a-b_c-d"), ("日本", "project")],
)
def test_a_project_is_called_like_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    (tmp_path / folder).mkdir()
    assert project_name(tmp_path / folder) == name
