#!/usr/bin/env python3
"""All five modes, as another container on the same bridge sees them; and the environment of the
running tier."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap  # noqa: E402
import tier  # noqa: E402

NOT_ACCEPTED = 24  # swaks: no recipient was accepted
# The task definition of today's tier, without the parameter, which wants AWS.
TODAY = {"TIER": "sinkhole", "AWS_REGION": "us-east-1", "SINKHOLE_BIND_HOST": "0.0.0.0",
         "SINKHOLE_BIND_PORT": "25", "SINKHOLE_CACHE_TTL": "30",
         "SINKHOLE_GREYLIST_WINDOW": "1800", "SINKHOLE_SERVER_NAME": "sinkhole.cabal.internal"}


class Modes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(tier.Network())
        cls.sender = cls.enterClassContext(tier.Sender(cls.network.name))
        cls.box = cls.enterClassContext(tier.Tier(network=cls.network.name, env=TODAY))

    def send(self, mode, status, line):
        self.box.set_mode(mode)
        done = self.sender.swaks(self.box.address)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertIn(line, done.stdout)
        return done.stdout

    def test_defer(self):
        self.send("defer", NOT_ACCEPTED, "<** 421 4.3.2 Service temporarily unavailable")

    def test_bounce(self):
        self.send("bounce", NOT_ACCEPTED, "<** 550 5.1.1 User unknown")

    def test_accept(self):
        seen = self.send("accept", 0, "<-  354")
        self.assertIn("220 sinkhole.cabal.internal ESMTP", seen)
        self.assertFalse(self.box.events("accepted"))

    def test_accept_log(self):
        self.send("accept-log", 0, "<-  250")
        line = self.box.wait_event("accepted")
        self.assertEqual(line["client"], self.sender.address)
        self.assertEqual(line["from"], "from@example.test")

    def test_greylist(self):
        self.send("greylist", NOT_ACCEPTED, "<** 421 4.7.1")
        self.send("greylist", 0, "<-  250")

    def test_sessions_are_logged_with_the_sender(self):
        self.send("bounce", NOT_ACCEPTED, "550")
        self.box.wait_event("session", client=self.sender.address, mode="bounce")

    def test_nothing_but_events_is_written(self):
        self.assertEqual(self.box.misfits(), [])
        self.assertEqual(self.box.output()[1], "")


if __name__ == "__main__":
    tap.main()
