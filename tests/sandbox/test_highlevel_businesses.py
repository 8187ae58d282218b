from tests.sandbox.bench import HERE, Bench, documented

YARD = {"name": "Harbour Yard", "email": "office@yard.example", "city": "Trieste"}


def made(bench: Bench, name: str = "Harbour Yard") -> str:
    return str(bench.api("POST", "/businesses/", {**YARD, "name": name, "locationId": HERE})["buiseness"]["id"])


def members(bench: Bench, business: str, **query: str) -> list[str]:
    found = bench.api("GET", f"/contacts/business/{business}", locationId=HERE, **query)
    return [each["id"] for each in found["contacts"]]


def move(bench: Bench, business: str | None, *contacts: str) -> None:
    bench.api("POST", "/contacts/bulk/business", {"locationId": HERE, "ids": contacts, "businessId": business})


def test_a_business_is_made_read_changed_and_deleted_in_highlevels_own_spelling(bench: Bench) -> None:
    business = bench.api("POST", "/businesses/", {**YARD, "locationId": HERE})["buiseness"]
    assert {name: business[name] for name in YARD} == YARD
    path = f"/businesses/{business['id']}"
    assert bench.api("GET", path) == {"business": business}
    changed = bench.api("PUT", path, {"city": "Muggia"})
    assert (changed["success"], changed["buiseness"]["city"]) == (True, "Muggia")
    assert changed["buiseness"]["updatedAt"] >= business["updatedAt"]
    assert bench.api("DELETE", path) == {"success": True}
    assert bench.ask("GET", path).status_code == 404
    assert bench.ask("POST", "/businesses/", {"name": "", "locationId": HERE}).status_code == 422
    assert bench.ask("GET", "/businesses", locationId=HERE).status_code == 404


def test_the_list_says_nothing_of_how_many_there_are(bench: Bench) -> None:
    ids = [made(bench, f"Yard {number}") for number in range(5)]
    first = bench.api("GET", "/businesses/", locationId=HERE, limit=3)
    assert first.keys() == {"businesses"}
    rest = bench.api("GET", "/businesses/", locationId=HERE, limit=3, skip=3)
    assert [each["id"] for each in first["businesses"] + rest["businesses"]] == ids


def test_a_business_tells_as_a_record_without_a_type(bench: Bench) -> None:
    business = made(bench)
    ((event, body),) = bench.events()
    assert event == "RecordCreate"
    properties = [{"key": key, "valueString": value} for key, value in YARD.items()]
    told = {"id": business, "locationId": HERE, "owners": [], "followers": [], "properties": properties}
    assert documented(body) == told
    assert body["webhookId"]
    bench.control("PATCH", f"objects/businesses/{business}", {"city": "Muggia"})
    assert bench.names() == ["RecordUpdate"]
    bench.api("DELETE", f"/businesses/{business}")
    assert bench.names() == ["RecordDelete"]


def test_contacts_are_moved_between_businesses_and_nobody_is_told(bench: Bench) -> None:
    yard, mill = made(bench), made(bench, "Old Mill")
    ada, bo = bench.contact(firstName="Ada", email="ada@yard.example"), bench.contact(firstName="Bo")
    bench.events()
    move(bench, yard, ada, bo)
    assert (members(bench, yard), members(bench, mill)) == ([ada, bo], [])
    assert bench.http.get(f"/contacts/{ada}").json()["contact"]["businessId"] == yard
    assert members(bench, yard, query="ada@") == [ada]
    assert members(bench, yard, limit="1", skip="1") == [bo]
    bench.control("PATCH", f"contacts/{bo}", {"businessId": mill})
    move(bench, None, ada)
    assert (members(bench, yard), members(bench, mill)) == ([], [bo])
    assert bench.names() == []
    bench.control("POST", "settings", {"business_move_is_told": True})
    bench.api("DELETE", f"/businesses/{mill}")
    assert bench.names() == ["ContactUpdate", "RecordDelete"]
    assert bench.http.get(f"/contacts/{bo}").json()["contact"]["businessId"] is None


def test_a_contact_body_has_no_business(bench: Bench) -> None:
    business = {"businessId": made(bench)}
    for answer in (
        bench.ask("PUT", f"/contacts/{bench.contact()}", business),
        bench.ask("POST", "/contacts/", {"locationId": HERE, **business}),
    ):
        assert (answer.status_code, answer.json()["message"]) == (422, ["property businessId should not exist"])
