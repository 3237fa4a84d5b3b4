#!/usr/bin/env python3
"""A short run of the chaos with a seed of its own each time; `make chaos SEED=` repeats it."""

import importlib.machinery
import importlib.util
import os
import random
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]
import oracle  # noqa: E402
import quiet  # noqa: E402
import tap  # noqa: E402


def load_run():
    loader = importlib.machinery.SourceFileLoader("chaos_run", os.path.join(HERE, "run"))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("chaos_run", loader))
    loader.exec_module(module)
    return module


class Chaos(unittest.TestCase):
    def test_nothing_is_wrong(self):
        seed = random.SystemRandom().randrange(10**6)
        print(f"# seed {seed}", flush=True)
        wrong, said = load_run().run(seed, 12)
        print(f"# {said['sessions']} sessions, faults {said['faults']}", flush=True)
        self.assertEqual(wrong[:20], [], f"seed {seed}")


class TheOracle(unittest.TestCase):
    """It must be able to find fault."""

    def setUp(self):
        self.oracle = oracle.Oracle("defer")

    def judge(self, code, text, sent=None):
        now = oracle.time.monotonic()
        self.oracle.judge("RCPT", "127.0.0.1", now, sent or now, code, text)
        return bool(self.oracle.wrong)

    def test_the_mode_in_force_is_right(self):
        self.assertFalse(self.judge(421, "4.3.2 Service temporarily unavailable"))

    def test_another_mode_is_wrong(self):
        self.assertTrue(self.judge(250, "2.1.5 Recipient ok"))

    def test_while_a_change_is_under_way_both_are_right(self):
        self.oracle.written("bounce")
        self.assertFalse(self.judge(550, "5.1.1 User unknown"))
        self.assertFalse(self.judge(421, "4.3.2 Service temporarily unavailable"))

    def test_after_it_the_old_one_is_wrong(self):
        self.oracle.written("bounce")
        self.oracle.seen()
        self.assertTrue(self.judge(421, "4.3.2 Service temporarily unavailable"))

    def test_a_command_from_before_the_change_may_get_either(self):
        sent = oracle.time.monotonic()
        self.oracle.written("bounce")
        self.oracle.seen()
        self.assertFalse(self.judge(421, "4.3.2 Service temporarily unavailable", sent))

    def test_greylisted_twice_is_wrong(self):
        self.oracle = oracle.Oracle("greylist")
        self.assertFalse(self.judge(421, "4.7.1 Greylisted; try again later"))
        self.assertTrue(self.judge(421, "4.7.1 Greylisted; try again later"))

    def test_greylisted_again_after_the_window_is_right(self):
        self.oracle = oracle.Oracle("greylist")
        self.judge(421, "4.7.1 Greylisted; try again later")
        self.oracle.jumped(oracle.GREYLIST_WINDOW - oracle.BEHIND - 60)
        self.assertTrue(self.judge(421, "4.7.1 Greylisted; try again later"))
        self.oracle.wrong.clear()
        self.oracle.jumped(oracle.GREYLIST_WINDOW)
        self.assertFalse(self.judge(421, "4.7.1 Greylisted; try again later"))

    def test_a_stop_that_nobody_caused_is_wrong(self):
        self.assertTrue(self.judge(421, oracle.SHUTDOWN))

    def test_a_loss_takes_a_kill(self):
        self.oracle.killed("worker")
        self.oracle.session_lost(True)
        self.assertEqual(self.oracle.unexplained(), ([], []))
        self.oracle.session_lost(True)
        self.assertEqual(len(self.oracle.unexplained()[0]), 1)


if __name__ == "__main__":
    quiet.enter()
    tap.main()
