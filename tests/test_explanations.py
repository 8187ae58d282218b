"""Every problem that a record can have is explained: the names are read off the code that gives them."""

import ast
import functools
import gc
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app import errors
from app.errors import CrossledgerError, Wait
from app.explanations import EXPLANATIONS, explain
from app.jobs import problem_name

APP = Path(__file__).resolve().parents[1] / "app"
OF_CONNECTIONS = {"subscriptions.py"}
"""What is called a problem there is none of a record."""
SOURCES = [*sorted((APP / "sync").rglob("*.py")), *sorted(set(APP.glob("*.py")) - {APP / n for n in OF_CONNECTIONS})]
OUTSIDE = {
    CrossledgerError,
    errors.OutOfDate,  # said to whoever decides, never of a record
    *(each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, Wait)),
}


Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Reader:
    """Of sources, every name that is given to a record as its problem. What it cannot read is in `unread`."""

    modules: Mapping[str, ast.Module]
    functions: dict[str, dict[str, Function]] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for path, module in self.modules.items():
            for node in ast.walk(module):
                if isinstance(node, Function):
                    self.functions.setdefault(node.name, {})[path] = node
            for statement in module.body:
                if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                    self.constants[statement.targets[0].id] = statement.value

    def names(self) -> set[str]:
        return {
            name
            for path, module in self.modules.items()
            for node in ast.walk(module)
            for given in self._given(node, path)
            for name in self._read(given, f"{path}:{given.lineno}")
        }

    def _given(self, node: ast.AST, path: str) -> Iterator[ast.expr]:
        """Expressions that become somebody's problem, or are compared with it."""
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "problem":
                    yield value
        elif isinstance(node, ast.Call):
            yield from (word.value for word in node.keywords if word.arg == "problem")
            place = self._place_of_problem(_called(node), path)
            if place is not None and place < len(node.args):
                yield node.args[place]
        elif isinstance(node, ast.Compare) and _called(node.left) == "problem":
            yield from (each for each in node.comparators if isinstance(each, ast.Constant))
        elif (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Tuple)
            and _called(node.targets[0].elts[0]) == "problem"
        ):
            yield from self._first_of_what_is_returned(node.value, path)

    def _place_of_problem(self, called: str, path: str) -> int | None:
        known = self.functions.get(called, {})
        for each in [known[path]] if path in known else known.values():
            named = [argument.arg for argument in each.args.args if argument.arg != "self"]
            if "problem" in named:
                return named.index("problem")
        return None

    def _first_of_what_is_returned(self, value: ast.expr, path: str) -> Iterator[ast.expr]:
        """Of the function whose answer is taken to pieces: `if away := _excluded(...)`, `problem, detail = away`."""
        for node in ast.walk(self.modules[path]):
            if isinstance(node, ast.NamedExpr) and _called(node.target) == _called(value):
                function = self.functions.get(_called(node.value), {}).get(path)
                for end in ast.walk(function) if function else ():
                    if isinstance(end, ast.Return) and isinstance(end.value, ast.Tuple):
                        yield end.value.elts[0]

    def _read(self, given: ast.expr, place: str) -> set[str]:
        match given:
            case ast.Constant(value=str(name)):
                return {name}
            case ast.Constant(value=None) | ast.Name(id="problem") | ast.Attribute(attr="problem"):
                return set()  # none, or handed on
            case ast.Name(id=constant) if constant in self.constants:
                return self._read(self.constants[constant], place)
            case ast.Subscript(value=ast.Name(id=table)) if isinstance(self.constants.get(table), ast.Dict):
                rows = self.constants[table]
                assert isinstance(rows, ast.Dict)
                return {name for value in rows.values for name in self._read(value, place)}
            case ast.Call() if _called(given) == problem_name.__name__:
                return {problem_name(kind.__new__(kind)) for kind in kinds()}
        self.unread.append(f"{place} {ast.unparse(given)}")
        return set()


def _called(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return _called(node.func)
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def kinds() -> list[type[CrossledgerError]]:
    found = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, CrossledgerError)]
    return [each for each in found if each not in OUTSIDE]


def read(*sources: str) -> Reader:
    return Reader({f"source {n}": ast.parse(source) for n, source in enumerate(sources)})


@functools.cache
def of_the_code() -> Reader:
    """Without the garbage collector: where it runs meanwhile, CPython 3.11 may miscount the depth of a tree (its issue
    106905), and raises SystemError."""
    gc.disable()
    try:
        return Reader({path.name: ast.parse(path.read_text()) for path in SOURCES})
    finally:
        gc.enable()


def test_every_problem_that_the_code_gives_a_record_is_explained() -> None:
    reader = of_the_code()
    names = reader.names() - {""}
    assert reader.unread == []
    assert names - EXPLANATIONS.keys() == set()
    assert len(names) > 35


def test_nothing_is_explained_that_the_code_does_not_know() -> None:
    assert EXPLANATIONS.keys() - of_the_code().names() == set()


@pytest.mark.parametrize(
    "source",
    [
        "def put(work, problem, detail): ...\nput(work, 'strange', 'x')",
        "class Store:\n    def cut(self, link, problem): ...\nstore.cut(link, 'strange')",
        "row = {'problem': 'strange'}",
        "update(Link).values(problem='strange')",
        "STRANGE = 'strange'\nrow = {'problem': STRANGE}",
        "ALL = {1: 'strange'}\nrow = {'problem': ALL[1]}",
        "if link.problem == 'strange': ...",
        "def _why(): return 'strange', 'x'\nif away := _why():\n    problem, detail = away",
    ],
)
def test_a_name_is_found_in_whatever_way_it_is_given(source: str) -> None:
    reader = read(source)
    assert (reader.names(), reader.unread) == ({"strange"}, [])


def test_what_cannot_be_read_is_said() -> None:
    reader = read("row = {'problem': 'a' + 'b'}")
    assert reader.names() == set()
    assert reader.unread


def test_each_says_what_happened_why_and_what_to_do_in_sentences() -> None:
    for name, each in EXPLANATIONS.items():
        assert each.title, name
        assert not each.title.endswith("."), name
        for sentences in (each.cause, each.cure):
            assert sentences.endswith("."), name
            assert sentences[0].isupper(), name
        assert "{" not in each.title + each.cause + each.cure, name


def test_no_problem_needs_no_explanation_and_an_unknown_one_has_a_general_one() -> None:
    assert explain("") is None
    unknown = explain("of a later version")
    assert unknown
    assert unknown.title == "It is not in step"
