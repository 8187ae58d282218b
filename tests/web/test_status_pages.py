"""Status pages: opened by their address alone, framed by HighLevel alone, and telling nothing but counts."""

import httpx

from tests.conftest import World, connect
from tests.flows.test_tasks import pair


async def made(world: World, **wanted: str) -> str:
    """The path of its address."""
    address = f"/api/v1/bridges/{world.bridge_id}/status-page"
    answer = (await world.admin.put(address, json=wanted)).raise_for_status().json()
    return httpx.URL(answer["url"]).path


async def opened(world: World, path: str) -> httpx.Response:
    """By somebody whom nobody knows."""
    async with httpx.AsyncClient(base_url=world.admin.base_url) as stranger:
        return await stranger.get(path)


async def test_whoever_has_the_address_sees_counts_and_nothing_else(bare_world: World) -> None:
    await connect(bare_world)
    await pair(bare_world)
    await bare_world.quiet()
    path = await made(bare_world, heading="Harbour <Bakery>")
    answer = await opened(bare_world, f"{path}?theme=dark")
    assert answer.status_code == 200
    assert "Harbour &lt;Bakery&gt;" in answer.text
    assert "Everything is in step." in answer.text
    assert 'data-theme="dark"' in answer.text
    assert "set-cookie" not in answer.headers
    (link,) = await bare_world.rows("links", object="contact")
    for secret in ("ada@", link["name"], link["crm_id"], path):
        assert secret not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'self' https://app.gohighlevel.com;" in policy
    assert "x-frame-options" not in answer.headers


async def test_an_address_ends_with_the_next_one_and_with_the_page(bare_world: World) -> None:
    await connect(bare_world)
    first = await made(bare_world)
    second = await made(bare_world)
    assert [(await opened(bare_world, path)).status_code for path in (first, second)] == [404, 200]
    page = f"/api/v1/bridges/{bare_world.bridge_id}/status-page"
    shown = (await bare_world.admin.get(page)).raise_for_status()
    assert second.rpartition("/")[2] not in shown.text
    (await bare_world.admin.delete(page)).raise_for_status()
    assert (await opened(bare_world, second)).status_code == 404
    assert [(await bare_world.admin.request(method, page)).status_code for method in ("GET", "DELETE")] == [404, 404]


async def test_it_says_what_is_the_matter(bare_world: World) -> None:
    await connect(bare_world)
    path = await made(bare_world)
    bridge = f"/api/v1/bridges/{bare_world.bridge_id}"
    await bare_world.fault(bare_world.ninja, kind="status", status=422, method="POST", path="^/api/v1/clients$")
    await bare_world.add_contact(email="refused@example.com")
    await bare_world.quiet()
    assert "Something needs attention." in (await opened(bare_world, path)).text
    (await bare_world.admin.patch(bridge, json={"enabled": False})).raise_for_status()
    assert "Paused" in (await opened(bare_world, path)).text
