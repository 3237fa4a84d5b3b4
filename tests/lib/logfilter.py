"""CloudWatch's filter patterns, as far as infra/ uses them.

Two forms: { $.field = "text" } for JSON lines, and a list of "quoted phrases" that must all be in
the line, or must not where a minus stands before.
"""

import json
import re

JSON_FORM = re.compile(r'^\{ \$\.(\w+) = "([^"]*)" \}$')
PHRASE = re.compile(r'\s*(-?)"([^"]+)"')


def matches(pattern, line):
    """Whether CloudWatch would count the line."""
    found = JSON_FORM.match(pattern)
    if found:
        try:
            return json.loads(line).get(found.group(1)) == found.group(2)
        except ValueError:
            return False
    if PHRASE.sub("", pattern).strip():
        raise ValueError(f"this is no pattern that is understood here: {pattern}")
    return all((phrase in line) != bool(minus) for minus, phrase in PHRASE.findall(pattern))
