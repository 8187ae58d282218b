"""What is sold and done: products, projects, tasks and the columns of their board. Sections 5 and 6."""

from app.providers.invoice_ninja.resources.files import Document
from app.providers.invoice_ninja.resources.values import Amount, Day, Entity, Text, TimeLog


class Product(Entity):
    """`product_key` is neither required nor unique."""

    product_key: Text = ""
    notes: Text = ""
    price: Amount
    cost: Amount
    quantity: Amount
    tax_name1: Text = ""
    tax_rate1: Amount
    tax_name2: Text = ""
    tax_rate2: Amount
    tax_name3: Text = ""
    tax_rate3: Amount
    in_stock_quantity: Amount
    max_quantity: Amount
    tax_id: Text = ""
    custom_value1: Text = ""
    custom_value2: Text = ""
    custom_value3: Text = ""
    custom_value4: Text = ""
    documents: tuple[Document, ...] = ()


class Project(Entity):
    client_id: Text
    name: Text
    number: Text = ""
    due_date: Day = None
    task_rate: Amount
    budgeted_hours: Amount
    current_hours: Amount
    color: Text = ""
    public_notes: Text = ""
    private_notes: Text = ""
    custom_value1: Text = ""
    custom_value2: Text = ""
    custom_value3: Text = ""
    custom_value4: Text = ""
    documents: tuple[Document, ...] = ()


class Task(Entity):
    """No due date, no title, no priority."""

    client_id: Text = ""
    project_id: Text = ""
    invoice_id: Text = ""
    assigned_user_id: Text = ""
    number: Text = ""
    description: Text = ""
    rate: Amount
    duration: int = 0
    time_log: TimeLog = ()
    is_running: bool = False
    is_date_based: bool = False
    status_id: Text = ""
    status_order: int | None = None
    date: Day = None
    custom_value1: Text = ""
    custom_value2: Text = ""
    custom_value3: Text = ""
    custom_value4: Text = ""
    documents: tuple[Document, ...] = ()


class TaskStatus(Entity):
    """A column of the board. "Done" is only a name."""

    name: Text
    color: Text = ""
    status_order: int | None = None


class Tag(Entity):
    """Read in the product's code of 2026, for tasks and projects only: section 9."""

    name: Text = ""
    color: Text = ""
    entity_type: Text = ""
