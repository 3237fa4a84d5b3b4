#!/usr/bin/env python3
"""The mode file: every way to change it takes effect at once, and no way to lose it harms."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import mailer  # noqa: E402
import tap  # noqa: E402
from mailer import Client  # noqa: E402
from sinkhole import Daemon  # noqa: E402

# The aim is 100 ms; the bound is generous, since this machine may be busy.
AT_ONCE = 2.0


class Changes(unittest.TestCase):
    def answer(self, daemon):
        """The code that a recipient gets now."""
        with Client(daemon.port).hello() as client:
            client.command("MAIL FROM:<>", 250)
            client.send("RCPT TO:<a@b>\r\n")
            return client.reply()[0]

    def until(self, daemon, code):
        """Seconds until it is answered so."""
        begin = time.monotonic()
        while self.answer(daemon) != code:
            self.assertLess(time.monotonic() - begin, AT_ONCE, f"no {code}")
        return time.monotonic() - begin

    def edit(self, daemon, value):
        """In place, as an editor or a shell's > does."""
        with open(daemon.mode_file, "w", encoding="utf-8") as file:
            file.write(value)

    def test_by_rename(self):
        with Daemon("defer", args=["--cache-ttl", "3600"]) as daemon:
            times = []
            for value, code in [("accept", 250), ("bounce", 550)] * 10:
                daemon.write_mode(value)
                times.append(self.until(daemon, code))
            median = sorted(times)[len(times) // 2]
            print(f"# a change of the file is answered after {1000 * median:.1f} ms (median)")
            self.assertLess(median, 0.5, "the aim is 0.1 s")

    def test_in_place(self):
        with Daemon("defer", args=["--cache-ttl", "3600"]) as daemon:
            for value, code in [("accept\n", 250), ("bounce", 550), (" accept \r\n", 250)]:
                self.edit(daemon, value)
                self.until(daemon, code)

    def test_deleted_and_back(self):
        with Daemon("accept", args=["--cache-ttl", "3600"]) as daemon:
            os.unlink(daemon.mode_file)
            event = daemon.wait_event("source_failed", mode="accept", code="ENOENT")
            self.assertIn(daemon.mode_file, event["message"])
            self.assertEqual(self.answer(daemon), 250, "the last good mode goes on")
            status = daemon.status()["mode"]
            self.assertEqual(status["fault"]["code"], "ENOENT")
            self.assertGreaterEqual(status["failing_for_ms"], 0)
            self.assertIn("failing for", daemon.ctl("status").stdout)
            self.edit(daemon, "bounce\n")
            self.until(daemon, 550)
            daemon.wait_event("source_recovered")
            self.assertIsNone(daemon.status()["mode"]["fault"])

    def test_directory_moved_away_and_back(self):
        with Daemon("accept") as daemon:
            home = os.path.join(daemon.dir, "home")
            os.mkdir(home)
            path = os.path.join(home, "mode")
            with open(path, "w", encoding="utf-8") as file:
                file.write("bounce\n")
            with Daemon(source=f"file:{path}", args=["--cache-ttl", "1"]) as second:
                self.until(second, 550)
                os.rename(home, home + ".away")
                second.wait_event("source_failed")
                self.assertEqual(self.answer(second), 550)
                os.rename(home + ".away", home)
                second.wait_event("source_recovered")
                with open(path, "w", encoding="utf-8") as file:
                    file.write("accept\n")
                second.wait_event("mode", mode="accept")

    def test_no_file_at_first(self):
        with Daemon("defer") as daemon:
            path = os.path.join(daemon.dir, "later")
            with Daemon(source=f"file:{path}") as second:
                second.wait_event("source_failed", mode="defer")
                self.assertEqual(self.answer(second), 421)
                with open(path, "w", encoding="utf-8") as file:
                    file.write("accept\n")
                self.until(second, 250)

    def test_an_unknown_value_is_served_as_defer_and_quoted_once(self):
        with Daemon("accept") as daemon:
            self.edit(daemon, 'bog"us\x07' + "x" * 500)
            event = daemon.wait_event("mode_invalid", mode="defer", previous="accept")
            self.assertTrue(event["value"].startswith('bog"us?xxx'))
            self.assertLess(len(event["value"]), 130)
            self.assertEqual(self.answer(daemon), 421)
            self.assertIn("is no mode", daemon.ctl("status").stdout)
            self.assertFalse(daemon.status()["mode"]["valid"])
            daemon.write_mode("accept")
            self.until(daemon, 250)
            self.assertEqual(len(daemon.find("mode_invalid")), 1)

    def test_an_empty_file_is_no_mode(self):
        with Daemon("accept") as daemon:
            self.edit(daemon, "")
            daemon.wait_event("mode_invalid", value="")
            self.assertEqual(self.answer(daemon), 421)

    def test_sighup_fetches_at_once(self):
        with Daemon("accept", args=["--cache-ttl", "3600"]) as daemon:
            before = daemon.status()["mode"]["fetches"]
            daemon.process.send_signal(1)
            daemon.wait_status(lambda s: s["mode"]["fetches"] > before, "another fetch")
            self.assertEqual(mailer.swaks(daemon).returncode, 0)

    def test_default_source_is_the_file_in_the_run_directory(self):
        with Daemon("defer") as outer:
            run_dir = os.path.join(outer.dir, "inner")
            with Daemon(run_dir=run_dir, source="file") as daemon:
                self.assertEqual(daemon.ctl("mode", "set", "accept", "--wait").returncode, 0)
                self.assertEqual(self.answer(daemon), 250)
                self.assertTrue(os.path.exists(os.path.join(run_dir, "mode")))


if __name__ == "__main__":
    tap.main()
