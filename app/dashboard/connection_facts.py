"""What is known of one connection: its account and token, what it may still spend, and what it delivered."""

from collections.abc import Sequence
from datetime import UTC, datetime

from app.api.connection_health import AMONG, BudgetOut, ConnectionHealthOut
from app.api.schemas import BridgeOut, ConnectionOut, PauseOut
from app.dashboard.frame import query
from app.dashboard.parts import OPEN_FACTS, at, fact, lasting, learned, link, tag, text, when
from app.dashboard.pauses import told
from app.models.connection import Auth


def facts(
    row: ConnectionOut, health: ConnectionHealthOut, bridges: Sequence[BridgeOut], pause: PauseOut | None
) -> None:
    """`pause`: of the connection with all its bridges."""
    with fact("Account"):
        text("code", row.account_id)
    with fact("Address"):
        text("span", row.base_url)
    with fact("Let in by"):
        if row.auth == Auth.OAUTH:
            text("span", "consent in a browser; its token is renewed by itself before it ends: ")
            at(health.token_expires_at)
        else:
            text("span", "a token that was entered; it has no end that we know of. Since ")
            at(row.token_entered_at)
            if row.token_entered_at:
                age = datetime.now(UTC) - row.token_entered_at
                text("span", f", {lasting(age.total_seconds())} ago")
    if row.facts:
        with fact("The account"):
            learned(row.facts)
            with tag("details"):
                text("summary", "What else the last check learned")
                with tag("ul"):
                    for name, value in row.facts.items():
                        if name not in OPEN_FACTS:
                            text("li", f"{name}: {value}")
    with fact("Last checked (UTC)"):
        when(row.checked_at)
    with fact("Bridges"):
        if not bridges:
            text("span", "none", "faint")
        elif pause:
            text("div", told(pause, datetime.now(UTC)).replace("with its connection", "with this connection"))
        linked(bridges)
    with fact("Calls left"):
        _gauge(health.budget)
    with fact("Last webhook (UTC)"):
        _heard(row.id, health)


def linked(bridges: Sequence[BridgeOut]) -> None:
    with tag("ul", "names"):
        for bridge in bridges:
            with tag("li"):
                link(bridge.name, f"/bridges/{bridge.id}")
                if not bridge.enabled:
                    text("span", " (paused)" if bridge.live_since else " (dry run)", "faint")


def _gauge(budget: BudgetOut | None) -> None:
    if budget is None:
        text("span", "no limit is set", "faint")
        return
    for left, limit, of in (
        (budget.left_today, budget.per_day, "today"),
        (budget.left, budget.calls, f"in {budget.interval:g} seconds"),
    ):
        if left is not None:
            with tag("div"):
                ends = {"min": "0", "max": str(limit), "low": str(limit * 0.1), "high": str(limit * 0.3)}
                tag("meter", value=str(left), optimum=str(limit), aria_label=f"Calls left {of}", **ends)
                text("span", f"{left:,} of {limit:,} {of}")
    if budget.told_left is not None:
        with tag("div", "faint"):
            text("span", f"the vendor itself said {budget.told_left:,} left of its day, at ")
            at(budget.told_at)
    if budget.closed_until:
        with tag("div", "faint"):
            text("span", "the vendor has asked us to wait until ")
            at(budget.closed_until)


def _heard(connection_id: int, health: ConnectionHealthOut) -> None:
    if health.last_delivery is None:
        text("span", "none came yet", "faint")
    else:
        when(health.last_delivery)
        text("span", " ")
        link("Deliveries", query("/deliveries", {"connection": connection_id}))
    if not (health.kinds or health.missing):
        return
    with tag("details"):
        missing = f", {len(health.missing):,} never came" if health.missing else ""
        text("summary", f"By kind, of the last {AMONG}{missing}")
        with tag("ul"):
            for each in sorted(health.kinds, key=lambda each: each.last_at, reverse=True):
                with tag("li"):
                    link(each.kind, query("/deliveries", {"connection": connection_id, "kind": each.kind}))
                    text("span", " ")
                    when(each.last_at)
            for kind in health.missing:
                with tag("li"):
                    text("span", f"{kind} ")
                    when(None)
