"""Displays results in notebooks."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from html import escape
from typing import Any, Iterable, Sequence, Tuple, cast

_LEFT = ' style="text-align: left"'


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a table with these rows."""
    head = "".join(f"<th{_LEFT}>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    return f"<td{_LEFT}>{_shown(value)}</td>"


def _shown(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S %Z}"
    if isinstance(value, timedelta):
        return escape(str(timedelta(seconds=round(value.total_seconds()))))
    if isinstance(value, tuple):
        return "<br>".join(map(_shown, cast("Tuple[object, ...]", value)))
    if isinstance(value, float):
        return f"{value:.4g}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    return escape(str(value))


def _fields(thing: Any) -> str:
    shown = (field.name for field in dataclasses.fields(thing) if field.name != "res")
    return "".join(
        f"<tr><th{_LEFT}>{escape(name.replace('_', ' '))}</th>{_cell(getattr(thing, name))}</tr>"
        for name in shown
    ).join(("<table><tbody>", "</tbody></table>"))


class Fields:
    """A result that notebooks display as a table of its fields."""

    def _repr_html_(self) -> str:
        return _fields(self)
