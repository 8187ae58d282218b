"""Tags of the person who is in both systems."""

from app.sandbox.story import Story, expect


async def added(story: Story) -> list[str]:
    await story.edit_client(custom_value1="wholesale")
    await story.arrival(lambda: _on_both_sides(story, {"wholesale"}), "the tag did not arrive in HighLevel")
    await story.at_rest()
    story.begin()
    path = f"/contacts/{story.contact_id}/tags"
    (await story.stage.highlevel.post(path, json={"tags": ["vip"]})).raise_for_status()
    await story.arrival(lambda: _on_both_sides(story, {"wholesale", "vip"}), "the tag did not arrive in Invoice Ninja")
    tags = (await story.client())["custom_value1"]
    expect(tags == "vip, wholesale", f"the client's custom value is {tags!r}")
    return [f"the client's first custom value is “{tags}”: the one that was written there before stays"]


async def _on_both_sides(story: Story, tags: set[str]) -> bool:
    contact, client = await story.contact(story.contact_id), await story.client()
    return set(contact["tags"]) == tags == set(client["custom_value1"].split(", "))
