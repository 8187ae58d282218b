"""A business with several contacts is one client with as many."""

from typing import Any

from app.sandbox.stage import LOCATION
from app.sandbox.story import Story, expect

NAME = "Harbour Bakery"
PEOPLE = {"ada@harbour.example": "+442079460031", "ben@harbour.example": "+442079460032"}


async def with_two_contacts(story: Story) -> list[str]:
    body = {"name": NAME, "locationId": LOCATION, "phone": "+442079460030", "city": "Bristol", "country": "GB"}
    made = (await story.stage.highlevel.post("/businesses/", json=body)).raise_for_status().json()
    people = [await story.add_contact(firstName=email.partition("@")[0].title(), email=email) for email in PEOPLE]
    join = {"locationId": LOCATION, "ids": people, "businessId": made["buiseness"]["id"]}
    (await story.stage.highlevel.post("/contacts/bulk/business", json=join)).raise_for_status()
    # No event tells that a contact joined a business; the next one about the contact, or a poll, brings it along.
    for contact_id, phone in zip(people, PEOPLE.values(), strict=True):
        (await story.stage.highlevel.put(f"/contacts/{contact_id}", json={"phone": phone})).raise_for_status()

    async def together() -> Any:
        return [each for each in await _clients(story) if _people(each) == PEOPLE]

    (client,) = await story.arrival(together, "there is no client with both contacts")
    await story.at_rest()
    others = [each["display_name"] for each in await _clients(story) if each["id"] != client["id"]]
    expect(not others, f"there are other clients with them: {', '.join(others)}")
    expect((client["name"], client["phone"]) == (NAME, body["phone"]), f"the client is called {client['name']!r}")
    return [
        f"client {client['number']} “{client['name']}” in {client['city']} has the contacts {' and '.join(PEOPLE)}",
        "each of them with the phone of its own, and no client beside it",
    ]


async def _clients(story: Story) -> list[dict[str, Any]]:
    """Those of the business or its people."""
    answer = await story.stage.ninja.get("/api/v1/clients", params={"status": "active", "per_page": "100"})
    found = answer.raise_for_status().json()["data"]
    return [each for each in found if each["name"] == NAME or _people(each).keys() & PEOPLE]


def _people(client: dict[str, Any]) -> dict[str, str]:
    return {each["email"]: each["phone"] for each in client["contacts"]}
