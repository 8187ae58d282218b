"""Lists as CSV, row by row as they are read: a long one takes no memory."""

import csv
import io
import re
from collections.abc import AsyncIterator, Sequence

from fastapi.responses import StreamingResponse

MEDIA_TYPE = "text/csv"

# A spreadsheet takes a text that begins like this for a formula. A phone or a negative number is none.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s().-]*$)")


def sheet(name: str, columns: Sequence[str], rows: AsyncIterator[Sequence[object]]) -> StreamingResponse:
    """An answer with the rows below their heads, to be saved under `name`."""

    async def lines() -> AsyncIterator[str]:
        yield line(columns)
        async for row in rows:
            yield line(row)

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines(), media_type=MEDIA_TYPE, headers=headers)


def line(cells: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_plain(cell) for cell in cells])
    return out.getvalue()


def _plain(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if _FORMULA.match(text) else text
