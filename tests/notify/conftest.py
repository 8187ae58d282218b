"""What the tests of notifications share."""

from tests.providers.conftest import certified

__all__ = ["certified"]
