from tests.sandbox.bench import HERE, Bench, documented


def test_a_note_is_made_read_changed_and_deleted(bench: Bench) -> None:
    contact = bench.contact()
    path = f"/contacts/{contact}/notes"
    note = bench.api("POST", path, {"body": "Prefers mornings", "pinned": True})["note"]
    assert (note["body"], note["contactId"], note["pinned"]) == ("Prefers mornings", contact, True)
    assert bench.api("GET", f"{path}/{note['id']}") == {"note": note}
    changed = bench.api("PUT", f"{path}/{note['id']}", {"body": "Prefers evenings"})["note"]
    assert changed == {**note, "body": "Prefers evenings"}
    assert bench.api("GET", path) == {"notes": [changed]}
    assert bench.api("DELETE", f"{path}/{note['id']}") == {"succeded": True}
    assert bench.ask("GET", f"{path}/{note['id']}").status_code == 404
    assert bench.ask("POST", path, {"body": " "}).json()["message"] == ["body should not be empty"]


def test_a_note_tells_of_every_change(bench: Bench) -> None:
    contact = bench.contact()
    bench.events()
    note = bench.api("POST", f"/contacts/{contact}/notes", {"body": "Prefers mornings", "title": "Hours"})["note"]
    ((event, body),) = bench.events()
    told = {"id": note["id"], "body": "Prefers mornings", "contactId": contact, "dateAdded": note["dateAdded"]}
    assert (event, documented(body)) == ("NoteCreate", {"type": "NoteCreate", "locationId": HERE, **told})
    path = f"objects/notes/{note['id']}"
    bench.control("PATCH", path, {"body": "Prefers evenings"})
    bench.control("PATCH", path, {"body": "Prefers evenings"})
    assert [(event, body["body"]) for event, body in bench.events()] == [("NoteUpdate", "Prefers evenings")]
    bench.control("DELETE", path)
    assert bench.names() == ["NoteDelete"]
