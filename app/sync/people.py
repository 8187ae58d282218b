"""What a person is recognised by. Pure."""

from app.sync.records import Record
from app.sync.values import clean_text, e164


def twin_key(record: Record) -> str:
    """What two twins entered on both sides have in common; "" where nothing identifies the record."""
    email, name = email_of(record), full_name(record).casefold()
    if email:
        return f"email:{email}"
    phone = e164(record.values.get("phone", "")) if name else None
    return f"phone:{phone} {name}" if phone else f"name:{name}" if name else ""


def email_of(record: Record) -> str:
    return clean_text(record.values.get("email", "")).casefold()


def full_name(record: Record) -> str:
    """Person and company as one comparable text."""
    values = record.values
    person = " ".join(clean_text(values.get(part, "")) for part in ("first_name", "last_name")).strip()
    return person or clean_text(values.get("company", "") or values.get("name", ""))
