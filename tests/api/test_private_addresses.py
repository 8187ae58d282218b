"""As it is delivered, the service calls nothing on its own machine or network, whoever asks for it."""

import pytest

from app.connections import Connections
from app.providers.base import Profile
from app.settings import Settings
from tests.conftest import LOCATION, World


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As in a fresh installation."""
    return settings.model_copy(
        update={"allow_private_addresses": Settings.model_fields["allow_private_addresses"].default}
    )


def wanted(world: World) -> tuple[dict[str, str], ...]:
    token = "sandbox-service-token"
    return (
        {"provider": "highlevel", "location_id": LOCATION, "private_token": token, "base_url": world.highlevel_url},
        {"provider": "invoice_ninja", "api_token": token, "base_url": world.ninja_url},
        {"provider": "highlevel", "location_id": LOCATION, "private_token": token},  # the setting names loopback
    )


async def test_an_account_at_a_private_address_is_refused_and_the_answer_says_what_to_set(bare_world: World) -> None:
    for body in wanted(bare_world):
        answer = await bare_world.admin.post("/api/v1/connections", json={"name": "x", **body})
        assert (answer.status_code, answer.json()["title"]) == (422, "Rejected")
        assert "set CROSSLEDGER_ALLOW_PRIVATE_ADDRESSES=true and restart" in answer.json()["detail"]
    assert await bare_world.rows("connections") == []
    assert await bare_world.calls(bare_world.highlevel) == []
    assert await bare_world.calls(bare_world.ninja) == []


@pytest.mark.parametrize("url", ["http://169.254.169.254", "http://metadata.google.internal", "http://[fd00:ec2::254]"])
async def test_an_account_at_a_clouds_metadata_is_refused(bare_world: World, url: str) -> None:
    body = {"provider": "invoice_ninja", "name": "x", "api_token": "t", "base_url": url}
    answer = await bare_world.admin.post("/api/v1/connections", json=body)
    assert answer.status_code == 422
    assert "never called" in answer.json()["detail"]


async def test_an_account_that_was_connected_before_is_not_called_either(bare_world: World) -> None:
    connections: Connections = bare_world.service.connections
    row, _ = await connections.add(
        "invoice_ninja",
        name="x",
        base_url=bare_world.ninja_url,
        secrets={"api_token": "sandbox-ninja-service-token"},
        profile=Profile(account_id="c", label="C"),
    )
    answer = await bare_world.admin.post(f"/api/v1/connections/{row.id}/check")
    assert (answer.status_code, answer.json()["title"]) == (422, "Rejected")
    assert await bare_world.calls(bare_world.ninja) == []
