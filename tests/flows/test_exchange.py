"""Of an attempt that failed it is kept what was said to the vendor and what it answered, and no secret with it."""

from sqlalchemy import text

from tests.conftest import World, until

OURS = "sandbox-ninja-service-token"
REFUSAL = {
    "message": f"The given data was invalid. Your token {OURS} was good.",
    "errors": {"city": ["This city is none."]},
    "debug": {"X-API-TOKEN": OURS, "password": "a-password-of-theirs"},
}


async def test_a_failed_attempt_keeps_the_request_and_the_answer_without_a_secret(world: World) -> None:
    await world.fault(world.ninja, kind="status", status=422, method="POST", path="/clients", body=REFUSAL)
    await world.add_contact(firstName="Jane", email="jane@acme.example", city="York")
    (failed,) = await until(lambda: world.rows("activities", action="failed"))
    answer = await world.admin.get(f"/api/v1/activities/{failed['id']}/exchange")
    said = answer.raise_for_status().json()
    assert (said["method"], said["status"]) == ("POST", 422)
    assert said["url"].endswith("/api/v1/clients")
    assert "jane@acme.example" in said["request"]
    assert "This city is none." in said["answer"]
    async with world.service.engine.connect() as connection:
        stored = str((await connection.execute(text("SELECT * FROM failed_exchanges"))).all())
    for secret in (OURS, "a-password-of-theirs"):
        assert secret not in stored
        assert secret not in answer.text


async def test_what_succeeds_or_is_tried_again_keeps_nothing(world: World) -> None:
    await world.fault(world.ninja, kind="status", status=503, times=2, token="service")
    await world.add_contact(firstName="Jane", email="jane@acme.example")
    await until(world.clients)
    await world.quiet()
    async with world.service.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM failed_exchanges")) == 0
    (created,) = await world.rows("activities")
    assert (await world.admin.get(f"/api/v1/activities/{created['id']}/exchange")).status_code == 404
