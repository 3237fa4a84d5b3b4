"""The loads. Each is a way to call a generator; a run of one returns what it took."""

import json
import subprocess
import time


class Load:
    """So many messages by smtp-source: `at_once` sessions in parallel, one message in each or
    (reused) many."""

    def __init__(self, name, title, messages, at_once=1, size=1024, recipients=1, reused=False):
        self.name, self.title, self.messages = name, title, messages
        self.at_once, self.size, self.recipients = at_once, size, recipients
        self.reused = reused

    def run(self, place, server):
        """One round; returns (CPU of the server in us a message, messages a second)."""
        command = [place.postfix("smtp-source"), "-s", str(self.at_once), "-m",
                   str(self.messages), "-l", str(self.size), "-r", str(self.recipients),
                   *(["-d"] if self.reused else []), f"127.0.0.1:{server.port}"]
        cpu, began = server.cpu_ns(), time.monotonic()
        subprocess.run(command, check=True, env=place.postfix_env)
        took = time.monotonic() - began
        time.sleep(0.01)  # the last close, and what a server does after it
        return (server.cpu_ns() - cpu) / 1000 / self.messages, self.messages / took


LOADS = [
    Load("one-1", "1 kB, a session each, 1 at once", 1500),
    Load("one-20", "1 kB, a session each, 20 at once", 2000, at_once=20),
    Load("one-200", "1 kB, a session each, 200 at once", 3000, at_once=200),
    Load("reused-1", "1 kB, one session, 1 at once", 2500, reused=True),
    Load("reused-20", "1 kB, reused sessions, 20 at once", 4000, at_once=20, reused=True),
    Load("100k-1", "100 kB, a session each, 1 at once", 400, size=102400),
    Load("100k-20", "100 kB, a session each, 20 at once", 400, at_once=20, size=102400),
    Load("rcpt20-1", "20 recipients, a session each, 1 at once", 500, recipients=20),
]


def latency(place, server, sessions, at_once):
    """Times of one-message sessions by our own generator, as its JSON has them."""
    command = [place.tool("generator"), str(server.port), str(sessions), str(at_once), "1024"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
