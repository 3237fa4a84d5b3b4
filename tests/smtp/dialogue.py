"""Reads dialogues (tests/smtp/dialogues/*.txt) and plays them against an SMTP server.

One step a line; '#' begins a comment line:

    mode: accept             the mode from here on; it is in force before the next step
    option: max-line 512     the daemon's option, for the whole dialogue (at the top)
    connect                  a further connection; the first needs no word
    C: NOOP                  the client sends the line with CRLF
    C> a\\n.\\r\\x00            the client sends these bytes: \\r \\n \\t \\\\ \\xHH, and none that are not there
    C> x * 5000              the text before ' * ' so many times
    --                       what follows goes out in a packet of its own
    S: 250 *                 the server says this line; '*' stands for anything
    silent                   the server has said nothing more so far
    shut                     the client ends its side and can still hear
    reset                    the client resets the connection
    closed                   the server has ended its side
    L: session end=quit      after the connection: a log line with these fields

What the client sends between two steps of the server goes out in one packet. A dialogue that
still has its connection at the end says `shut`, and the server must have nothing more to say.
"""

import json
import re
import socket
import struct

import sinkhole

ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))")
PLAIN = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}
STEP = re.compile(r"(mode|option|C|S|L): ?(.*)|(C>) ?(.*)|(connect|--|silent|shut|reset|closed)$")


def unescape(text):
    """The bytes that a 'C>' line stands for."""
    text, times = re.fullmatch(r"(.*?)(?: \* (\d+))?", text, re.DOTALL).groups()

    def one(match):
        return bytes([int(match[1], 16)]) if match[1] else PLAIN[match[2]]
    return ESCAPE.sub(one, text.encode()) * int(times or 1)


def holds(event, name, fields):
    """Is it that event, and has it these fields ("bytes=42"), as JSON or as plain text?"""
    pairs = (field.split("=", 1) for field in fields)
    return event["event"] == name and all(
        key in event and value in (event[key], json.dumps(event[key])) for key, value in pairs)


class Dialogue:
    """The steps of one file: (line number, word, text)."""

    def __init__(self, path):
        self.path, self.steps, self.options = path, [], []
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                line = line.rstrip("\n")
                if line and not line.startswith("#"):
                    self._add(number, line)

    def _add(self, number, line):
        match = STEP.fullmatch(line)
        if not match:
            raise ValueError(f"{self.path}:{number}: no step: {line}")
        word, text = next((match[i], match[i + 1] if i < 5 else "") for i in (1, 3, 5) if match[i])
        if word == "option":
            self.options.append(tuple(text.split(" ", 1)))
        else:
            self.steps.append((number, word, text))


class Player:
    """Plays a dialogue against a target. A target has connect() -> socket, set_mode(value) and
    events(n) -> list, which waits until n connections are over and logged."""

    def __init__(self, dialogue, target):
        self.dialogue, self.target = dialogue, target
        self.socket, self.unsent, self.heard = None, b"", b""
        self.connections = 0
        self.where = dialogue.path

    def play(self):
        for number, word, text in self.dialogue.steps:
            self.where = f"{self.dialogue.path}:{number}"
            self.STEPS[word](self, text)
        self.where = f"{self.dialogue.path}: the end"
        self._leave()

    def _fail(self, what):
        raise AssertionError(f"{self.where}: {what}")

    def _connect(self, _=None):
        self._leave()
        self.socket, self.heard = self.target.connect(), b""
        self.connections += 1
        self.socket.settimeout(sinkhole.PATIENCE)

    def _leave(self):
        if self.socket is not None:
            self._shut()
            self._closed()

    def _flush(self, _=None):
        if self.socket is None:
            self._connect()
        if self.unsent:
            self.socket.sendall(self.unsent)
            self.unsent = b""

    def _line(self, text):
        self.unsent += text.encode() + b"\r\n"

    def _raw(self, text):
        self.unsent += unescape(text)

    def _receive(self):
        try:
            got = self.socket.recv(65536)
        except socket.timeout:
            self._fail(f"the server says nothing more; so far {self.heard!r}")
        except ConnectionError as error:
            self._fail(f"{error}; so far {self.heard!r}")
        self.heard += got
        return bool(got)

    def _expect(self, pattern):
        self._flush()
        while b"\n" not in self.heard:
            if not self._receive():
                self._fail(f"want '{pattern}', but the server has closed after {self.heard!r}")
        line, self.heard = self.heard.split(b"\n", 1)
        text = line.decode("latin-1")
        if not re.fullmatch(".*".join(map(re.escape, pattern.split("*"))) + "\r", text):
            self._fail(f"want '{pattern}', got {text!r}")

    def _silent(self, _):
        self._flush()
        self.socket.settimeout(0.02)
        try:
            self.heard += self.socket.recv(65536)
        except socket.timeout:
            pass
        self.socket.settimeout(sinkhole.PATIENCE)
        if self.heard:
            self._fail(f"want nothing, got {self.heard!r}")

    def _shut(self, _=None):
        self._flush()
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server may have gone first

    def _reset(self, _):
        self._flush()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._gone()

    def _closed(self, _=None):
        self._flush()
        while self._receive():
            pass
        if self.heard:
            self._fail(f"want the end, got {self.heard!r}")
        self._gone()

    def _gone(self):
        self.socket.close()
        self.socket = None

    def _logged(self, text):
        if self.socket is not None:
            self._leave()
        name, *fields = re.split(r" (?=\w+=)", text)
        events = self.target.events(self.connections)
        if not any(holds(event, name, fields) for event in events):
            self._fail(f"want {name} {fields}, got {events}")

    def _mode(self, value):
        if self.socket is not None:
            self._flush()
        self.target.set_mode(value)

    STEPS = {"mode": _mode, "connect": _connect, "C": _line, "C>": _raw, "--": _flush,
             "S": _expect, "silent": _silent, "shut": _shut, "reset": _reset,
             "closed": _closed, "L": _logged}
