"""The two simulators as they run: their processes, the hands of the people there, and what proves their webhooks."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import httpx

from app.errors import Rejected
from app.providers.client import trusted
from app.sandbox.processes import Simulator
from app.sync.records import Side
from app.vault import new_secret

LOCATION = "sandboxLocation0001"
SERVICE_TOKENS: Mapping[Side, str] = MappingProxyType(
    {Side.CRM: "sandbox-highlevel-service-token", Side.BILLING: "sandbox-ninja-service-token"}
)
"""They open the simulators and nothing else."""
NAMES: Mapping[Side, str] = MappingProxyType({Side.CRM: "highlevel", Side.BILLING: "invoice_ninja"})
CALLED: Mapping[Side, str] = MappingProxyType({Side.CRM: "HighLevel", Side.BILLING: "Invoice Ninja"})
_SIMULATORS: Mapping[Side, str] = MappingProxyType({Side.CRM: "highlevel", Side.BILLING: "invoice-ninja"})
_PEOPLE: Mapping[Side, Mapping[str, str]] = MappingProxyType(
    {
        Side.CRM: {"Authorization": "Bearer sandbox-highlevel-human-token", "Version": "2021-07-28"},
        Side.BILLING: {"X-API-TOKEN": "sandbox-ninja-human-token", "Accept": "application/json"},
    }
)
_OF_THE_APP = {"INSTALL", "UNINSTALL"}
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Stage:
    """`fresh`: nobody is in there yet. `key` and `public_key` prove a delivery of this HighLevel; no other has them."""

    simulators: Mapping[Side, Simulator]
    people: Mapping[Side, httpx.AsyncClient]
    fresh: bool
    key: str = field(repr=False)
    public_key: str = field(repr=False)

    @classmethod
    async def start(cls, home: Path, local_url: str) -> Self:
        """With what they remember in `home`. Memory that cannot be read is given up, and they are fresh."""
        fresh = _prepared(home)
        try:
            simulators = await _started(home)
        except RuntimeError:
            if fresh:
                raise
            forget(home)
            fresh, simulators = True, await _started(home)
        people = {
            side: httpx.AsyncClient(
                base_url=each.url, headers=_PEOPLE[side], timeout=_PATIENCE, trust_env=False, verify=trusted()
            )
            for side, each in simulators.items()
        }
        try:
            key, public_key = await _keys(people[Side.CRM], local_url)
        except BaseException:
            await asyncio.gather(*(asyncio.to_thread(each.stop) for each in simulators.values()))
            raise
        return cls(simulators, people, fresh, key, public_key)

    @property
    def ports(self) -> dict[str, int]:
        return {NAMES[side]: httpx.URL(each.url).port or 0 for side, each in self.simulators.items()}

    @property
    def alive(self) -> bool:
        return all(each.process.poll() is None for each in self.simulators.values())

    async def stop(self) -> None:
        for each in self.people.values():
            await each.aclose()
        await asyncio.gather(*(asyncio.to_thread(each.stop) for each in self.simulators.values()))

    async def ask(self, side: Side, method: str, path: str, body: Any = None, **params: str) -> Any:
        """What a person there does, or a switch of the simulator. Raises Rejected in the simulator's words."""
        try:
            answer = await self.people[side].request(method, path, json=body, params=params)
        except httpx.TransportError as error:
            raise Rejected(f"The sandbox's {CALLED[side]} does not answer: it is started again in a moment.") from error
        if answer.is_error:
            raise Rejected(f"{CALLED[side]} refuses this: {_words(answer)}", status=answer.status_code)
        return answer.json() if answer.content else None


def _prepared(home: Path) -> bool:
    """Whether nothing is remembered there: half of it is nothing."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = not all(path.exists() for path in memories(home).values())
    if fresh:
        forget(home)
    return fresh


async def _started(home: Path) -> dict[Side, Simulator]:
    memory = memories(home)
    seed = new_secret()
    begun = await asyncio.gather(
        asyncio.to_thread(Simulator.start, "highlevel", memory=memory[Side.CRM], signing_seed=seed),
        asyncio.to_thread(Simulator.start, "invoice-ninja", memory=memory[Side.BILLING], company_name="Sandbox Ltd"),
        return_exceptions=True,
    )
    failures = [each for each in begun if isinstance(each, BaseException)]
    running = [each for each in begun if isinstance(each, Simulator)]
    if failures:
        await asyncio.gather(*(asyncio.to_thread(each.stop) for each in running))
        raise failures[0]
    return dict(zip((Side.CRM, Side.BILLING), running, strict=True))


async def _keys(highlevel: httpx.AsyncClient, local_url: str) -> tuple[str, str]:
    """Tell it where to call; the secret part of that address, and the key that its deliveries are signed with."""
    # The simulator comes with it, which a service without a sandbox has no memory for.
    from app.sandbox.highlevel.webhooks import EVENTS

    key = new_secret()
    # An address for each: deliveries of businesses and products do not say what happened.
    events = {event: f"{local_url}/webhooks/sandbox/{key}/{event}" for event in EVENTS if event not in _OF_THE_APP}
    (await highlevel.post("/_control/webhooks", json={"events": events})).raise_for_status()
    return key, (await highlevel.get("/_control/public-key")).raise_for_status().text


def memories(home: Path) -> dict[Side, Path]:
    return {side: home / f"{name}.json" for side, name in _SIMULATORS.items()}


def forget(home: Path) -> None:
    for path in memories(home).values():
        path.unlink(missing_ok=True)


def _words(answer: httpx.Response) -> str:
    """Of an answer of either: `message` may be a text or a list of them, `errors` has more by field."""
    try:
        body = answer.json()
    except ValueError:
        return f"status {answer.status_code}"
    said = body.get("errors") or body.get("message") or body.get("error") if isinstance(body, dict) else None
    if isinstance(said, dict):
        said = [each for several in said.values() for each in (several if isinstance(several, list) else [several])]
    return "; ".join(map(str, said)) if isinstance(said, list) else str(said or f"status {answer.status_code}")
