import pytest

from app.mapping.labels import Labels
from app.sync.records import Side

LABELS = Labels({("contact", Side.BILLING): {"custom_value1": "Industry", "city": "City"}})


@pytest.mark.parametrize(
    ("object_", "name", "label"),
    [
        ("contact", "city", "City"),
        ("contact", "custom_value1", "Industry"),
        ("contact", "tags:custom_value1", "Industry"),
        ("contact", "custom_value2", "custom value2"),
        ("task", "city", "city"),
    ],
)
def test_a_pair_is_called_as_its_field_in_billing_or_else_by_its_key(object_: str, name: str, label: str) -> None:
    assert LABELS.pair(object_, name) == label
