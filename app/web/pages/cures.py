"""What helps where a vendor does not let an account be connected: told below its own words."""

from fastapi import HTTPException

from app.errors import Forbidden, Reconnect, Retry
from app.models.connection import NEW_TOKEN


def cure_of(error: Exception, provider: str) -> str:
    """In sentences for people; "" where the failure itself says what helps."""
    match error:
        case Reconnect():
            return f"{NEW_TOKEN[provider]}, and paste it whole."
        case Forbidden() if provider == "invoice_ninja":
            return "Make the token as an administrator of the company, or ask one for it."
        case Retry():
            return "Nothing was stored. See whether its address is right and can be reached from here, and try again."
        case HTTPException(status_code=409):
            return "To give it a new token, press “Reconnect” at it on the page Connections."
    return ""
