"""The project's rules, read from its own files: which module may import which, sizes, settings, and what is shipped."""

import ast
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, make_url
from sqlmodel import SQLModel

import app.models  # noqa: F401 -- fills the metadata
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "app").rglob("*.py"))
PROVIDERS = sorted(p.name for p in (ROOT / "app/providers").iterdir() if (p / "__init__.py").is_file())
VENDOR = "|".join(PROVIDERS)
SETTINGS = sorted(f"CROSSLEDGER_{name.upper()}" for name in Settings.model_fields)

LONGEST_FILE = 300
LONGEST_FUNCTION = 50


@dataclass(frozen=True)
class Never:
    """Modules that match `who` import nothing that matches `what`, but what matches `unless`."""

    who: str
    what: str
    why: str
    unless: str = ""

    def broken_by(self, module: str, imported: str) -> bool:
        if not re.fullmatch(self.who, module) or not re.fullmatch(self.what, imported):
            return False
        return not (self.unless and re.fullmatch(self.unless, imported))


PURE = (
    r"app\.(sync\.(merge|decisions|tagging|fieldmap|filters|records|values|money|documents|totals|fitting|canonical)"
    r"|sync\.steps(\.\w+)?|sync\.carrying|explanations(\.\w+)?)"
)
PURE_LIBRARIES = (
    r"(collections|dataclasses|datetime|decimal|enum|functools|itertools|json|math|re|string|types|typing|unicodedata"
    r"|zoneinfo|email_validator|iso4217|phonenumbers|pycountry|pydantic)(\..*)?"
)
RULES = (
    *(
        Never(
            rf"app\.providers\.{name}(\..*)?",
            rf"app\.providers\.({VENDOR})(\..*)?",
            "a provider knows no other provider",
            unless=rf"app\.providers\.{name}(\..*)?",
        )
        for name in PROVIDERS
    ),
    Never(
        r"app\.providers(\..*)?",
        r"app\.(models|settings|db|web|api|dashboard)(\..*)?",
        "a provider's client is given a token and a budget, and finds nothing itself",
    ),
    Never(
        PURE,
        r".*",
        "decisions are pure: no I/O, no clock, nothing of the app but each other",
        unless=rf"{PURE_LIBRARIES}|{PURE}(\..*)?",
    ),
    Never(
        r"app\.sync(\..*)?",
        rf"app\.(web|api|dashboard)(\..*)?|app\.providers\.({VENDOR})(\..*)?",
        "the engine never sees HTTP or a vendor",
    ),
    Never(
        r"app\.(web|api|dashboard)(\..*)?",
        rf"app\.providers\.({VENDOR})(\..*)?",
        "the web stores, shows or enqueues; the job does the work",
        unless=rf"app\.providers\.({VENDOR})(\.webhook(\..*)?)?",
    ),
    Never(
        r"app(\..*)?",
        r"app\.main(\..*)?",
        "nothing imports the composition root",
    ),
    Never(
        r"app\.(?!cli$|commands(\.|$)).*",
        r"app\.commands(\..*)?",
        "the shell asks the services; they do not know that it is there",
    ),
)
MAY_COMPOSE = re.compile(r"app\.(cli|main|commands(\..*)?|sandbox(\..*)?)")


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, module: str, *, package: bool = False) -> Iterator[str]:
    """Every module a source imports, wherever in it; `from a import b` gives a.b, for b may be a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".")[: len(module.split(".")) - node.level + package] if node.level else []
            origin = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def broken(module: str, imported: Sequence[str]) -> list[str]:
    return [
        f"{module} imports {name}: {rule.why}"
        for rule in RULES
        for name in imported
        if rule.broken_by(module, name) and not (rule.what.startswith(r"app\.main") and MAY_COMPOSE.fullmatch(module))
    ]


def test_no_import_goes_against_the_arrows() -> None:
    wrong: list[str] = []
    for path in FILES:
        module = module_name(path)
        wrong += broken(module, list(imports(path.read_text(), module, package=path.name == "__init__.py")))
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("app.providers.highlevel.contacts", "from app.providers.invoice_ninja.wire import parse"),
        ("app.providers.highlevel.contacts", "from .. import invoice_ninja"),
        ("app.providers.invoice_ninja.clients", "from app import models"),
        ("app.providers.http", "def f():\n    from app.settings import Settings"),
        ("app.sync.merge", "import time"),
        ("app.sync.values", "from app import settings"),
        ("app.sync.records", "import httpx"),
        ("app.sync.engine", "from app.providers.highlevel import mapping"),
        ("app.sync.engine", "import app.web.webhooks"),
        ("app.web.webhooks", "from app.providers.highlevel import api"),
        ("app.api.bridges", "from app.providers.invoice_ninja.clients import Clients"),
        ("app.worker", "from app.main import build"),
        ("app.replaying", "from app.commands.console import stop_with"),
        ("app.cli_tools", "from app.commands import shell"),
    ],
)
def test_an_import_against_the_arrows_is_noticed(module: str, source: str) -> None:
    assert broken(module, list(imports(source, module)))


def test_what_is_pure_reads_no_clock_and_opens_nothing() -> None:
    wrong = [
        f"{path.name}:{node.lineno}"
        for path in FILES
        if re.fullmatch(PURE, module_name(path))
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow"})
        or (isinstance(node, ast.Name) and node.id in {"open", "print", "input", "__import__"})
    ]
    assert wrong == []


def test_no_file_is_too_long() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in FILES}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert wrong == []


def test_the_migrations_make_exactly_the_models(database: str) -> None:
    engine = create_engine(make_url(database).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "include_name": _is_ours}
        )
        differences = compare_metadata(context, SQLModel.metadata)
    engine.dispose()
    assert differences == []


def _is_ours(name: str | None, kind: str, parent: object) -> bool:
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def tracked() -> list[Path]:
    """What is, or is about to be, in the repository. A copy without git has everything but the usual by-products."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0 and (ROOT / ".git").exists():
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        by_product = re.compile(r"(\.(?!ci$|env\.example$|dockerignore$|gitignore$).*|__pycache__|build|dist)")
        paths = [
            path
            for path in ROOT.rglob("*")
            if not any(by_product.fullmatch(part) for part in path.relative_to(ROOT).parts)
        ]
    return [path for path in paths if path.is_file()]


