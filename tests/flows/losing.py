"""What of the deliveries that a simulator dropped a sweep has to find: computed from the simulators' own records.

The definition is that of `app.sweep.judging`. A dropped delivery of a person's change counts where the service has not
looked at the record since, and no later delivery of it has arrived, nor one within the vendor's own second.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

LOSE = {"kind": "lose", "share": 0.3}
PATHS = {"crm": "/contacts/", "billing": "/api/v1/clients/"}
CRM_NAMES = {"city": "city", "address1": "address1", "state": "state", "postal_code": "postalCode"}


@dataclass
class People:
    """The hands on both sides: they edit contacts and clients, one after the other, and make new ones now and then."""

    highlevel: httpx.AsyncClient
    ninja: httpx.AsyncClient
    location: str
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    contacts: list[str] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    made: int = 0

    async def lose(self) -> None:
        for vendor in (self.highlevel, self.ninja):
            (await vendor.post("/_control/webhook-faults", json=LOSE)).raise_for_status()

    async def stop_losing(self) -> None:
        for vendor in (self.highlevel, self.ninja):
            (await vendor.delete("/_control/webhook-faults")).raise_for_status()

    async def refresh(self) -> None:
        state = (await self.highlevel.get("/_control/state")).json()
        self.contacts = sorted(each["id"] for each in state["contacts"])
        params = {"per_page": "5000", "status": "active"}
        rows = (await self.ninja.get("/api/v1/clients", params=params)).json()["data"]
        self.clients = sorted(each["id"] for each in rows)

    async def act(self, *, new: float = 0.1) -> None:
        """One random act. `new`: how likely it makes a record."""
        if self.chance.random() < new:
            await self._make()
        elif self.chance.random() < 0.5:
            await self._edit_contact(self.chance.choice(self.contacts))
        else:
            await self._edit_client(self.chance.choice(self.clients))

    async def _make(self) -> None:
        self.made += 1
        name, email = f"Acme {self.made}", f"jane{self.made}@acme.example"
        if self.made % 2:
            body = {"locationId": self.location, "companyName": name, "email": email, "city": "London"}
            (await self.highlevel.post("/contacts/", json=body)).raise_for_status()
        else:
            client = {"name": name, "city": "London", "contacts": [{"email": email}]}
            (await self.ninja.post("/api/v1/clients", json=client)).raise_for_status()

    async def _edit_contact(self, contact_id: str) -> None:
        word = self.chance.choice(sorted(CRM_NAMES.values()))
        (await self.highlevel.put(f"/contacts/{contact_id}", json={word: self._word()})).raise_for_status()

    async def _edit_client(self, client_id: str) -> None:
        answer = await self.ninja.get(f"/api/v1/clients/{client_id}")
        whole = answer.raise_for_status().json()["data"]
        edited = {**whole, self.chance.choice(sorted(CRM_NAMES)): self._word()}
        (await self.ninja.put(f"/api/v1/clients/{client_id}", json=edited)).raise_for_status()

    def _word(self) -> str:
        return f"{self.chance.choice('ABCDEFGHIJ')}{self.chance.randrange(10**6)}"


async def injected(highlevel: httpx.AsyncClient, ninja: httpx.AsyncClient) -> set[tuple[str, str]]:
    """Side and id of each record of which a change was lost, by the definition above."""
    lost: set[tuple[str, str]] = set()
    for side, vendor in (("crm", highlevel), ("billing", ninja)):
        deliveries = (await vendor.get("/_control/deliveries")).json()["deliveries"]
        asked = {"token": "service", "method": "GET", "path": f"^{PATHS[side]}[^/]+$"}
        looks = (await vendor.get("/_control/requests", params=asked)).json()["requests"]
        looked: dict[str, float] = {}
        for each in looks:
            looked[each["path"].removeprefix(PATHS[side])] = each["at"]
        for each in deliveries:
            if each["status"] != "lost" or each["by"] != "human":
                continue
            id_, changed = record_of(each), each["caused_at"]
            told = any(
                other["status"] != "lost" and record_of(other) == id_ and other["at"] >= _vendors(side, changed)
                for other in deliveries
            )
            if looked.get(id_, 0) < changed and not told:
                lost.add((side, id_))
    return lost


def record_of(delivery: Mapping[str, Any]) -> str:
    return str(delivery["body"]["id"])


def _vendors(side: str, moment: float) -> float:
    """Invoice Ninja's times are whole seconds."""
    return math.floor(moment) if side == "billing" else moment


async def differences(highlevel: httpx.AsyncClient, ninja: httpx.AsyncClient, pairs: Mapping[str, str]) -> list[str]:
    """What is not equal on both sides. `pairs`: client by contact."""
    contacts = {each["id"]: each for each in (await highlevel.get("/_control/state")).json()["contacts"]}
    params = {"per_page": "5000", "status": "active"}
    clients = {each["id"]: each for each in (await ninja.get("/api/v1/clients", params=params)).json()["data"]}
    wrong = [f"contact {id_} has no client" for id_ in contacts if id_ not in pairs]
    wrong += [f"client {id_} has no contact" for id_ in clients if id_ not in pairs.values()]
    for contact_id, client_id in pairs.items():
        for ours, theirs in CRM_NAMES.items():
            left, right = _read(contacts[contact_id], theirs), clients[client_id][ours]
            if left != right:
                wrong.append(f"{ours} of {contact_id} and {client_id}: {left!r}, {right!r}")
    return wrong


def _read(contact: Mapping[str, Any], name: str) -> str:
    return str(contact.get(name) or contact.get("values", {}).get(name) or "")
