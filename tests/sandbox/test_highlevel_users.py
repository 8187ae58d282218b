from app.sandbox.highlevel.store import COMPANY_ID
from tests.sandbox.bench import HERE, Bench

AGENCY = {"Authorization": "Bearer sandbox-highlevel-company-token"}


def test_an_assignee_is_found_by_email_and_by_id(bench: Bench) -> None:
    found = bench.api("GET", "/users/search", companyId=COMPANY_ID, locationId=HERE, query="mira.solano@staff")
    assert (found["count"], [each["name"] for each in found["users"]]) == (1, ["Mira Solano"])
    user = found["users"][0]
    assert HERE in user["roles"]["locationIds"]
    assert bench.api("GET", f"/users/{user['id']}") == user
    assert bench.ask("GET", "/users/nobody").status_code == 404
    assert bench.ask("GET", "/users/search", query="mira").status_code == 422
    assert bench.ask("GET", "/users/search", companyId="another").status_code == 400


def test_a_locations_token_sees_the_people_of_its_location(bench: Bench) -> None:
    person = {"firstName": "Ivo", "lastName": "Kern", "email": "ivo@staff.example", "locationIds": []}
    made = bench.control("POST", "objects/users", person)
    asked = {"companyId": COMPANY_ID, "emails": "ivo@staff.example,teo.lindqvist@staff.example"}
    assert bench.ask("POST", "/users/search/filter-by-email", asked, AGENCY).json()["count"] == 2
    assert bench.ask("POST", "/users/search/filter-by-email", asked).status_code == 401
    assert bench.ask("GET", f"/users/{made['id']}").status_code == 404
    bench.control("PATCH", f"objects/users/{made['id']}", {"locationIds": [HERE]})
    assert bench.api("GET", f"/users/{made['id']}")["email"] == "ivo@staff.example"
    assert bench.api("GET", "/users/search", companyId=COMPANY_ID, limit=2)["count"] == 3
    assert bench.names() == []
