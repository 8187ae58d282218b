"""A person's steps through consent, over HTTP: log in, agree on the vendor's page, come back."""

from typing import Any

import httpx

from tests.conftest import World


async def log_in(
    world: World, browser: httpx.AsyncClient, email: str = "owner@ours.example", role: str = "owner"
) -> None:
    password = "correct horse battery staple"
    body = {"email": email, "password": password, "role": role}
    (await world.admin.post("/api/v1/users", json=body)).raise_for_status()
    form = {"csrf_token": token_of((await browser.get("/login")).text), "email": email, "password": password}
    answer = await browser.post("/login", data=form)
    assert answer.status_code == 303, answer.text


def token_of(html: str) -> str:
    return html.partition('name="csrf_token" value="')[2].partition('"')[0]


async def send(browser: httpx.AsyncClient, path: str, **form: Any) -> httpx.Response:
    """A form of ours."""
    token = token_of((await browser.get("/connect")).text)
    return await browser.post(path, data={"csrf_token": token, **form})


async def agree(browser: httpx.AsyncClient, choice: str, start: str = "/oauth/highlevel/start") -> httpx.URL:
    """From our start through the vendor's page; returns the address that it sends the browser back to."""
    to_vendor = await browser.get(start)
    assert to_vendor.status_code == 303, to_vendor.text
    url = httpx.URL(to_vendor.headers["location"])
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        back = await elsewhere.get(url.copy_merge_params({"approve": choice}))
    return httpx.URL(back.headers["location"])


async def follow(browser: httpx.AsyncClient, back: httpx.URL) -> httpx.Response:
    return await browser.get(back.raw_path.decode())
