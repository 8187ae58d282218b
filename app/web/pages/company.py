"""Connecting an Invoice Ninja company in a browser: by an API token, or by a log-in that is exchanged for one."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import ValidationError

from app.api.body import Bounded
from app.api.connections import connect
from app.api.requests import InvoiceNinjaIn
from app.errors import Choice, CrossledgerError
from app.people.roles import Principal, Role
from app.web.access import remark, require
from app.web.pages.connecting import HERE, Back, onward
from app.web.pages.cures import cure_of
from app.web.pages.layout import desk_of, page, see

router = APIRouter(prefix="/connect/invoice-ninja", route_class=Bounded)
Operator = Annotated[Principal, Depends(require(Role.OPERATOR))]

# A field of the API, as the page calls it.
_CALLED = {
    "name": "Name",
    "base_url": "Address of the server",
    "api_token": "API token",
    "api_secret": "API secret",
    "email": "E-mail address",
    "password": "Password",
    "one_time_password": "One-time code",
    "company_key": "Company",
}
_KEPT = ("name", "base_url", "email")
"""What a form is filled with again. Secrets are not: they would be in the page."""


@router.get("")
async def ask(request: Request, who: Operator, back: Back = "") -> Response:
    """`back`: as where HighLevel is connected."""
    return _form(request, {}, back=back)


@router.post("")
async def connect_company(request: Request, who: Operator, back: Back = "") -> Response:
    """What `POST /api/v1/connections` does: checked by calls to the vendor before anything is stored."""
    given = {name: str(value) for name, value in (await request.form()).items() if name in _CALLED and str(value)}
    try:
        made = await connect(desk_of(request), InvoiceNinjaIn(provider="invoice_ninja", **given))
    except ValidationError as error:
        return _form(request, given, wrong=_in_words(error), back=back)
    except Choice as several:
        wrong = "This log-in opens several companies. Choose one, and enter the password again."
        return _form(request, given, wrong=wrong, choices=several.choices, status=409, back=back)
    except CrossledgerError as failure:
        return _form(request, given, wrong=str(failure), cure=cure_of(failure, "invoice_ninja"), back=back)
    except HTTPException as conflict:
        cure = cure_of(conflict, "invoice_ninja")
        return _form(request, given, wrong=str(conflict.detail), cure=cure, status=conflict.status_code, back=back)
    remark(request, f"connection {made.id}")
    if made.webhooks_problem:
        return page(request, "webhooks.html", row=made)
    return see(onward(back) or f"{HERE}?done={made.id}")


def _form(
    request: Request,
    given: dict[str, str],
    *,
    wrong: str = "",
    cure: str = "",
    choices: dict[str, str] | None = None,
    status: int = 422,
    back: str = "",
) -> Response:
    return page(
        request,
        "company.html",
        status=status if wrong else 200,
        kept={name: given.get(name, "") for name in _KEPT},
        by_login="email" in given or "password" in given,
        wrong=wrong,
        cure=cure,
        choices=choices or {},
        back=onward(back),
    )


def _in_words(error: ValidationError) -> str:
    """Without what was entered: it may be a secret in the wrong field."""
    said = []
    for each in error.errors(include_input=False, include_url=False):
        words = each["msg"].removeprefix("Value error, ")
        named = _CALLED.get(str(each["loc"][-1])) if each["loc"] else None
        said.append(f"{named}: {words}." if named else "Enter an API token, or an e-mail address and a password.")
    return " ".join(said)
