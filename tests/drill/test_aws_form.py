#!/usr/bin/env python3
"""The runbook as it is done in AWS: its commands, word for word, in one shell, from the first to
the last. moto is AWS, agent.py what of ECS moto has not.

What this cannot show: Session Manager, IAM, and that CloudWatch filters (moto returns every line
for a pattern of JSON fields).
"""

import os
import shlex
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import agent
import image
import lab
import pagetest
import ssm
import tap
import tier

HERE = os.path.dirname(os.path.realpath(__file__))
PAGE = os.path.join(image.REPO, "docs/testing/queue-persistence.md")
DEFERRED = "(Deferred: 421 4.3.2 Service temporarily unavailable)"
# What an operator waits for who is slower than a test: the mode is fetched, deliveries end.
REFRESH = f"{HERE}/lab exec sinkhole sinkholectl refresh >/dev/null\n"
SETTLE = f"{HERE}/lab settle\n"
THEN = {"aws ssm put-parameter": REFRESH, "sinkholectl": REFRESH, "in_task ": SETTLE}


def with_patience(number, command):
    """The lines of shell for one command, its output in a file of its own."""
    then = "".join(line for words, line in THEN.items()
                   if command.startswith(words) and "()" not in command)
    return f"{{ {command}\n}} >{number}.out 2>&1\n{then}"


class AwsForm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        image.smtp_out()
        tier.image()
        ssm.need()
        os.environ["MOTO_ECS_SERVICE_RUNNING"] = "2"  # it has tasks, as far as moto can tell
        cls.lab = lab.Lab(f"aws-{os.getpid()}")
        cls.addClassCleanup(lambda: lab.Lab(cls.lab.name).down())
        cls.lab.up()
        cls.lab.start_ssm()
        cls.lab.start_sinkhole()
        for task in ("a", "b"):
            cls.lab.start_task(task)
        agent.Agent(cls.lab).prepare(["a", "b"])
        cls.scratch = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.commands = [command for _, command, _ in pagetest.steps(PAGE, "")]
        cls.outputs = cls.play()

    @classmethod
    def play(cls):
        """Runs the commands; returns what each printed, in order."""
        with open(os.path.join(cls.scratch, "aws"), "w", encoding="utf-8") as file:
            # Behind this name the true one is looked for.
            file.write(f"#!/bin/sh\nPATH={shlex.quote(os.environ['PATH'])}\n"
                       f"exec {shlex.quote(sys.executable)} {HERE}/agent.py \"$@\"\n")
        os.chmod(file.name, 0o755)
        script = "set -eu\n" + "".join(
            with_patience(number, command) for number, command in enumerate(cls.commands))
        env = {**os.environ, **cls.lab.env(), "LAB": cls.lab.name, "BUILD": image.BUILD,
               "PATH": f"{cls.scratch}:{image.BUILD}:{os.environ['PATH']}"}
        cls.done = subprocess.run(["sh"], input=script, cwd=cls.scratch, env=env, text=True,
                                  capture_output=True, check=False)
        return [cls.output(number) for number in range(len(cls.commands))]

    @classmethod
    def output(cls, number):
        path = os.path.join(cls.scratch, f"{number}.out")
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as file:
            return file.read()

    def printed(self, words):
        """What the commands printed that begin with these words, in order."""
        return [text or "" for command, text in zip(self.commands, self.outputs)
                if command.startswith(words)]

    def test_1_every_command_worked(self):
        ran = [text for text in self.outputs if text is not None]
        last = f"$ {self.commands[len(ran) - 1]}\n{ran[-1]}{self.done.stderr}"
        self.assertEqual((self.done.returncode, len(ran)), (0, len(self.commands)), last)
        self.assertGreater(len(ran), 12)

    def test_2_the_log_says_which_mode_is_served(self):
        first, second = self.printed("logged cabal-sinkhole 60")
        self.assertIn('"mode":"defer"', first)
        self.assertRegex(second, r'"mode":"accept-log","value":"accept-log","version":4')

    def test_3_both_tasks_show_the_message_and_later_none(self):
        before, replaced, after = self.printed("for each in $(tasks)")
        for text in (before, replaced):
            self.assertEqual(text.count(DEFERRED), 2, text)
            self.assertEqual(text.count("parked-1@sinkhole.test"), 2, text)
        self.assertEqual(after.count("is empty"), 2, after)

    def test_4_the_task_was_replaced(self):
        self.assertEqual(set(lab.Lab(self.lab.name).tasks()), {"b", "c"})

    def test_5_the_proof(self):
        proof, = self.printed("logged cabal-sinkhole 7200")
        self.assertEqual(proof.splitlines()[-1], "1 accepted once, 0 lost, 0 duplicated")
        with open(os.path.join(self.scratch, "timeline.svg"), encoding="utf-8") as file:
            self.assertIn("1 accepted once, 0 lost", file.read())

    def test_6_the_mode_is_defer_again(self):
        self.assertEqual(self.lab.aws("ssm", "get-parameter", "--name", "/cabal/sinkhole_mode",
                                      "--query", "Parameter.Value", "--output", "text"), "defer\n")


if __name__ == "__main__":
    tap.main()
