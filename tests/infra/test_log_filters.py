#!/usr/bin/env python3
"""The log-metric filters, against lines that the program writes and lines of sendmail."""

import os
import re
import sys
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))

import logfilter  # noqa: E402
import procfs  # noqa: E402
import sinkhole  # noqa: E402
import tap  # noqa: E402

MODULES = os.path.join(TOP, "infra/modules")

TO = "6ALNtcEh000024: to=<nobody@sinkhole.test>, delay=00:00:00, xdelay=00:00:00, mailer={}, " \
     "pri=30194, relay={}, dsn={}, stat={}"
TAKEN = TO.format("smtp", "sinkhole.cabal.internal. [10.9.1.9]", "2.0.0", "Sent (2.0.0 OK: 7bca)")
DEFERRED = TO.format("smtp", "sinkhole.cabal.internal. [10.9.1.9]", "4.3.2",
                     "Deferred: 421 4.3.2 Service temporarily unavailable")
OFFLINE = TO.format("smtp", "25 [0.0.0.25]", "4.4.1", "Deferred: 25: Network is unreachable")
SUBMITTED = TO.format("relay", "[127.0.0.1] [127.0.0.1]", "2.0.0", "Sent (6ALN Message accepted)")
LEAKED = TO.format("esmtp", "mx.example.net. [192.0.2.7]", "2.0.0", "Sent (ok)")
OTHER = LEAKED.replace("sinkhole.test", "example.net")
NO_ROUTE = TO.format("esmtp", "sinkhole.test", "5.1.2", "Host unknown")


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as text:
        return text.read()


def metrics():
    """{event: (metric, value)} as alarms.tf has it."""
    table = re.search(r"log_metrics = \{(.*?)\n  \}", read(MODULES, "sinkhole/alarms.tf"), re.DOTALL)
    rows = re.findall(r'(\w+)\s*= \{ metric = "(\w+)", value = "(\d)" \}', table.group(1))
    return {event: (metric, value) for event, metric, value in rows}


def leak_patterns():
    """(with the route, without it) as the route module has them."""
    text = read(MODULES, "smtp-out-route/main.tf")
    found = re.search(r'\? "((?:[^"\\]|\\.)*)"\s*: "((?:[^"\\]|\\.)*)"', text)
    return tuple(one.replace('\\"', '"') for one in found.groups())


class Patterns(unittest.TestCase):
    def test_the_matcher_can_say_no(self):
        self.assertTrue(logfilter.matches('"a" -"b"', "a c"))
        self.assertFalse(logfilter.matches('"a" -"b"', "a b"))
        self.assertFalse(logfilter.matches('"a"', "c"))
        self.assertFalse(logfilter.matches('{ $.event = "mode" }', '{"event":"mode_invalid"}'))
        self.assertFalse(logfilter.matches('{ $.event = "mode" }', "no JSON"))
        with self.assertRaises(ValueError):
            logfilter.matches("{ $.a = b }", "a")

    def test_every_event_is_documented(self):
        page = read("docs/log-events.md")
        self.assertEqual(len(metrics()), 5)
        for event in metrics():
            self.assertIn(f"\n## `{event}`\n", page)

    def test_a_leak_with_the_route_is_what_another_host_took(self):
        pattern = leak_patterns()[0]
        for line in (LEAKED,):
            self.assertTrue(logfilter.matches(pattern, line), line)
        for line in (TAKEN, DEFERRED, OFFLINE, SUBMITTED, OTHER, NO_ROUTE):
            self.assertFalse(logfilter.matches(pattern, line), line)

    def test_a_leak_without_the_route_is_any_mention(self):
        pattern = leak_patterns()[1]
        for line in (LEAKED, NO_ROUTE, DEFERRED):
            self.assertTrue(logfilter.matches(pattern, line), line)
        self.assertFalse(logfilter.matches(pattern, OTHER))


@unittest.skipUnless(os.access(sinkhole.program("sinkholed"), os.X_OK),
                     "sinkholed is not built (make)")
class Program(unittest.TestCase):
    """The metrics of a daemon whose mode fails, recovers, and whose worker dies."""

    def counted(self, daemon):
        """[(metric, value), ...] in the order of the log's lines."""
        rows = metrics()
        return [rows[event] for line in daemon.lines for event in rows
                if logfilter.matches(f'{{ $.event = "{event}" }}', line.decode())]

    def test_what_is_counted(self):
        with sinkhole.Daemon("defer") as daemon:
            daemon.wait_event("mode")
            os.unlink(daemon.mode_file)
            daemon.wait_event("source_failed")
            daemon.write_mode("nonsense")
            daemon.wait_event("mode_invalid")
            procfs.kill(daemon.workers()[0])
            daemon.wait_event("worker_died")
            counted = self.counted(daemon)
        self.assertEqual(counted[0], ("ModeSourceFailed", "0"))
        self.assertEqual(counted[1], ("ModeSourceFailed", "1"))
        self.assertEqual(set(counted[2:-1]), {("ModeSourceFailed", "0")})
        self.assertEqual(counted[-1], ("WorkersDied", "1"))


if __name__ == "__main__":
    tap.main()
