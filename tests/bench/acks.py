"""Durable acknowledgements, against what the same server does when there is nothing to do.

To compare with: the server's own empty endpoint, GET /healthz, and one that is added for it: a POST in front of all
routes, whose body is read.
"""

from statistics import median

from tests.bench.report import Row, load, ms, spread
from tests.flows.driver import Site, installed

ROUNDS = 4
COUNTS = {"get": 12_000, "post": 10_000, "refused": 6_000, "webhook": 6_000}
ANSWERS = {"get": "200", "post": "202", "refused": "401", "webhook": "202"}
CONTACTS = [f"benchContact{number:08d}" for number in range(40)]


async def measure() -> list[Row]:
    async with installed(log_level="error") as site:
        site.program = ("-m", "tests.bench.served")
        await site.serve("--no-worker")
        await site.connect()
        for kind in COUNTS:
            warm = await load(site, kind, 1_000, contacts=CONTACTS)
            if set(warm["statuses"]) != {ANSWERS[kind]}:
                raise RuntimeError(f"{kind}, warming up: {warm['statuses']}")
        return _rows(await _rounds(site), await _single(site))


async def _rounds(site: Site) -> dict[str, list[dict[str, float]]]:
    """Every kind in every round, so that a noisy neighbour hits all alike."""
    results: dict[str, list[dict[str, float]]] = {kind: [] for kind in COUNTS}
    for _ in range(ROUNDS):
        for kind, count in COUNTS.items():
            result = await load(site, kind, count, contacts=CONTACTS)
            if set(result["statuses"]) != {ANSWERS[kind]}:
                raise RuntimeError(f"{kind}: {result['statuses']}")
            results[kind].append(result)
    stored = (await site.rows("SELECT count(*) FROM events"))[0][0]
    if stored != COUNTS["webhook"] * ROUNDS + 1_000:
        raise RuntimeError(f"{stored} events are stored, not as many as were acknowledged")
    return results


async def _single(site: Site) -> float:
    return float((await load(site, "webhook", 1_500, connections=1, contacts=CONTACTS))["per_second"])


def _rows(results: dict[str, list[dict[str, float]]], single: float) -> list[Row]:
    def each(kind: str, what: str) -> list[float]:
        return [result[what] for result in results[kind]]

    def share(of: str) -> list[float]:
        pairs = zip(each("webhook", "per_second"), each(of, "per_second"), strict=True)
        return [100 * ours / theirs for ours, theirs in pairs]

    slow = median(each("webhook", "p99"))
    empty = {
        "get": "empty endpoint, GET /healthz",
        "post": "empty endpoint, a POST whose body is read",
        "refused": "a webhook that is read, checked and refused",
    }
    return [
        *(
            Row(what=f"{what}, 50 connections", measured=f"{spread(each(kind, 'per_second'))}/s")
            for kind, what in empty.items()
        ),
        Row(what="durable acks, 50 connections", measured=f"{spread(each('webhook', 'per_second'))}/s"),
        Row(
            what="... of GET /healthz",
            measured=f"{spread(share('get'))} %",
            target=">= 40 %",
            met=median(share("get")) >= 40,
        ),
        Row(
            what="... of the empty POST in front",
            measured=f"{spread(share('post'))} %",
            target=">= 40 %",
            met=median(share("post")) >= 40,
        ),
        Row(what="... of the refused webhook", measured=f"{spread(share('refused'))} %"),
        Row(what="ack p50, 50 connections", measured=ms(median(each("webhook", "p50")))),
        Row(what="ack p99, 50 connections", measured=ms(slow), target="<= 100 ms", met=slow <= 0.1),
        Row(what="durable acks, one connection", measured=f"{single:,.0f}/s"),
        Row(what="the load client's own share of a core", measured=f"{100 * max(each('webhook', 'client_cpu')):.0f} %"),
    ]
