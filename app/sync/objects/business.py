"""A business of the CRM is a client in billing, and its contacts are the client's."""

from app.sync.fieldmap import Pair
from app.sync.objects.base import ObjectSettings, ObjectType
from app.sync.records import Side


class BusinessSettings(ObjectSettings):
    default_map = (
        Pair("name", "name"),
        Pair("phone", "client_phone"),
        *(Pair(name, name) for name in ("website", "address1", "city", "state", "postal_code", "country")),
    )


BUSINESS = ObjectType(
    name="business",
    plural="businesses",
    called={Side.CRM: "business", Side.BILLING: "client"},
    becomes={
        Side.BILLING: "one client: name, phone, website, address; each of its contacts is a contact of that client",
        Side.CRM: "business of a client with several contacts, with the same fields; its contacts belong to it",
    },
    settings=BusinessSettings,
    recognised_by="name",
    unique=True,
)
