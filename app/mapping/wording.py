"""Steps, pairs and settings in a few plain words. Pure."""

from collections.abc import Sequence

from app.sync.fieldmap import Direction, Pair, Prefer
from app.sync.filters import Op
from app.sync.objects.opportunity import Standing
from app.sync.steps import Amount, Case, Country, Date, Default, Letters, Otherwise, Phone, Step, Table, Template, Trim
from app.sync.steps.meaning import AmountForm
from app.sync.steps.naming import CountryForm

ASKS = {
    Op.IS: "is",
    Op.IS_NOT: "is not",
    Op.HAS: "has",
    Op.HAS_NOT: "does not have",
    Op.AT_LEAST: "is at least",
    Op.AT_MOST: "is at most",
    Op.FILLED: "is filled in",
    Op.EMPTY: "is empty",
}
WINNERS = {
    Prefer.CRM.value: "HighLevel",
    Prefer.BILLING.value: "Invoice Ninja",
    Prefer.NEWEST.value: "the newest edit",
    Prefer.ASK.value: "a person decides",
}
STANDINGS = {
    Standing.QUOTE_SENT.value: "the quote was sent",
    Standing.QUOTE_APPROVED.value: "the quote was approved",
    Standing.QUOTE_CONVERTED.value: "the quote became an invoice",
    Standing.INVOICE_SENT.value: "the invoice was sent",
    Standing.INVOICE_PARTLY_PAID.value: "the invoice is partly paid",
    Standing.INVOICE_PAID.value: "the invoice is paid",
}
ARROWS = {Direction.BOTH: "↔", Direction.TO_BILLING: "→", Direction.TO_CRM: "←"}

WAYS = {
    Direction.BOTH.value: f"{ARROWS[Direction.BOTH]} both ways",
    Direction.TO_BILLING.value: f"{ARROWS[Direction.TO_BILLING]} to Invoice Ninja",
    Direction.TO_CRM.value: f"{ARROWS[Direction.TO_CRM]} to HighLevel",
}

# By what a step is called as data: its name and what it does, for whoever picks one.
STEPS: dict[str, tuple[str, str]] = {
    "trim": ("Trim", "takes out blanks at the ends, and double ones within"),
    "case": ("Letters", "small letters, CAPITALS, or A Capital For Each Word"),
    "phone": ("Phone number", "the international form, +15550100999"),
    "country": ("Country", "between IT, ITA and Italy"),
    "date": ("Date", "from one way of writing it into another"),
    "money": ("Amount", "between 12.50, 1250 and 12.50 USD"),
    "table": ("Value table", "each value becomes another one"),
    "default": ("Default", "what is written where there is nothing"),
    "template": ("Template", "a text with other fields in it"),
}
LETTERS = {
    Letters.LOWER: "small letters",
    Letters.UPPER: "CAPITALS",
    Letters.TITLE: "A Capital For Each Word",
}
COUNTRIES = {CountryForm.CODE: "IT", CountryForm.CODE_3: "ITA", CountryForm.NAME: "Italy"}
AMOUNTS = {AmountForm.DECIMAL: "12.50", AmountForm.MINOR: "1250", AmountForm.CODED: "12.50 with currency"}
OTHERWISE = {Otherwise.HOLD: "hold it back, and say why", Otherwise.PASS: "pass it on as it is"}
_SHORT = 60


def step(given: Step) -> str:
    """“Date, from DD/MM/YYYY to YYYY-MM-DD”."""
    passes = getattr(given, "otherwise", Otherwise.HOLD) is Otherwise.PASS
    return f"{_step(given)}{'; what it cannot read passes' if passes else ''}"


def _step(given: Step) -> str:
    match given:
        case Trim():
            return "trim"
        case Case():
            return LETTERS[given.to]
        case Phone():
            return f"phone number{f' of {given.region}' if given.region else ''}"
        case Country():
            return f"country, from {COUNTRIES[given.reads]} to {COUNTRIES[given.writes]}"
        case Date():
            return f"date, from {given.reads.value} to {given.writes.value}{_zones(given)}"
        case Amount():
            return f"amount in {given.currency}, from {AMOUNTS[given.reads]} to {AMOUNTS[given.writes]}"
        case Table():
            shown = ", ".join(f"{row.value} = {row.becomes}" for row in given.rows[:4])
            return f"table ({shown}{', …' if len(given.rows) > 4 else ''})"
        case Default():
            return f"where empty “{given.value[:_SHORT]}”"
        case Template():
            return f"template “{given.text[:_SHORT]}”"
    return ""


def _zones(given: Date) -> str:
    to = given.to_zone or given.zone
    if given.zone == to:
        return "" if to == "UTC" else f", {to}"
    return f", {given.zone} to {to}"


def steps(given: Sequence[Step]) -> str:
    return ", then ".join(step(each) for each in given)


def pair(given: Pair, crm: str = "", billing: str = "") -> str:
    """“City → City: trim, then CAPITALS”. `crm`, `billing`: what people call the two fields."""
    chain = steps(given.steps)
    return f"{crm or given.crm} {ARROWS[given.direction]} {billing or given.billing}{f': {chain}' if chain else ''}"
