from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox.bench import Bench
from tests.sandbox.test_highlevel import Receiver, highlevel, receiver

__all__ = ["receiver"]


@pytest.fixture(scope="package")
def running() -> Iterator[httpx.Client]:
    with highlevel() as http:
        yield http


@pytest.fixture
def bench(running: httpx.Client, receiver: Receiver) -> Bench:
    running.post("/_control/reset")
    running.post("/_control/webhooks", json={"url": receiver.url, "events": "all"})
    return Bench(running, receiver)
