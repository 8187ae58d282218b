"""Above every page while something keeps records waiting: which account or vendor, since when, and what to do."""

from collections.abc import Callable

from app.api.overview import OutagesOut, RefusedOut, TriedOut
from app.dashboard.parts import at, count_of, link, tag, text
from app.models.connection import VENDORS, ConnectionState
from app.outages import MOST

_WAITING = "/records?doing=waiting"


class Outage:
    """Nothing while all is well."""

    def __init__(self, found: OutagesOut) -> None:
        self._place = tag("section", "note outage", aria_label="Trouble")
        self._shown: OutagesOut | None = None
        self.tell(found)

    def tell(self, found: OutagesOut) -> None:
        if found == self._shown:
            return
        self._shown = found
        self._place.set_visibility(bool(found.refused or found.tried))
        self._place.clear()
        with self._place:
            if found.refused:
                _line(lambda: _refused(found.refused, found.accounts))
            if found.tried:
                tried = found.tried
                _line(lambda: _tried(tried))


def _line(say: Callable[[], None]) -> None:
    with tag("p"):
        say()


def _refused(rows: list[RefusedOut], accounts: int) -> None:
    first = rows[0]
    named = ", ".join(f"“{each.name}”" for each in rows)
    more = f" and {accounts - len(rows):,} more" if accounts > len(rows) else ""
    vendor = VENDORS.get(first.provider, first.provider)
    if accounts == 1:
        text("strong", f"{vendor} does not let Crossledger into {named} any more")
    else:
        text("strong", f"{accounts:,} accounts do not let Crossledger in any more: {named}{more}")
    if first.since:
        text("span", ", since " if accounts == 1 else ", the first since ")
        at(first.since)
    text("span", f". {first.reason.rstrip('.')}. ")
    text("span", "What is to be synced waits, and is caught up with afterwards. ", "aside")
    link("Reconnect" if accounts == 1 else "Reconnect them", f"/connections?state={ConnectionState.NEEDS_RECONNECT}")


def _tried(tried: TriedOut) -> None:
    count = f"More than {MOST:,} records" if tried.records > MOST else count_of(tried.records, "record")
    text("strong", tried.reason.rstrip(".") or "A vendor is in trouble")
    text("span", f". {count} {'waits' if tried.records == 1 else 'wait'}")
    if tried.since:
        text("span", " since ")
        at(tried.since)
    again = "is tried again by itself" if tried.records == 1 else "are tried again by themselves"
    text("span", f", and {again}. ")
    text("span", "Nothing is lost. ", "aside")
    link("Show it" if tried.records == 1 else "Show them", _WAITING)
