"""What lies in deploy/ is whole, and every command line in it is one that our programs take."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from celery.bin.celery import celery
from click.testing import CliRunner

from ci_results.cli.main import cli
from ci_results.config import build_sinks, build_sources, load_config
from ci_results.config_bus import build_bus
from ci_results.plugin.manager import load_plugins
from ci_results.spread.tasks import make

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
UNITS = sorted((DEPLOY / "systemd").iterdir())
START = [unit for unit in UNITS if unit.suffix == ".service"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "ci-results"]


def accept(words: list[str]) -> None:
    """Parse a command line as the program that it calls would. Raises click's UsageError."""
    group: click.Group = {"ci-results": cli, "celery": celery}[Path(words[0]).name]
    with group.make_context(words[0], list(words[1:])) as context:
        name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        while isinstance(command, click.Group):
            context = click.Context(command, parent=context, info_name=name)
            name, command, rest = command.resolve_command(context, rest)
            assert command is not None
        if group is cli:
            command.make_context(name, rest, parent=context)
            return
        assert context.params["app"] == "ci_results.spread.app"
        parser = command.make_parser(click.Context(command, parent=context))
        assert parser.parse_args(rest)[1] == []  # its own types ask the app


def test_the_check_of_command_lines_finds_what_is_wrong() -> None:
    accept(shlex.split("/opt/ci-results/bin/ci-results --log-json serve --port 8001"))
    for wrong in ("ci-results serve --prot 1", "ci-results db creat", "celery -A ci_results.spread.app beet"):
        with pytest.raises(click.UsageError):
            accept(shlex.split(wrong))
    with pytest.raises(click.UsageError):
        accept(shlex.split("celery -A ci_results.spread.app worker --concurency 4"))


def test_there_are_two_of_each_that_may_be_many_and_one_of_each_that_may_not() -> None:
    kinds = Counter(re.sub(r"-\d$", "", name) for name in SERVICES)
    assert kinds == {
        "postgres": 1, "rabbitmq": 1, "create": 1, "migrate": 1, "web": 2, "listen": 2, "harvest": 2,
        "beat": 1, "follow": 1, "deliver": 1,
    }  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_a_service_calls_what_is_there_and_waits_for_what_it_needs(name: str) -> None:
    service = SERVICES[name]
    accept(service["command"])
    waits = service["depends_on"]
    assert waits.keys() <= SERVICES.keys()
    healthy = [other for other, how in waits.items() if how["condition"] == "service_healthy"]
    assert all("healthcheck" in SERVICES[other] for other in healthy)
    assert name in ("create", "migrate") or waits.keys() == {"rabbitmq", "migrate"}
    assert service["environment"]["CI_RESULTS_CONFIG"] == "/etc/ci-results/ci-results.toml"
    mounts = [mount.split(":") for mount in service["volumes"]]
    assert all(where.startswith(".") or where in COMPOSE["volumes"] for where, *_ in mounts)
    assert (DEPLOY / "ci-results.toml").is_file()
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


@pytest.mark.parametrize("name", OURS)
def test_a_service_sees_all_folders_that_the_configuration_names(name: str) -> None:
    text = (DEPLOY / "ci-results.toml").read_text(encoding="utf-8")
    named = set(re.findall(r'"(\w+)/[\w.*]+"', text))
    assert named == {"tokens", "policies"}
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for folder in named:
        assert f"./{folder}:/etc/ci-results/{folder}:ro" in SERVICES[name]["volumes"]
        assert f"/etc/ci-results/{folder}" in guide
        assert re.search(rf"^mkdir -p .*\b{folder}\b", guide, re.MULTILINE)


