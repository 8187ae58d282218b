"""The pictures in `docs/`, of a service at work between both simulators: `make pictures`.

What is in them happened: people were added and edited on both sides, and the service did the rest.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from tests.browser.managing import OWNER, managed_site
from tests.browser.visitor import Visitor, chromium, expect, visiting
from tests.flows.driver import Site

DOCS = Path(__file__).resolve().parents[2] / "docs"
PEOPLE = (
    ("Amelia", "Hart", "Hart & Daughters", "Exeter"),
    ("Giulia", "Conti", "Conti Ceramiche", "Faenza"),
    ("Luc", "Moreau", "Atelier Moreau", "Lyon"),
    ("Jonas", "Weber", "Weber Holzbau", "Freiburg"),
    ("Ines", "Duarte", "Duarte Cafés", "Porto"),
    ("Noor", "de Vries", "De Vries Fietsen", "Utrecht"),
    ("Maeve", "Byrne", "Byrne Dental", "Galway"),
    ("Oskar", "Lind", "Lind Ljus", "Malmö"),
    ("Marta", "Kowalska", "Kowalska Studio", "Kraków"),
    ("Theo", "Papadakis", "Papadakis Marine", "Chania"),
    ("Carmen", "Ruiz", "Ruiz Jardines", "Sevilla"),
    ("Eve", "Fontaine", "Fontaine Traiteur", "Nantes"),
)
REFUSAL = {"message": "The given data was invalid.", "errors": {"phone": ["The phone format is invalid."]}}


async def main(docs: Path) -> None:
    docs.mkdir(exist_ok=True)  # noqa: ASYNC240 -- nobody waits for it
    async with managed_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        await lived_in(site)
        await visitor.page.set_viewport_size({"width": 1280, "height": 860})
        await visitor.log_in(OWNER)
        for name, path in (
            ("overview", "/"),
            ("plan", "/bridges/1/setup/plan"),
            ("record", f"/records/{await record(site, 'Amelia')}"),
            ("decide", f"/decide/{await record(site, 'Giulia')}"),
        ):
            await take(visitor, docs / f"{name}.png", path)
        await mapping(visitor, docs / "mapping.png")
        await sandbox(visitor, docs / "sandbox.png")


async def take(visitor: Visitor, to: Path, path: str = "") -> None:
    if path:
        await visitor.open(path)
    await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
    await visitor.page.wait_for_timeout(1500)  # charts are drawn within a second
    await visitor.page.screenshot(path=to)


async def lived_in(site: Site) -> None:
    await site.subscribe_highlevel()
    async with site.admin() as admin:
        installed = await admin.post("/api/v1/connections/2/webhooks/install")
        installed.raise_for_status()
        await _change(admin, prefer="ask")
    contacts = [
        await site.add_contact(
            firstName=first,
            lastName=last,
            companyName=company,
            city=city,
            email=f"{first.lower()}@{company.split()[0].lower()}.example",
        )
        for first, last, company, city in PEOPLE
    ]
    await site.at_rest()
    await site.edit_contact(contacts[0], city="Bristol")
    await site.at_rest()
    await both_edit(site, contacts[1], "Ravenna", "Bologna")
    refuse = {"kind": "status", "status": 422, "method": "PUT", "path": "/clients", "body": REFUSAL}
    (await site.ninja.post("/_control/faults", json=refuse)).raise_for_status()
    await site.edit_contact(contacts[2], phone="+33472000000")
    await site.at_rest()
    (await site.ninja.delete("/_control/faults")).raise_for_status()
    async with site.admin() as admin:
        (await admin.post("/api/v1/bridges/1/plan", json={})).raise_for_status()
    await site.at_rest()


async def _change(admin: Any, **settings: Any) -> None:
    (await admin.patch("/api/v1/bridges/1", json={"settings": settings})).raise_for_status()


async def both_edit(site: Site, contact: str, there: str, here: str) -> None:
    """While nobody is told."""
    lose = {"kind": "lose", "share": 1.0}
    (await site.ninja.post("/_control/webhook-faults", json=lose)).raise_for_status()
    (client,) = [each for each in await site.clients() if each["custom_value4"] == contact]
    path = f"/api/v1/clients/{client['id']}"
    (await site.ninja.put(path, json={**client, "city": there})).raise_for_status()
    await site.edit_contact(contact, city=here)
    await site.at_rest()
    (await site.ninja.delete("/_control/webhook-faults")).raise_for_status()


async def record(site: Site, first: str) -> int:
    found = [each["id"] for each in await site.contacts() if each["firstName"] == first]
    ((link,),) = await site.rows("SELECT id FROM links WHERE crm_id = %s", found[0])
    return int(link)


async def mapping(visitor: Visitor, to: Path) -> None:
    page = visitor.page
    await visitor.open("/bridges/1/mapping/contact")
    await visitor.press("Change City and City")
    await page.get_by_label("Add a step").select_option("case")
    await visitor.press("Let it go to Invoice Ninja only")
    await expect(page.locator(".note.next")).to_have_count(0)
    await expect(page.locator(".trial ins").first).to_be_visible()
    await page.wait_for_timeout(1000)
    await page.evaluate("document.querySelector('.trial').scrollIntoView({block: 'center'})")
    await take(visitor, to)


async def sandbox(visitor: Visitor, to: Path) -> None:
    await visitor.open("/sandbox")
    await visitor.press("Try it with the sandbox")
    people = visitor.page.get_by_role("table", name="People of the sandbox")
    await expect(people.get_by_role("row").filter(has_text="Amelia Hart")).to_contain_text("in step")
    await visitor.page.wait_for_timeout(3000)  # until all of them are
    await take(visitor, to)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS))
