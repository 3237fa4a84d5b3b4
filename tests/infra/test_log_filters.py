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
DEFERRED = TO.format("smtp", "sinkhole.cabal.internal. [10.9.1.9]", "4.0.0",
                     "Deferred: 421 4.3.2 Service temporarily unavailable")
OFFLINE = TO.format("smtp", "[255.255.255.255]", "4.4.1",
                    "Deferred: [255.255.255.255]: Network is unreachable")
SUBMITTED = TO.format("relay", "[127.0.0.1] [127.0.0.1]", "2.0.0", "Sent (6ALN Message accepted)")
LEAKED = TO.format("esmtp", "mx.example.net. [192.0.2.7]", "2.0.0", "Sent (ok)")
OTHER = LEAKED.replace("sinkhole.test", "example.net")
NO_ROUTE = TO.format("esmtp", "sinkhole.test", "5.1.2", "Host unknown")


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as text:
        return text.read()


def table(name):
    """The text of one of the two tables of alarms.tf."""
    return re.search(rf"^  {name} = \{{\n(.*?)^  \}}", read(MODULES, "sinkhole/alarms.tf"),
                     re.DOTALL | re.MULTILINE).group(1)


def metrics():
    """{event: metric} as alarms.tf has it."""
    return dict(re.findall(r'(\w+)\s*= "(\w+)"', table("log_metrics")))


def alarm(name):
    """(seconds of a period, threshold, periods looked at, periods that ring it)"""
    row = re.search(rf"^    {name} = \{{(.*?)^    \}}", table("alarms"), re.DOTALL | re.MULTILINE)
    numbers = dict(re.findall(r"(\w+)\s*= (\d+)", row.group(1)))
    return tuple(int(numbers[key]) for key in ("period", "threshold", "evaluated", "breaching"))


def rings(name, lines, end):
    """The periods, up to the second `end`, at whose end an alarm rings; lines: the seconds at
    which one was counted."""
    period, threshold, looked_at, enough = alarm(name)
    bad = [sum(n * period <= at < (n + 1) * period for at in lines) >= threshold
           for n in range(end // period)]
    return [n for n in range(len(bad)) if sum(bad[max(0, n + 1 - looked_at):n + 1]) >= enough]


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
        self.assertEqual(set(metrics()), {"source_failing", "worker_died"})
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


class Stale(unittest.TestCase):
    """When the alarm of the mode rings. A line comes for each minute that a failure lasts."""

    def rings(self, *failures, late=0):
        """failures: (first, last) second of each. late: what a slow fetch adds to each minute."""
        lines = [at for first, last in failures
                 for at in range(first + 60 + late, last, 60 + late)]
        return rings("mode-stale", lines, 3600)

    def test_short_failures_are_none(self):
        self.assertEqual(self.rings((10, 15), (70, 80), (100, 165)), [])

    def test_it_rings_while_a_failure_lasts(self):
        for late in (0, 5, 20):
            with self.subTest(late=late):
                heard = self.rings((610, 3600), late=late)
                self.assertEqual(heard, list(range(heard[0], 60)), "without a gap")
                self.assertLessEqual(heard[0], 610 // 60 + 3)

    def test_it_ends_with_the_failure(self):
        self.assertLessEqual(self.rings((0, 1200))[-1], 1200 // 60 + 2)

    def test_a_recovery_for_a_moment_does_not_end_it(self):
        self.assertEqual(self.rings((0, 1210), (1211, 3600)), list(range(2, 60)))


@unittest.skipUnless(os.access(sinkhole.program("sinkholed"), os.X_OK),
                     "sinkholed is not built (make)")
class Program(unittest.TestCase):
    """The metrics of a daemon whose mode fails for a moment, and whose worker dies."""

    def counted(self, daemon):
        """The metrics in the order of the log's lines."""
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
            self.assertEqual(self.counted(daemon), ["WorkersDied"])


if __name__ == "__main__":
    tap.main()
