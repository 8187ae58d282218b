"""Where people see a record in HighLevel's app, as its address bar shows it; its documentation names no addresses.

Of businesses, appointments, products, invoices and payments we know no address that stays.
"""

from collections.abc import Mapping
from urllib.parse import quote

from app.sync.records import owner_of

APP_URL = "https://app.gohighlevel.com"

_CONTACT = "contacts/detail/{}"
_PAGES: Mapping[str, str] = {
    # What hangs on a contact is shown on its page.
    **dict.fromkeys(("contact", "task", "note", "notice", "balance", "recurring"), _CONTACT),
    "opportunity": "opportunities/list",
}


def page_of(app_url: str, location_id: str, object_: str, external_id: str) -> str:
    """ "" where there is none. Of an opportunity: the list that it is in."""
    owner = owner_of(external_id)
    if object_ not in _PAGES or not (location_id and owner):
        return ""
    path = _PAGES[object_].format(quote(owner, safe=""))
    return f"{app_url.rstrip('/')}/v2/location/{quote(location_id, safe='')}/{path}"
