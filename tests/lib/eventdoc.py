"""Reads docs/log-events.md and judges log lines by it.

The page has a section for each event, "## `name`", with one table of fields:

    | field | type | meaning |
    | `mode` | string | ... |
    | `part` | number, optional | ... |
"""

import json
import os
import re

PAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
                    "docs", "log-events.md")
TYPES = {"string": str, "number": (int, float), "boolean": bool, "array": list}
LINE_MAX = 16 * 1024
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def load(path=PAGE):
    """{event: {field: (type, is_optional)}}; the fields of every line stand under None."""
    events, fields = {}, None
    with open(path, encoding="utf-8") as page:
        for line in page:
            heading = re.match(r"^## (?:`(\w+)`|Every line)\s*$", line)
            row = re.match(r"^\| `(\w+)` \| (\w+)(, optional)? \|", line)
            if line.startswith("## "):
                fields = events.setdefault(heading.group(1), {}) if heading else None
            elif row and fields is not None:
                fields[row.group(1)] = (row.group(2), row.group(3) is not None)
    return events


EVENTS = load()


def complaint(event, raw):
    """What is wrong with one parsed line, or None."""
    name = event.get("event")
    if name not in EVENTS:
        return "unknown event"
    if list(event)[:2] != ["time", "event"] or not TIME.match(event["time"]):
        return "it does not begin with time and event"
    if len(raw) > LINE_MAX:
        return "longer than 16 KiB"
    known = {**EVENTS[None], **EVENTS[name]}
    for field, value in event.items():
        if field not in known:
            return f"unknown field {field}"
        if not isinstance(value, TYPES[known[field][0]]):
            return f"{field} is no {known[field][0]}"
    missing = [f for f, (_, optional) in known.items() if not optional and f not in event]
    return f"without {', '.join(missing)}" if missing else None


def judge(raw):
    """Parses one line; returns the event, or None, and what is wrong with it, or None."""
    try:
        event = json.loads(raw)
        wrong = "not an object" if not isinstance(event, dict) else complaint(event, raw)
    except ValueError as error:
        event, wrong = None, f"no JSON: {error}"
    if not raw.endswith(b"\n"):
        wrong = "cut off"
    return event if isinstance(event, dict) else None, wrong and f"{wrong}: {raw!r}"