def test_who_follows_the_guide_has_policies_to_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any, `follow` ends at once, and is started anew for ever."""
    monkeypatch.setenv("RABBITMQ_PASSWORD", "secret")
    shutil.copytree(
        ROOT / "policies", tmp_path / "policies", ignore=lambda _folder, names: set(names) - {"fedora.yaml"}
    )
    text = (DEPLOY / "ci-results.toml").read_text(encoding="utf-8")
    store = f'store = "sqlite:{tmp_path / "r.db"}"'
    (tmp_path / "ci-results.toml").write_text(re.sub(r"(?m)^store = .*$", store, text), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens" / "tokens.toml").touch()
    for words in (["db", "create"], ["follow", "--once"]):
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 0, done.output


def test_no_secret_is_in_the_files() -> None:
    for path in (DEPLOY / "compose.yaml", DEPLOY / "ci-results.toml", *UNITS):
        for line in path.read_text(encoding="utf-8").splitlines():
            found = re.search(r"(?i)pass(word)?(_env)?\w*\s*[:=]\s*(\S+)", line.partition("#")[0])
            assert found is None or found[3].startswith(('"RABBITMQ_PASSWORD', "${")), line


def test_the_configuration_is_one_that_all_services_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RABBITMQ_PASSWORD", "secret")
    config, plugins = load_config(DEPLOY / "ci-results.toml"), load_plugins()
    (source,) = build_sources((), config, plugins.collectors)
    (sink,) = build_sinks((), config, plugins.sinks)
    chosen = build_bus(config.buses["ci"], plugins.transports, DEPLOY, "here")
    assert (source.name, sink.name) == ("ci", "announce")
    assert chosen.options.quorum
    made = make(config)
    assert made.conf.broker_url == "amqp://ci-results:secret@rabbitmq/%2F"
    assert list(made.conf.beat_schedule) == ["harvest ci"]
    places = {
        address.split("@")[1].split("/")[0] for address in (config.store, chosen.url, config.spread.broker)
    }
    assert places <= SERVICES.keys()


def test_the_image_is_built_of_what_is_here() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {word for words in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE) for word in words.split()}
    assert copied == kept
    assert "plugins/*/tests" in ignored
    assert "**/tests" not in ignored  # the template of a plugin has tests
    assert all((ROOT / name).exists() for name in copied)
    assert all((ROOT / name / "setup.py").is_file() for name in re.findall(r" \./(plugins/\w+)", text))
    extras = re.findall(r'"(\w+)": \[', (ROOT / "setup.py").read_text().partition("extras_require")[2])
    (asked,) = re.findall(r'"\.\[([\w,]+)\]"', text)
    assert set(asked.split(",")) <= set(extras)
    (command,) = re.findall(r"^CMD (\[.+\])$", text, re.MULTILINE)
    accept(json.loads(command))


def directives(unit: Path, name: str) -> list[str]:
    """Return all values of a directive, in order."""
    return re.findall(rf"^{name}=(.+)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("unit", START, ids=lambda each: each.name)
def test_a_unit_starts_what_is_there_and_ends_it_gently(unit: Path) -> None:
    starts = directives(unit, "ExecStart")
    assert starts
    for line in starts:
        accept(shlex.split(line.replace("%%", "%").replace("%i", "01")))
    assert directives(unit, "KillMode") == ["mixed"] or directives(unit, "Type") == ["oneshot"]
    assert directives(unit, "WantedBy") == ["ci-results.target"]


def test_the_target_wants_all_units() -> None:
    wanted = {
        re.sub(r"@\w+\.", "@.", name)
        for line in directives(DEPLOY / "systemd" / "ci-results.target", "Wants")
        for name in line.split()
    }
    assert wanted == {unit.name for unit in START}


@pytest.mark.needs("systemd-analyze")
def test_systemd_finds_no_fault_with_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        for line in directives(unit, "ExecStart"):
            assert line.startswith("/opt/ci-results/bin/")
        text = unit.read_text(encoding="utf-8")
        here = Path(sys.executable).parent
        (tmp_path / unit.name).write_text(text.replace("/opt/ci-results/bin", str(here)), encoding="utf-8")
    names = [unit.name.replace("@.", "@1.") for unit in UNITS]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], cwd=tmp_path, capture_output=True, text=True
    )
    ours = [line for line in done.stderr.splitlines() if "ci-results" in line]
    assert (done.returncode, ours) == (0, []), done.stderr
