"""Every resource of Invoice Ninja's API, typed. The engine needs few of them; whoever needs another finds it here.

table.py       one row for each resource: path, model, traps
resource.py    what can be done with any of them: Resource(wire, CLIENTS)
payments.py    paying, finding a payment again, refunding
statements.py  the fixed tables, and a client's statement as a PDF
emails.py      the only module that makes Invoice Ninja write to a customer
"""
