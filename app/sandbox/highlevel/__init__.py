"""A stand-in for HighLevel: its contact, location and OAuth endpoints and its signed webhooks, kept in memory."""

from app.sandbox.highlevel.app import create_app
from app.sandbox.highlevel.config import Config

__all__ = ["Config", "create_app"]
