import time
from typing import Any

import pytest

from tests.sandbox.bench import HERE, Bench, documented

PIPELINE = "sandboxPipeline0001"
STAGES = ["sandboxStage00010", "sandboxStage00011", "sandboxStage00012"]
CRANE = {"name": "New crane", "status": "open", "pipelineId": PIPELINE, "locationId": HERE, "monetaryValue": 1200.5}
NO_DETAILS = dict.fromkeys(("notes", "tasks", "calendarEvents", "unReadConversations"), False)


def made(bench: Bench, contact: str, **values: Any) -> dict[str, Any]:
    return dict(bench.api("POST", "/opportunities/", {**CRANE, "contactId": contact, **values})["opportunity"])


def test_the_pipelines_of_a_location_have_stages(bench: Bench) -> None:
    (pipeline,) = bench.api("GET", "/opportunities/pipelines", locationId=HERE)["pipelines"]
    assert pipeline["id"] == PIPELINE
    assert [stage["id"] for stage in pipeline["stages"]] == STAGES


def test_an_opportunity_is_made_read_changed_and_deleted(bench: Bench) -> None:
    contact = bench.contact(firstName="Ada", email="ada@yard.example")
    opportunity = made(bench, contact)
    path = f"/opportunities/{opportunity['id']}"
    assert (opportunity["pipelineStageId"], opportunity["monetaryValue"]) == (STAGES[0], 1200.5)
    assert opportunity["contact"] == {"id": contact, "name": "Ada", "email": "ada@yard.example", "tags": []}
    assert bench.api("GET", path) == {"opportunity": opportunity}
    assert bench.api("PUT", path, {"name": "Old crane"})["opportunity"]["name"] == "Old crane"
    assert bench.api("PUT", f"{path}/status", {"status": "lost", "lostReasonId": "price"}) == {"succeded": True}
    kept = bench.api("GET", path)["opportunity"]
    assert (kept["status"], kept["lostReasonId"]) == ("lost", "price")
    assert bench.api("DELETE", path) == {"succeded": True}
    assert bench.ask("GET", path).status_code == 404


def test_custom_fields_are_written_as_one_thing_and_read_as_another(bench: Bench) -> None:
    wanted = {"name": "Lifting Height", "dataType": "TEXT", "model": "opportunity"}
    field = bench.api("POST", f"/locations/{HERE}/customFields", wanted)["customField"]["id"]
    opportunity = made(bench, bench.contact(), customFields=[{"key": "lifting_height", "field_value": "30 m"}])
    assert opportunity["customFields"] == [{"id": field, "fieldValue": "30 m"}]
    cleared = {"customFields": [{"id": field, "field_value": ""}]}
    assert bench.api("PUT", f"/opportunities/{opportunity['id']}", cleared)["opportunity"]["customFields"] == []


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"name": "Old crane"}, []),
        ({"pipelineStageId": STAGES[1]}, ["OpportunityStageUpdate"]),
        ({"status": "won"}, ["OpportunityStatusUpdate"]),
        ({"monetaryValue": 5}, ["OpportunityMonetaryValueUpdate"]),
        ({"assignedTo": "sandboxUser000000002"}, ["OpportunityAssignedToUpdate"]),
    ],
)
def test_a_change_is_told_once_for_all_and_once_for_what_it_is(
    bench: Bench, change: dict[str, Any], more: list[str]
) -> None:
    contact = bench.contact()
    bench.events()
    opportunity = made(bench, contact)
    ((event, body),) = bench.events()
    told = {"type": event, "locationId": HERE, "id": opportunity["id"], "contactId": contact, "source": ""}
    dated = {"pipelineStageId": STAGES[0], "dateAdded": opportunity["createdAt"]}
    assert (event, documented(body)) == ("OpportunityCreate", {**CRANE, **told, **dated})
    for _ in range(2):
        bench.control("PATCH", f"objects/opportunities/{opportunity['id']}", change)
    assert sorted(bench.names()) == sorted(["OpportunityUpdate", *more])
    bench.api("DELETE", f"/opportunities/{opportunity['id']}")
    assert bench.names() == ["OpportunityDelete"]


def test_a_search_pages_by_number_and_behind_a_row_newest_first(bench: Bench) -> None:
    ada, bo = bench.contact(firstName="Ada"), bench.contact(firstName="Bo")
    ids: list[str] = []
    for number in range(5):
        ids.insert(0, made(bench, bo if number % 2 else ada, name=f"Crane {number}")["id"])
        time.sleep(0.002)
    first = bench.api("GET", "/opportunities/search", location_id=HERE, limit=2)
    after = {name: first["meta"][name] for name in ("startAfter", "startAfterId")}
    rest = bench.api("GET", "/opportunities/search", location_id=HERE, limit=3, **after)
    assert [each["id"] for each in first["opportunities"] + rest["opportunities"]] == ids
    second = bench.api("GET", "/opportunities/search", location_id=HERE, limit=2, page=2)
    assert ([each["id"] for each in second["opportunities"]], second["meta"]["total"]) == (ids[2:4], 5)
    found = bench.api("GET", "/opportunities/search", location_id=HERE, contact_id=bo, status="all", q="crane")
    assert [each["id"] for each in found["opportunities"]] == [ids[1], ids[3]]
    body = {"locationId": HERE, "query": "Bo", "limit": 1, "page": 2, "searchAfter": []}
    posted = bench.api("POST", "/opportunities/search", {**body, "additionalDetails": NO_DETAILS})
    assert ([each["id"] for each in posted["opportunities"]], posted["total"]) == ([ids[3]], 2)


def test_a_bad_opportunity_and_a_bad_search_are_refused(bench: Bench) -> None:
    contact = bench.contact()
    answer = bench.ask("GET", "/opportunities/search", locationId=HERE)
    assert answer.json()["message"] == ["property locationId should not exist"]
    bad = {**CRANE, "contactId": contact}
    assert bench.ask("POST", "/opportunities/", {**bad, "status": "maybe"}).status_code == 422
    assert bench.ask("POST", "/opportunities/", {**bad, "pipelineStageId": "another"}).status_code == 400
    assert bench.ask("POST", "/opportunities/", {**bad, "contactId": "nobody"}).status_code == 400
