"""What is written to a customer or a vendor and has line items. contracts/invoice_ninja, section 5."""

from app.providers.invoice_ninja.resources.files import Document
from app.providers.invoice_ninja.resources.values import Amount, Answered, Day, Entity, Hidden, Text


class LineItem(Answered):
    product_key: Text = ""
    notes: Text = ""
    quantity: Amount
    cost: Amount
    discount: Amount
    is_amount_discount: bool
    tax_name1: Text = ""
    tax_rate1: Amount
    tax_name2: Text = ""
    tax_rate2: Amount
    tax_name3: Text = ""
    tax_rate3: Amount
    type_id: Text = ""
    task_id: Text = ""
    expense_id: Text = ""
    line_total: Amount
    gross_line_total: Amount
    tax_amount: Amount


class Invitation(Entity):
    """One contact's way to a document. `link` opens it without a login."""

    client_contact_id: Text = ""
    vendor_contact_id: Text = ""
    key: Hidden = ""
    link: Hidden = ""
    sent_date: Text = ""
    viewed_date: Text = ""


class Bill(Entity):
    """What all of them share. `amount` and `balance` are the server's; a draft has balance 0."""

    client_id: Text = ""
    vendor_id: Text = ""
    project_id: Text = ""
    user_id: Text = ""
    assigned_user_id: Text = ""
    design_id: Text = ""
    number: Text = ""
    po_number: Text = ""
    status_id: Text
    date: Day = None
    due_date: Day = None
    amount: Amount
    balance: Amount
    paid_to_date: Amount
    total_taxes: Amount
    partial: Amount
    partial_due_date: Day = None
    discount: Amount
    is_amount_discount: bool
    uses_inclusive_taxes: bool
    tax_name1: Text = ""
    tax_rate1: Amount
    tax_name2: Text = ""
    tax_rate2: Amount
    tax_name3: Text = ""
    tax_rate3: Amount
    custom_surcharge1: Amount
    custom_surcharge2: Amount
    custom_surcharge3: Amount
    custom_surcharge4: Amount
    exchange_rate: Amount
    terms: Text = ""
    footer: Text = ""
    public_notes: Text = ""
    private_notes: Text = ""
    custom_value1: Text = ""
    custom_value2: Text = ""
    custom_value3: Text = ""
    custom_value4: Text = ""
    line_items: tuple[LineItem, ...] = ()
    invitations: tuple[Invitation, ...] = ()
    documents: tuple[Document, ...] = ()


class Invoice(Bill):
    """Status: 1 draft, 2 sent, 3 partial, 4 paid, 5 cancelled, 6 reversed."""

    recurring_id: Text = ""
    subscription_id: Text = ""


class RecurringInvoice(Bill):
    """Status: 1 draft, 2 active, 3 paused, 4 completed. `remaining_cycles` -1 is for ever."""

    frequency_id: Text = ""
    remaining_cycles: int = -1
    next_send_date: Day = None
    auto_bill: Text = ""
    due_date_days: Text = ""


class Quote(Bill):
    """Status: 1 draft, 2 sent, 3 approved, 4 converted, -1 expired."""

    invoice_id: Text = ""


class Credit(Bill):
    """Read in the product's code, not recorded: section 10."""

    invoice_id: Text = ""


class PurchaseOrder(Bill):
    """Status: 1 draft, 2 sent, 3 accepted, 4 received, 5 cancelled. Read in the product's code, not recorded."""

    expense_id: Text = ""
    currency_id: Text = ""


class Paymentable(Entity):
    """The part of a payment that went to one invoice or came from one credit. `refunded` stays 0 in the refund's own
    answer."""

    invoice_id: Text = ""
    credit_id: Text = ""
    amount: Amount
    refunded: Amount


class Payment(Entity):
    """Status: 1 pending, 2 cancelled, 3 failed, 4 completed, 5 partially refunded, 6 refunded.

    The part that is not `applied` waits for an invoice. The idempotency key is not in any answer.
    """

    client_id: Text
    number: Text = ""
    status_id: Text
    type_id: Text = ""
    amount: Amount
    applied: Amount
    refunded: Amount
    date: Day = None
    transaction_reference: Text = ""
    currency_id: Text = ""
    exchange_rate: Amount
    exchange_currency_id: Text = ""
    is_manual: bool = False
    private_notes: Text = ""
    paymentables: tuple[Paymentable, ...] = ()
    documents: tuple[Document, ...] = ()
