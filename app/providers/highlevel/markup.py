"""HighLevel's notes may be HTML; we keep plain text. Pure.

HTML is written only where plain text would be read as HTML.
"""

import html
import re
from html.parser import HTMLParser

_TAG = re.compile(
    r"</?(?:p|br|div|span|ul|ol|li|b|strong|i|em|u|s|a|h[1-6]|blockquote|pre|code|table|tr|td|th)\b[^<>]*>",
    re.IGNORECASE,
)
_BLOCKS = frozenset({"p", "div", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "tr"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.text += "\n"
        elif tag in _BLOCKS:
            self._new_line()
            self.text += "- " if tag == "li" else ""

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._new_line()

    def handle_data(self, data: str) -> None:
        self.text += data if data.strip() else " " * bool(self.text and not self.text.endswith("\n"))

    def _new_line(self) -> None:
        if self.text and not self.text.endswith("\n"):
            self.text += "\n"


def plain(body: str) -> str:
    """What a person reads. Text without HTML stays as it is, whatever `<` and `&` it has."""
    if not _TAG.search(body):
        return body.strip()
    reader = _Reader()
    reader.feed(body)
    reader.close()
    return reader.text.strip()


def written(text: str) -> str:
    """`text` so that `plain` gives it back."""
    if not _TAG.search(text):
        return text
    return f"<p>{html.escape(text, quote=False).replace(chr(10), '<br>')}</p>"
