from tests.sandbox.bench import HERE, Bench


def names(bench: Bench) -> list[str]:
    return [each["name"] for each in bench.api("GET", f"/locations/{HERE}/tags")["tags"]]


def tags(bench: Bench, contact: str) -> list[str]:
    return list(bench.http.get(f"/contacts/{contact}").json()["contact"]["tags"])


def test_the_tags_of_a_location_are_made_renamed_and_deleted(bench: Bench) -> None:
    path = f"/locations/{HERE}/tags"
    tag = bench.api("POST", path, {"name": "Berth"})["tag"]
    assert (tag["name"], tag["locationId"]) == ("berth", HERE)
    assert bench.ask("POST", path, {"name": "BERTH"}).status_code == 400
    assert bench.api("PUT", f"{path}/{tag['id']}", {"name": "Mooring"})["tag"]["name"] == "mooring"
    assert bench.api("GET", f"{path}/{tag['id']}")["tag"]["name"] == "mooring"
    assert bench.api("DELETE", f"{path}/{tag['id']}") == {"succeded": True}
    assert names(bench) == []


def test_what_a_contact_is_tagged_with_the_location_knows_and_each_change_is_told_in_full(bench: Bench) -> None:
    contact = bench.contact(tags=["crane"])
    bench.events()
    path = f"/contacts/{contact}/tags"
    assert bench.api("POST", path, {"tags": ["Berth", "crane"]}) == {"tags": ["crane", "berth"]}
    ((event, body),) = bench.events()
    assert (event, body["type"], body["tags"]) == ("ContactTagUpdate", "ContactTagUpdate", ["crane", "berth"])
    bench.api("POST", path, {"tags": ["crane"]})
    assert bench.names() == []
    assert bench.api("DELETE", path, {"tags": ["crane"]}) == {"tags": ["berth"]}
    assert [body["tags"] for _, body in bench.events()] == [["berth"]]
    assert names(bench) == ["crane", "berth"]


def test_tags_in_an_update_or_an_upsert_replace_all_others(bench: Bench) -> None:
    contact = bench.contact(email="ada@yard.example", tags=["crane", "berth"])
    bench.http.put(f"/contacts/{contact}", json={"tags": ["tow"]})
    assert tags(bench, contact) == ["tow"]
    bench.http.post("/contacts/upsert", json={"locationId": HERE, "email": "ada@yard.example", "tags": ["dock"]})
    assert tags(bench, contact) == ["dock"]
    bench.http.post("/contacts/upsert", json={"locationId": HERE, "email": "ada@yard.example"})
    assert tags(bench, contact) == ["dock"]
