"""Whom one deals with: clients, their locations, vendors."""

from app.providers.invoice_ninja.resources.files import Document
from app.providers.invoice_ninja.resources.values import Amount, Entity, Hidden, Moment, Text, Words


class Contact(Entity):
    """A person of a client or a vendor. `link` signs in to the portal, and so does the key."""

    first_name: Text = ""
    last_name: Text = ""
    email: Text = ""
    phone: Text = ""
    is_primary: bool = False
    send_email: bool = False
    custom_value1: Text = ""
    custom_value2: Text = ""
    custom_value3: Text = ""
    custom_value4: Text = ""
    contact_key: Hidden = ""
    link: Hidden = ""
    password: Hidden = ""
    last_login: Moment = None


class Party(Entity):
    """What clients and vendors share."""

    user_id: Text = ""
    assigned_user_id: Text = ""
    name: Text = ""
    number: Text = ""
    website: Text = ""
    phone: Text = ""
    address1: Text = ""
    address2: Text = ""
    city: Text = ""
    state: Text = ""
    postal_code: Text = ""
    country_id: Text = ""
    vat_number: Text = ""
    id_number: Text = ""
    classification: Text = ""
    public_notes: Text = ""
    private_notes: Text = ""
    custom_value1: Text = ""
    custom_value2: Text = ""
    custom_value3: Text = ""
    custom_value4: Text = ""
    contacts: tuple[Contact, ...] = ()
    documents: tuple[Document, ...] = ()


class Client(Party):
    display_name: Text = ""
    balance: Amount
    paid_to_date: Amount
    credit_balance: Amount
    payment_balance: Amount
    group_settings_id: Text = ""
    industry_id: Text = ""
    size_id: Text = ""
    shipping_address1: Text = ""
    shipping_address2: Text = ""
    shipping_city: Text = ""
    shipping_state: Text = ""
    shipping_postal_code: Text = ""
    shipping_country_id: Text = ""
    is_tax_exempt: bool = False
    client_hash: Hidden = ""
    settings: Words


class Vendor(Party):
    """Read in the product's code, not recorded: section 10."""

    currency_id: Text = ""
    language_id: Text = ""


class Location(Entity):
    """One more address of a client or a vendor. Read in the product's code of 2025: section 9."""

    client_id: Text = ""
    vendor_id: Text = ""
    name: Text = ""
    address1: Text = ""
    address2: Text = ""
    city: Text = ""
    state: Text = ""
    postal_code: Text = ""
    country_id: Text = ""
    is_shipping_location: bool = False
