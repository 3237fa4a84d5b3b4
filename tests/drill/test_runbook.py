#!/usr/bin/env python3
"""The pages of docs/testing, run word for word."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import image
import lab
import pagetest
import ssm
import tap
import tier


class Pages(unittest.TestCase):
    def play(self, name):
        image.smtp_out()
        tier.image()
        ssm.need()
        it = lab.Lab(f"page-{os.getpid()}")
        self.addCleanup(lambda: lab.Lab(it.name).down())
        wrong = pagetest.play(os.path.join(image.REPO, "docs/testing", name), it.name)
        self.assertIsNone(wrong, wrong)

    def test_the_runbook(self):
        self.play("queue-persistence.md")

    def test_the_other_scenarios(self):
        self.play("scenarios.md")


class Comparing(unittest.TestCase):
    """The pages prove nothing if everything matches."""

    def test_what_matches(self):
        for shown, printed in (("a 10:11:12 b", "a 23:59:59 b"), ("a ...", "a b c"),
                               ("a\n...\nd", "a\nb\nc\nd"), ("a\n...\nd", "a\nd"),
                               ("6AM0W3mb000024-  98", "6AN1X4nc000031-  98"), ("", "")):
            self.assertTrue(pagetest.matches(shown, printed), (shown, printed))

    def test_what_does_not(self):
        for shown, printed in (("3 accepted once, 0 lost", "2 accepted once, 1 lost"),
                               ("a", "a\nb"), ("a\nb", "a"), ("", "a"), ("a ... c", "a b")):
            self.assertFalse(pagetest.matches(shown, printed), (shown, printed))

    def test_the_pages_have_their_steps(self):
        page = os.path.join(image.REPO, "docs/testing/queue-persistence.md")
        commands = [command for _, command, _ in pagetest.steps(page)]
        self.assertEqual("tests/drill/lab up", commands[0])
        self.assertEqual("tests/drill/lab down", commands[-1])
        self.assertGreater(len(commands), 15)


if __name__ == "__main__":
    tap.main()
