"""What is entered in an app of HighLevel's Marketplace, each to be copied, and on which page an owner agrees."""

from app.dashboard.frame import Visit
from app.dashboard.parts import copied, fact, tag, text
from app.installing import AUTHORIZE_URLS
from app.web.pages.layout import installer_of

_SETTING = "CROSSLEDGER_HIGHLEVEL_AUTHORIZE_URL"
_OF_AGENCY = "agency"


def scopes(visit: Visit, *, agency: bool) -> str:
    """All that can be asked for. `agency`: also those that open a whole agency; no location's token has them."""
    wanted = visit.desk.connections.provider("highlevel").scopes
    return " ".join(sorted({each for name in wanted if agency or name != _OF_AGENCY for each in wanted[name]}))


def marketplace(visit: Visit, *, has_app: bool) -> None:
    installer = installer_of(visit.request)
    with tag("details"):
        if has_app:
            text("summary", "Your app in HighLevel's Marketplace: redirect URL, scopes, white-label")
        else:
            text("summary", "Connect by logging in to HighLevel instead, also for a whole agency")
            with tag("ol"):
                text("li", "Make an app in HighLevel's Marketplace, and enter there what is below.")
                text("li", "Set CROSSLEDGER_HIGHLEVEL_CLIENT_ID and CROSSLEDGER_HIGHLEVEL_CLIENT_SECRET, and start"
                     " Crossledger again.")  # fmt: skip
        with tag("dl", "facts one"):
            with fact("Redirect URL"):
                copied("the redirect URL", installer.callback)
            with fact("Scopes"):
                copied("the scopes", scopes(visit, agency=True))
            with fact("Webhook URL"):
                copied("the webhook URL", f"{visit.desk.public_url}/webhooks/highlevel")
                text("div", "Which events to switch on is listed at each bridge, under Webhooks.", "faint")
            with fact("Where owners agree"):
                _authorize(installer.oauth.authorize_url)


def _authorize(used: str) -> None:
    """Standard and white-label agencies agree on different domains: a wrong one says that the app is not there."""
    for name, url in {"another": used, **AUTHORIZE_URLS}.items():
        if name == "another" and used in AUTHORIZE_URLS.values():
            continue
        with tag("div"):
            text("strong" if url == used else "span", f"{name.capitalize()}{', in use' if url == used else ''}: ")
            copied(f"the {name} address", url)
    text("div", f"To use another, set {_SETTING} to it, and start Crossledger again. White-label is for agencies whose"
         " HighLevel has their own name and domain.", "faint")  # fmt: skip
