"""The last day by hour, and money by day, drawn in the browser by what comes with the service."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from nicegui import ui

from app.api.overview import HourOut, MoneyDayOut
from app.dashboard.parts import amount, count_of, tag, text
from app.earnings import DAYS

_INK, _GOOD, _BAD, _FAINT = "var(--accent)", "var(--good)", "var(--bad)", "var(--faint)"
_Draw = Callable[[Sequence[HourOut]], tuple[str, list[dict[str, Any]]]]


_CURRENCIES = 3


class MoneyCharts:
    """One for each currency, for amounts in two cannot be compared; those of which there is most."""

    def __init__(self, days: Sequence[MoneyDayOut]) -> None:
        most = Counter(each.currency for each in days).most_common()
        with tag("div", "charts"):
            self._drawn = {currency: _figure(f"Money by day, {currency}") for currency, _ in most[:_CURRENCIES]}
        if rest := [currency for currency, _ in most[_CURRENCIES:]]:
            text("p", f"There is money in {', '.join(rest)} as well: the API tells of it by day.", "faint")
        self.tell(days)

    def tell(self, days: Sequence[MoneyDayOut]) -> None:
        today = datetime.now(UTC).date()
        last = max([today, *(each.day for each in days)])
        line = [last - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
        for currency, (told, chart) in self._drawn.items():
            known = {each.day: each for each in days if each.currency == currency}
            invoiced, paid = (
                [getattr(known[day], name) if day in known else Decimal(0) for day in line]
                for name in ("invoiced", "paid")
            )
            sums = [amount(sum(each, Decimal(0)), currency) for each in (invoiced, paid)]
            told.text = f"Invoiced {sums[0]}, paid {sums[1]} in {DAYS} days."
            bars = [_bars("invoiced", list(map(float, invoiced)), _INK), _bars("paid", list(map(float, paid)), _GOOD)]
            _draw(chart, [each.strftime("%m-%d") for each in line], bars)


class Charts:
    """Three, side by side. Each says in words what it shows, for who does not see it."""

    def __init__(self, hours: Sequence[HourOut]) -> None:
        self._drawn: list[tuple[_Draw, Any, Any]] = []
        with tag("div", "charts"):
            for title, draw in (("Events", _events), ("Failures", _failures), ("Latency", _latency)):
                self._drawn.append((draw, *_figure(title)))
        self.tell(hours)

    def tell(self, hours: Sequence[HourOut]) -> None:
        labels = [each.hour.strftime("%H:%M") for each in hours]
        for draw, told, chart in self._drawn:
            told.text, series = draw(hours)
            _draw(chart, labels, series)


def _figure(title: str) -> tuple[Any, Any]:
    """Its words, and what is drawn."""
    with tag("figure", "card"):
        text("h3", title)
        told = text("figcaption", "", "faint")
        chart = ui.echart(_options([], []), renderer="svg").classes(replace="chart")
        chart.props["aria-hidden"] = "true"
    return told, chart


def _draw(chart: Any, labels: list[str], series: list[dict[str, Any]]) -> None:
    options = _options(labels, series)
    if chart.options != options:
        chart.options.update(options)
        chart.update()


def _events(hours: Sequence[HourOut]) -> tuple[str, list[dict[str, Any]]]:
    events, written = [each.events for each in hours], [each.written for each in hours]
    was = "was" if sum(written) == 1 else "were"
    said = f"{sum(events):,} arrived, {count_of(sum(written), 'record')} {was} written."
    return said, [_bars("arrived", events, _INK), _bars("written", written, _GOOD)]


def _failures(hours: Sequence[HourOut]) -> tuple[str, list[dict[str, Any]]]:
    failures = [each.failures for each in hours]
    total = sum(failures)
    said = f"{count_of(total, 'record')} {'was' if total == 1 else 'were'} given up." if total else "None."
    return said, [_bars("failures", failures, _BAD)]


def _latency(hours: Sequence[HourOut]) -> tuple[str, list[dict[str, Any]]]:
    median, slowest = [each.median for each in hours], [each.slowest for each in hours]
    known = [each for each in slowest if each is not None]
    said = f"From an event to its end: 95 % within {max(known):,.1f} s in each hour." if known else "No event ended."
    return said, [_line("half within", median, _GOOD), _line("95 % within", slowest, _INK)]


def _bars(name: str, values: Sequence[float], color: str) -> dict[str, Any]:
    return {"type": "bar", "name": name, "data": list(values), "itemStyle": {"color": color}, "barGap": "0%"}


def _line(name: str, values: Sequence[float | None], color: str) -> dict[str, Any]:
    seconds = [None if each is None else round(each, 2) for each in values]
    look = {"lineStyle": {"color": color}, "itemStyle": {"color": color}}
    return {"type": "line", "name": f"{name} (s)", "data": seconds, "connectNulls": False, "symbolSize": 5, **look}


def _is_time(series: Sequence[dict[str, Any]]) -> bool:
    return any(each["type"] == "line" for each in series)


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
        # Records are counted in whole ones; seconds are not.
        "yAxis": {
            "type": "value",
            "minInterval": 0 if _is_time(series) else 1,
            "axisLabel": words,
            "splitLine": line,
            "splitNumber": 3,
        },
        "series": series,
    }
