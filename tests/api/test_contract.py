"""Our own OpenAPI, held against what is really answered to input that nobody would think of (schemathesis)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, Phase, given, reject
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import DrawFn, composite
from schemathesis import Case, GenerationMode
from schemathesis.core.errors import InvalidSchema
from schemathesis.specs.openapi import checks
from sqlalchemy import text

import app.main
from app.main import Service, build
from app.providers.addresses import Reach
from app.providers.base import Profile
from app.providers.client import make_client
from app.settings import Settings
from tests.conftest import ADMIN_TOKEN, serving

HEADERS = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
AS_DOCUMENTED: list[Any] = [  # a 500 is documented nowhere; a 503 says that the vendor is away
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
Drawn: TypeAlias = Case[Any]
few = hypothesis_settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
_ROWS = """
    INSERT INTO bridges (name, crm_connection_id, billing_connection_id) VALUES ('b', 1, 2);
    INSERT INTO links (bridge_id, object, crm_id, state, origin) VALUES (1, 'contact', 'x', 'failed', 'crm');
    INSERT INTO events (delivery, bridge_id, provider, side, kind, object, external_id, state)
        VALUES ('d', 1, 'highlevel', 'crm', 'ContactUpdate', 'contact', 'x', 'done');
    INSERT INTO activities (bridge_id, link_id, object, action) VALUES (1, 1, 'contact', 'created');
    INSERT INTO duplicate_clusters (bridge_id, side, keys, members) SELECT 1, 'billing',
        '[{"kind": "email", "key": "a@b.example", "ids": ["x", "y"]}]', jsonb_agg(jsonb_build_object('id', id,
        'name', '', 'company', '', 'email', '', 'phone', '', 'city', '', 'filled', 1, 'money', null, 'created_at',
        now(), 'updated_at', now())) FROM unnest(ARRAY['x', 'y']) id
"""


async def fill(service: Service) -> None:
    for provider, names in (("highlevel", "private_token"), ("invoice_ninja", "api_token")):
        profile, url = Profile(account_id="a", label="A"), "https://vendor.invalid"
        await service.connections.add(provider, name="x", base_url=url, secrets={names: "token-1"}, profile=profile)
    async with service.engine.begin() as connection:
        for statement in _ROWS.split(";"):
            await connection.execute(text(statement))


@composite
def cases(draw: DrawFn, operation: Any, mode: GenerationMode) -> Drawn:
    try:
        case: Drawn = draw(operation.as_strategy(generation_mode=mode))
    except InvalidSchema:  # of a way to be wrong that it has thought of, it can make no example
        reject()
    return case


@pytest.fixture
def url(settings: Settings, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The service in a thread of this process, with one row of everything. No vendor's name leads anywhere."""

    async def nobody(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    monkeypatch.setattr(app.main, "make_client", lambda _: make_client(Reach.INTERNET, nobody))
    service = build(settings, database)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving(service, worker=False)) as url:
        portal.call(fill, service)
        yield url


def each_case(url: str, mode: GenerationMode, work: Callable[[Drawn], None], most: int = 4) -> int:
    """At most so many of each endpoint. Returns how many cases there were."""
    count = 0
    for result in schemathesis.openapi.from_url(f"{url}/openapi.json", timeout=60).get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]

        @given(case=cases(operation, mode))
        @hypothesis_settings(few, max_examples=most)
        def run(case: Drawn) -> None:
            nonlocal count
            count += 1
            work(case)

        with suppress(Unsatisfiable):  # nothing can be wrong with a request that has neither parameters nor a body
            run()
    return count


def is_ours(case: Drawn) -> bool:
    return str(case.path).startswith("/api/v1/")


@pytest.mark.timeout(400)  # it asks every endpoint many times
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_as_documented(url: str, mode: GenerationMode) -> None:
    def work(case: Drawn) -> None:
        case.call_and_validate(headers=HEADERS, checks=AS_DOCUMENTED)

    assert each_case(url, mode, work) > 100


def test_what_exists_is_answered_as_documented(url: str) -> None:
    """Ids are drawn at random above, and lead to a 404 nearly always."""
    succeeded = set()

    def work(case: Drawn) -> None:
        if not is_ours(case) or not case.path_parameters or case.method == "DELETE":
            return
        case.path_parameters = dict.fromkeys(case.path_parameters, 1)
        if isinstance(case.body, dict) and "enabled" in case.body:
            case.body["enabled"] = True  # on a bridge that is off nothing can be replayed
        answer = case.call_and_validate(headers=HEADERS, checks=AS_DOCUMENTED)
        if answer.status_code < 300:
            succeeded.add((case.method, case.path))

    each_case(url, GenerationMode.POSITIVE, work)
    assert len(succeeded) >= 9, succeeded


def test_nobody_gets_in_without_the_token(url: str) -> None:
    def work(case: Drawn) -> None:
        if is_ours(case):
            answer = case.call(headers={"Authorization": "Bearer wrong"})
            assert answer.status_code in (401, 413), (case.method, case.path, answer.status_code)
            case.headers.pop("Authorization", None)
            assert case.call().status_code in (401, 413)

    each_case(url, GenerationMode.POSITIVE, work, most=1)
