"""tests/README.md keeps its word: what went wrong for others is listed, and the tests that it names are there."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent
NUMBERS = range(1, 66)
_ROW = re.compile(r"\| *(\d*) *\| ([^|*]+) \| [^|]+ \| ([^|]+) \|")
_NAMED = re.compile(r"`(tests/[\w/]+\.py::test_\w+)`")


@dataclass(frozen=True)
class Row:
    """`number`: "" for reports that are not among the 65."""

    number: str
    reports: tuple[str, ...]
    here: str

    @property
    def tests(self) -> list[str]:
        return _NAMED.findall(self.here)

    @property
    def names(self) -> tuple[str, ...]:
        """How a test of this row begins: the repository and the number, with or without the owner."""
        spelt = [re.sub(r"\W+", "_", report.lower()) for each in self.reports for report in (each, each.split("/")[-1])]
        return tuple(f"test_issue_{name}_" for name in spelt)


def rows(text: str) -> list[Row]:
    lines = text.partition("## What went wrong")[2].splitlines()
    found = [match.groups() for line in lines if (match := _ROW.fullmatch(line))]
    return [Row(n, tuple(r.strip().split(", ")), here) for n, r, here in found if r.strip() != "reported as"]


def written() -> Iterator[str]:
    """Every test function, as path::name."""
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield f"{path.relative_to(TESTS.parent)}::{node.name}"


ROWS = rows((TESTS / "README.md").read_text())
WRITTEN = list(written())


def test_each_failure_is_listed_once() -> None:
    assert [int(row.number) for row in ROWS if row.number] == list(NUMBERS)


def test_each_test_that_is_named_exists() -> None:
    assert {name for row in ROWS for name in row.tests} - set(WRITTEN) == set()


def test_each_test_that_is_named_after_a_report_is_listed_with_it() -> None:
    listed = {(name, row.names) for row in ROWS for name in row.tests if "::test_issue_" in name}
    assert {name for name in WRITTEN if "::test_issue_" in name} == {name for name, _ in listed}
    assert [name for name, spelt in sorted(listed) if not name.partition("::")[2].startswith(spelt)] == []


def test_what_has_no_test_named_after_it_says_what_is_open_or_why_it_does_not_apply() -> None:
    silent = [
        row.number
        for row in ROWS
        if not any("::test_issue_" in name for name in row.tests)
        and not re.search(r"(?:^| )(?:open|does not apply): \w", row.here)
    ]
    assert silent == []
