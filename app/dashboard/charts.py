"""The last day by hour, drawn in the browser by what comes with the service."""

from collections.abc import Callable, Sequence
from typing import Any

from nicegui import ui

from app.api.overview import HourOut
from app.dashboard.parts import tag, text

_INK, _GOOD, _BAD, _FAINT = "var(--accent)", "var(--good)", "var(--bad)", "var(--faint)"
_Draw = Callable[[Sequence[HourOut]], tuple[str, list[dict[str, Any]]]]


class Charts:
    """Three, side by side. Each says in words what it shows, for who does not see it."""

    def __init__(self, hours: Sequence[HourOut]) -> None:
        self._drawn: list[tuple[_Draw, Any, Any]] = []
        with tag("div", "charts"):
            for title, draw in (("Events", _events), ("Failures", _failures), ("Latency", _latency)):
                with tag("figure", "card"):
                    text("h3", title)
                    told = text("figcaption", "", "faint")
                    chart = ui.echart(_options([], []), renderer="svg").classes(replace="chart")
                    chart.props["aria-hidden"] = "true"
                self._drawn.append((draw, told, chart))
        self.tell(hours)

    def tell(self, hours: Sequence[HourOut]) -> None:
        labels = [each.hour.strftime("%H:%M") for each in hours]
        for draw, told, chart in self._drawn:
            told.text, series = draw(hours)
            options = _options(labels, series)
            if chart.options != options:
                chart.options.update(options)
                chart.update()


def _events(hours: Sequence[HourOut]) -> tuple[str, list[dict[str, Any]]]:
    events, written = [each.events for each in hours], [each.written for each in hours]
    said = f"{sum(events):,} arrived, {sum(written):,} records were written."
    return said, [_bars("arrived", events, _INK), _bars("written", written, _GOOD)]


def _failures(hours: Sequence[HourOut]) -> tuple[str, list[dict[str, Any]]]:
    failures = [each.failures for each in hours]
    total = sum(failures)
    return (f"{total:,} records were given up." if total else "None."), [_bars("failures", failures, _BAD)]


def _latency(hours: Sequence[HourOut]) -> tuple[str, list[dict[str, Any]]]:
    median, slowest = [each.median for each in hours], [each.slowest for each in hours]
    known = [each for each in slowest if each is not None]
    said = f"From an event to its end: 95 % within {max(known):,.1f} s in each hour." if known else "No event ended."
    return said, [_line("half within", median, _GOOD), _line("95 % within", slowest, _INK)]


def _bars(name: str, values: Sequence[int], color: str) -> dict[str, Any]:
    return {"type": "bar", "name": name, "data": list(values), "itemStyle": {"color": color}, "barGap": "0%"}


def _line(name: str, values: Sequence[float | None], color: str) -> dict[str, Any]:
    seconds = [None if each is None else round(each, 2) for each in values]
    look = {"lineStyle": {"color": color}, "itemStyle": {"color": color}}
    return {"type": "line", "name": f"{name} (s)", "data": seconds, "connectNulls": False, "symbolSize": 5, **look}


def _options(labels: list[str], series: list[dict[str, Any]]) -> dict[str, Any]:
    """The colours are the page's, by name: they follow it into the dark."""
    words = {"color": _FAINT}
    line = {"lineStyle": {"color": "var(--line)"}}
    return {
        "animation": False,
        "grid": {"left": 8, "right": 8, "top": 12, "bottom": 28, "containLabel": True},
        "legend": {"bottom": 0, "textStyle": words, "itemHeight": 8, "itemWidth": 14},
        "tooltip": {
            "trigger": "axis",
            "backgroundColor": "var(--paper)",
            "borderColor": "var(--line)",
            "textStyle": {"color": "var(--ink)"},
        },
        "xAxis": {"type": "category", "data": labels, "axisLabel": words, "axisLine": line},
        "yAxis": {"type": "value", "minInterval": 1, "axisLabel": words, "splitLine": line, "splitNumber": 3},
        "series": series,
    }
