"""Runs the commands of a page and compares what they print with what the page shows.

A fenced block that begins with "```console drill" has commands, behind "$ ", each followed by its
output; one that begins with "```console" alone has those for AWS. In the output "..." stands for any text, and on a line of its own for any lines. What
differs from run to run (times, dates, addresses, queue ids, session names) is not compared.
"""

import os
import re
import subprocess

import image

BLOCK = re.compile(r"^```console( drill|)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARIES = [(re.compile(pattern), name) for pattern, name in (
    (r"^\s*<\S+>$", "RECIPIENT"),  # mailq's order is sendmail's own
    (r"^\s*(?:under 1 s|\d+ \w+ to \d+ \w+|4 h and longer)\s+\d+\s*#*$", "INTERVAL"),
    (r"-\d+@", "-NUMBER@"),  # messages that are sent together try in any order
    (r"\b[0-9][0-9A-Za-z]{7}\d{6}\b", "QUEUE-ID"),
    (r"\b[0-9a-f]{16}\b", "SESSION"),
    (r"\b\d{4}-\d\d-\d\d\b", "DATE"),
    (r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:\d?\d )?"
     r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d+\b", "DATE"),
    (r"\b\d\d:\d\d(?::\d\d(?:\.\d+)?)?\b", "TIME"),
    (r"\b10\.\d+\.\d+\.\d+\b", "ADDRESS"),
    (r"\+?\b\d+(?:\.\d+)? (?:ms|s|min)\b", "WHILE"),
    (r"[ \t]+", " "))]


def plain(text):
    """The text with what differs from run to run replaced by names."""
    for pattern, name in VARIES:
        text = pattern.sub(name, text)
    return text.strip()


def matches(shown, printed):
    """Whether a command printed what the page shows."""
    lines = [re.escape(plain(line)).replace(r"\.\.\.", ".*") for line in shown.splitlines()]
    pattern = "".join(r"(?:.*\n)*" if line == ".*" else line + "\n" for line in lines)
    text = "".join(plain(line) + "\n" for line in printed.splitlines())
    return re.fullmatch(pattern, text) is not None


def steps(page, kind=" drill"):
    """(line number, command, output shown) of all blocks of a kind, in order."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    for block in BLOCK.finditer(text):
        if block.group(1) != kind:
            continue
        number = text.count("\n", 0, block.start(2)) + 1
        for part in re.split(r"^(?=\$ )", block.group(2), flags=re.MULTILINE):
            if part:
                command, _, shown = part.partition("\n")
                yield number, command[2:], shown
            number += part.count("\n")


def run(command, lab):
    """What the command prints, both streams."""
    env = {**os.environ, "BUILD": image.BUILD, "LAB": lab}
    command = command.replace(" build/", f" {image.BUILD}/")  # it may have another name here
    return subprocess.run(["sh", "-c", command], cwd=image.REPO, env=env, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL)


def play(page, lab):
    """Runs a page's commands; returns the first that went otherwise, or None."""
    for number, command, shown in steps(page):
        done = run(command, lab)
        if not matches(shown, done.stdout):
            return (f"{os.path.basename(page)}:{number}: $ {command}\n"
                    f"the page shows\n{shown}\nbut it printed\n{done.stdout}")
    return None
