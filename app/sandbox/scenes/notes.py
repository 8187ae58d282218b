"""Notes of the person who is in both systems."""

from app.sandbox.story import Story, expect


async def written(story: Story) -> list[str]:
    body = {"body": "<p>Wants the hedge cut <b>before Easter</b> &amp; a price for it.</p>"}
    (await story.stage.highlevel.post(f"/contacts/{story.contact_id}/notes", json=body)).raise_for_status()
    told = await story.arrival(story.client_notes, "nothing is in the client's activity")
    expect(told == ["Wants the hedge cut before Easter & a price for it."], f"the activity says {told}")
    return [f"the client's activity says “{told[0]}”"]
