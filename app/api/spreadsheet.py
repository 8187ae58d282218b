"""Lists as CSV, row by row as they are read: a long one takes no memory."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi.responses import StreamingResponse

MEDIA_TYPE = "text/csv"
LINES = "application/x-ndjson"

# A spreadsheet takes a text that begins like this for a formula. A phone or a negative number is none.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s().-]*$)")


def sheet(name: str, columns: Sequence[str], rows: AsyncIterator[Sequence[object]]) -> StreamingResponse:
    """An answer with the rows below their heads, to be saved under `name`."""

    async def told() -> AsyncIterator[str]:
        yield line(columns)
        async for row in rows:
            yield line(row)

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(told(), media_type=MEDIA_TYPE, headers=headers)


def lines(name: str, items: AsyncIterator[Any]) -> StreamingResponse:
    """An answer with each item as JSON in a line of its own, to be saved under `name`."""

    async def told() -> AsyncIterator[str]:
        async for item in items:
            yield f"{json.dumps(item, ensure_ascii=False)}\n"

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(told(), media_type=LINES, headers=headers)


def exported(description: str) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a route that answers with either."""
    text = {"schema": {"type": "string"}}
    return {200: {"content": {MEDIA_TYPE: text, LINES: text}, "description": description}}


def line(cells: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_plain(cell) for cell in cells])
    return out.getvalue()


def _plain(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if _FORMULA.match(text) else text
