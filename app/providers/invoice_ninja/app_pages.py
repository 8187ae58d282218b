"""Where people see a record in Invoice Ninja's web app (React). Source: its routes, in
invoiceninja/ui, src/pages/*/routes.tsx. Its older one (Flutter) has no addresses of records, and shows its first page.
"""

from collections.abc import Mapping
from urllib.parse import quote

from app.sync.records import is_part, owner_of

# The hosted service's API and its app are two hosts.
_APPS: Mapping[str, str] = {"https://invoicing.co": "https://app.invoicing.co"}

_CLIENT, _TASK = "clients/{}", "tasks/{}/edit"
_PAGES: Mapping[str, str] = {
    # What hangs on a client is shown on its page.
    **dict.fromkeys(("contact", "business", "note", "balance", "recurring"), _CLIENT),
    "task": _TASK,
    "product": "products/{}/edit",
    "invoice": "invoices/{}/edit",
    "payment": "payments/{}/edit",
}
_PAPERS: Mapping[str, str] = {each: f"{each}s/{{}}/edit" for each in ("invoice", "quote", "payment")}


def page_of(base_url: str, object_: str, external_id: str) -> str:
    """ "" where there is none."""
    path, id_ = _PAGES.get(object_, ""), owner_of(external_id)
    if object_ == "appointment":  # a task, or a note of a client
        path = _CLIENT if is_part(external_id) else _TASK
    elif object_ in ("opportunity", "notice"):  # `quote/<id>`, `invoice/<id>/paid`
        paper, _, rest = external_id.partition("/")
        path, id_ = _PAPERS.get(paper, ""), owner_of(rest)
    if not (path and id_):
        return ""
    app = base_url.rstrip("/")
    return f"{_APPS.get(app, app)}/#/{path.format(quote(id_, safe=''))}"