# Written in pieces, so that this file passes itself.
_REGISTRIES = ("pypi" + ".org", "python" + "hosted.", "npmjs" + ".", "docker" + ".io", "ghcr" + ".io", "quay" + ".io")
_INSTALLER_OPTIONS = ("index" + "-url", "find" + "-links", "trusted" + "-host")
_MACHINE_PATHS = (r"/ro" + r"ot/", r"/ho" + r"me/\w", r"/Us" + r"ers/\w", r"/wo" + r"rk/\w", r"/opt/" + r"\w")
_FORBIDDEN = re.compile(
    "|".join([*map(re.escape, (*_REGISTRIES, *_INSTALLER_OPTIONS)), *(rf"(?<![\w.:/])\.?{p}" for p in _MACHINE_PATHS)])
)


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    wrong: list[str] = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        wrong += [f"{path.relative_to(ROOT)}: {found.group()}" for found in _FORBIDDEN.finditer(text)]
    assert wrong == []


def test_every_requirement_has_its_version() -> None:
    lines = (ROOT / "constraints.txt").read_text().split("\n")
    assert [line for line in lines if line and not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []


def test_every_setting_is_in_the_example() -> None:
    named = re.findall(r"^#?(CROSSLEDGER_[A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(named) == SETTINGS


def test_the_example_is_read_as_the_defaults() -> None:
    text = (ROOT / ".env.example").read_text()
    values = dict(re.findall(r"^#?CROSSLEDGER_([A-Z_]+)=(.*)$", text, re.MULTILINE))
    said = Settings(_env_file=None, **{name.lower(): value for name, value in values.items()})
    assert said.model_dump() == Settings(_env_file=None).model_dump()


def test_every_setting_is_explained_in_the_readme() -> None:
    rows = re.findall(r"^\| `(CROSSLEDGER_[A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(rows) == SETTINGS


def test_the_example_has_no_secret() -> None:
    text = (ROOT / ".env.example").read_text()
    for name in ("CROSSLEDGER_SECRET_KEY", "CROSSLEDGER_ADMIN_TOKEN", "POSTGRES_PASSWORD"):
        assert re.search(rf"^{name}=$", text, re.MULTILINE)


@pytest.fixture
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


def test_compose_runs_service_worker_and_database(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services.keys() == {"db", "service", "worker"}
    assert services["db"]["image"] == "postgres:17"
    assert services["service"]["command"] == ["serve", "--no-worker"]
    assert services["worker"]["command"] == ["worker"]
    mounts = {mount.partition(":")[0] for mount in services["db"]["volumes"]}
    assert mounts == compose["volumes"].keys()


def test_compose_waits_for_health(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert "pg_isready" in services["db"]["healthcheck"]["test"]
    assert "/healthz" in services["service"]["healthcheck"]["test"][-1]
    assert services["worker"]["healthcheck"]["test"] == ["CMD", "crossledger", "check", "--worker"]
    for name in ("service", "worker"):
        assert services[name]["depends_on"] == {"db": {"condition": "service_healthy"}}
        assert services[name]["restart"] == "unless-stopped"


def test_compose_has_no_secret_of_its_own(compose: dict[str, Any]) -> None:
    secret = re.compile(r"SECRET|TOKEN|PASSWORD")
    asked = re.compile(r"\$\{[A-Z_]+:(\?[^}]+|-)\}")  # refused, or empty, where it is not given
    for service in compose["services"].values():
        for name, value in service["environment"].items():
            if secret.search(name):
                assert asked.fullmatch(str(value)), f"{name} has a value in docker-compose.yml"
            assert "://" not in str(value) or ":" not in str(value).partition("://")[2].partition("@")[0]


def test_compose_starts_without_what_is_optional(compose: dict[str, Any]) -> None:
    """The set-up link makes the first owner: no admin token is needed."""
    assert compose["services"]["service"]["environment"]["CROSSLEDGER_ADMIN_TOKEN"] == "${CROSSLEDGER_ADMIN_TOKEN:-}"


def test_compose_publishes_on_this_machine_only(compose: dict[str, Any]) -> None:
    assert compose["services"]["service"]["ports"] == ["${PUBLISH_ADDRESS:-127.0.0.1}:${CROSSLEDGER_PORT:-8000}:8000"]
    assert "ports" not in compose["services"]["db"]


def test_the_image_runs_as_nobody_in_particular() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER 10001:10001" in lines
    assert lines.index("USER 10001:10001") < lines.index('ENTRYPOINT ["crossledger"]')
    assert any(line.startswith("HEALTHCHECK") for line in lines)


def test_the_commands_of_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"^make ([a-z]+)|`make ([a-z]+)", readme, re.MULTILINE)
    assert {first or second for first, second in named} <= targets
    assert set(re.findall(r"`crossledger ([a-z-]+)", readme)) <= _cli_commands()


def _cli_commands() -> set[str]:
    from app.cli import cli

    groups = [group.typer_instance for group in cli.registered_groups if group.typer_instance]
    # Those of a group without a name are commands like any other.
    named = {str(group.info.name) for group in groups if isinstance(group.info.name, str)}
    commands = [
        *cli.registered_commands,
        *(c for g in groups if g.info.name not in named for c in g.registered_commands),
    ]
    return named | {c.name or getattr(c.callback, "__name__", "").replace("_", "-") for c in commands}
