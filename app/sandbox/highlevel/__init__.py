"""A stand-in for HighLevel: the objects that are kept in step, OAuth and signed webhooks, all in memory."""

from app.sandbox.highlevel.app import create_app
from app.sandbox.highlevel.config import Config

__all__ = ["Config", "create_app"]
