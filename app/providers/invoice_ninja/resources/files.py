"""Documents: files that are kept with a record."""

from app.providers.invoice_ninja.resources.values import Entity, Hidden, Text


class Document(Entity):
    """Read in the product's code, not recorded: section 10. `url` and `hash` open it without a login."""

    name: Text = ""
    type: Text = ""
    size: int = 0
    is_public: bool = True
    hash: Hidden = ""
    url: Hidden = ""
