"""A stateful stand-in for Invoice Ninja 5.10.42, built from contracts/invoice_ninja and its recordings."""

from app.sandbox.invoice_ninja.app import create_app
from app.sandbox.invoice_ninja.config import Config

__all__ = ["Config", "create_app"]
