"""The page on which a field map is changed without code: pairs, steps with before and after, tables, versions."""

from app.dashboard.mapping.page import router

__all__ = ["router"]
