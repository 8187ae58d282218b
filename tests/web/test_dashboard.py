"""The dashboard's addresses, without a browser."""

from app.dashboard import PATHS
from app.dashboard.site import PARTS
from tests.conftest import World


def test_the_paths_are_those_of_the_pages() -> None:
    first = {route.path.split("/")[1] for part in PARTS for route in part.router.routes}
    assert first == {"", *(path for path in PATHS if not path.startswith("_"))}


async def test_other_addresses_are_none_of_its_business(bare_world: World) -> None:
    """A script that asks for what is not there is told so in its own language, and loads nothing."""
    for path in ("/nothing", "/api/v1/nothing", "//activity", "/login"):
        await bare_world.admin.get(bare_world.url + path, headers={"Accept": "application/json"})
        assert bare_world.service.dashboard._router is None
    answer = await bare_world.admin.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
