"""What the token's user may do of what we need, read off its permissions. Pure.

Inferred: the permissions are recorded (misc/login, misc/user_create), how they are weighed is the product's own rule:
owners and administrators may do everything, `create_all` includes `create_client`, and who may edit may also view.
"""

from collections.abc import Sequence

from app.providers.invoice_ninja.wire import CompanyUser

NEEDED = {
    "view_client": "may not see clients of others: an existing client is not found, and may be made a second time",
    "create_client": "may not make clients: new contacts of the CRM stay without a client",
    "edit_client": "may not change clients: changes in the CRM do not arrive in Invoice Ninja",
}
NO_ADMIN = "is no administrator: the webhooks cannot be installed by the service, an administrator has to enter them"
NO_PLAN = "The hosted service sends webhooks and admits API tokens for paid plans only, and this account has none"


def role(user: CompanyUser) -> str:
    if user.is_owner:
        return "owner"
    return "administrator" if user.is_admin else "user with permissions"


def may(user: CompanyUser, permission: str) -> bool:
    verb, _, entity = permission.partition("_")
    enough = {permission, f"{verb}_all"} | ({f"edit_{entity}", "edit_all"} if verb == "view" else set())
    return user.is_super or bool(enough & {each.strip() for each in user.permissions.split(",")})


def sends_webhooks(user: CompanyUser) -> str:
    if _is_free(user):
        return "not on this plan"
    return "allowed" if user.is_super else "to be entered by an administrator"


def warnings(user: CompanyUser) -> Sequence[str]:
    """In sentences, for people."""
    lacking = [sentence for permission, sentence in NEEDED.items() if not may(user, permission)]
    if not user.is_super:
        lacking.append(NO_ADMIN)
    said = [f"The token's user {each}." for each in lacking]
    return [*said, f"{NO_PLAN}."] if _is_free(user) else said


def _is_free(user: CompanyUser) -> bool:
    return user.account.is_hosted and user.account.plan.lower() in ("", "free")
