"""Who is in the sandbox when it begins: some in both systems, some in one of them."""

from collections.abc import Mapping, Sequence
from typing import Any

Fields = Mapping[str, Any]

CONTACTS: Sequence[Fields] = (
    {"firstName": "Amelia", "lastName": "Hart", "companyName": "Hart & Daughters Bakery",
     "email": "amelia@hartbakery.example", "phone": "+442079460101", "city": "Bristol", "country": "GB",
     "tags": ["customer", "monthly"]},
    {"firstName": "Jonas", "lastName": "Weber", "companyName": "Weber Fahrradladen",
     "email": "jonas@weber-rad.example", "phone": "+493023125001", "city": "Berlin", "country": "DE",
     "tags": ["customer"]},
    {"firstName": "Giulia", "lastName": "Conti", "companyName": "Studio Conti",
     "email": "giulia@studioconti.example", "phone": "+390612345601", "city": "Rome", "country": "IT",
     "tags": ["lead"]},
    {"firstName": "Priya", "lastName": "Nair", "companyName": "Nair Physiotherapy",
     "email": "priya@nairphysio.example", "phone": "+442079460102", "city": "Leeds", "country": "GB",
     "tags": ["customer"]},
    {"firstName": "Owen", "lastName": "Brooks", "email": "owen.brooks@mail.example", "phone": "+12025550143",
     "city": "Portland", "country": "US", "tags": ["lead", "website"]},
)  # fmt: skip
"""In HighLevel."""

CLIENTS: Sequence[Fields] = (
    {"name": "Studio Conti", "city": "Rome", "country_id": "380", "vat_number": "IT01234567890",
     "contacts": [{"first_name": "Giulia", "last_name": "Conti", "email": "giulia@studioconti.example"}]},
    {"name": "Nair Physiotherapy", "address1": "4 Wharf Street", "city": "Leeds", "country_id": "826",
     "contacts": [{"first_name": "Priya", "last_name": "Nair", "email": "priya@nairphysio.example"}]},
)  # fmt: skip
"""In Invoice Ninja before anything is connected: they are in HighLevel as well, and are found by their e-mail."""

NEW_CLIENTS: Sequence[Fields] = (
    {"name": "Lindqvist Snickeri", "city": "Malmö", "country_id": "752",
     "contacts": [{"first_name": "Elsa", "last_name": "Lindqvist", "email": "elsa@lindqvist.example",
                   "phone": "+46401234501"}]},
    {"name": "Café Moreau", "city": "Lyon", "country_id": "250",
     "contacts": [{"first_name": "Luc", "last_name": "Moreau", "email": "luc@cafemoreau.example",
                   "phone": "+33472000101"}]},
)  # fmt: skip
"""In Invoice Ninja only."""
