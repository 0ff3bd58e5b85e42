"""A tree of reports to write and to harvest, on disk and behind HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ci_results_errata_checks import Options, ReportTree, Rpmgrill

from ci_results import SourceSession

from .report_trees import Harvest, Tree
from .served_tree import ServedTree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "reports").mkdir()
    return Tree(tmp_path / "reports")


@pytest.fixture
def harvest(tree: Tree) -> Callable[..., Harvest]:
    """Harvest the tree, from disk or from `url`."""

    def run(
        cursor: str | None = None,
        *,
        collector: ReportTree | None = None,
        url: str | None = None,
        **fields: Any,
    ) -> Harvest:
        place = {"path": tree.root} if url is None else {"url": url}
        session = SourceSession(url, attempts=1, read_s=5)
        try:
            options = Options(**place, **fields)
            return Harvest((collector or Rpmgrill()).harvest(options, cursor, session))
        finally:
            session.close()

    return run


@pytest.fixture
def served(tree: Tree) -> Callable[..., AbstractContextManager[ServedTree]]:
    """Serve the tree over HTTP."""

    @contextmanager
    def serve(style: str = "apache", alter: Any = lambda path: None) -> Iterator[ServedTree]:
        with ServedTree(tree.root, style, alter).serve() as serving:
            yield serving

    return serve
