#!/usr/bin/env python3
"""The pool of workers: growth, replacement, throttling, and the 421 beyond its maximum."""

import os
import random
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import limits  # noqa: E402
import mailer  # noqa: E402
import procfs  # noqa: E402
import tap  # noqa: E402
from mailer import Client  # noqa: E402
from sinkhole import Daemon, wait_for  # noqa: E402


def close_all(clients):
    for client in clients:
        client.close()


class Size(unittest.TestCase):
    def test_grows_to_200_clients_and_shrinks_again(self):
        with Daemon("bounce", workers="4..256") as daemon:
            clients = [Client(daemon.port, greeting=None) for _ in range(200)]
            self.addCleanup(close_all, clients)
            for client in clients:
                client.expect(220)
            for client in clients:
                client.hello().mail(code=550)
            daemon.wait_status(lambda s: s["workers"]["now"] >= 200
                               and s["workers"]["busy"] == 200, "200 busy workers")
            for client in clients:
                client.command("QUIT", 221)
                self.assertTrue(client.at_end())
            daemon.wait_event("session", count=200, end="quit")
            daemon.wait_status(lambda s: s["workers"]["now"] <= 8, "the pool is small again",
                               patience=120)  # an eighth of the spare ones leave each second
            self.assertEqual(daemon.find("worker_died"), [])

    def test_never_below_its_minimum(self):
        with Daemon(workers="6..6") as daemon:
            daemon.wait_status(lambda s: s["workers"]["idle"] == 6, "six idle workers")
            self.assertEqual(len(daemon.workers()), 6)

    def test_421_beyond_the_maximum(self):
        with Daemon(workers="2..3") as daemon:
            held = [Client(daemon.port) for _ in range(3)]
            self.addCleanup(close_all, held)
            begin = time.monotonic()
            with Client(daemon.port, greeting=421) as refused:
                self.assertIn("4.3.2", refused.greeting)
                self.assertTrue(refused.at_end())
            self.assertLess(time.monotonic() - begin, 10)
            self.assertGreaterEqual(daemon.wait_event("refused")["clients"], 1)
            held[0].command("QUIT", 221)
            wait_for(lambda: self.served(daemon), "a place is free again")
            for client in held[1:]:
                client.command("NOOP", 250)
            self.assertGreaterEqual(daemon.status()["counters"]["refused"], 1)

    def test_421_at_once_when_all_are_in_the_middle_of_a_session(self):
        with Daemon(workers="3..3") as daemon:
            took = []
            for _ in range(20):
                held = [Client(daemon.port) for _ in range(3)]
                begin = time.monotonic()
                with Client(daemon.port, greeting=421) as refused:
                    took.append(time.monotonic() - begin)
                    self.assertTrue(refused.at_end())
                for client in held:
                    client.command("QUIT", 221)
                    client.close()
                daemon.wait_status(lambda s: s["workers"]["idle"] == 3, "all are free again")
            print(f"# refused after {min(took) * 1000:.1f} to {max(took) * 1000:.1f} ms")
            self.assertLess(sorted(took)[10], 0.1, "half of them: a busy machine may be slow")

    def greeting_beside_one_at_its_end(self, daemon):
        """For up to 4 s the only worker waits for a client that it has told 421."""
        daemon.wait_status(lambda s: s["workers"]["idle"] == 1, "the worker is free")
        with Client(daemon.port).hello() as ending:
            ending.mail(code=421)
            with Client(daemon.port, greeting=None) as late:
                return late.reply()[0]

    def test_421_while_those_at_their_end_take_long(self):
        with Daemon("defer", workers="1..1") as daemon:
            wait_for(lambda: self.greeting_beside_one_at_its_end(daemon) == 421,
                     "refused, unless the machine stood still for seconds")

    def test_a_master_without_descriptors_rests(self):
        """It cannot take a client to refuse him, or cannot even wait for as many descriptors."""
        for few in (4, 3):
            with Daemon(workers="1..1") as daemon, Client(daemon.port):
                old = limits.limit(daemon.pid, "nofile", few)
                begin = procfs.cpu_s(daemon.pid)
                with Client(daemon.port, greeting=None) as late:
                    time.sleep(1)
                    self.assertLess(procfs.cpu_s(daemon.pid) - begin, 0.1)
                    limits.limit(daemon.pid, "nofile", old)
                    late.expect(421)

    def test_no_421_for_who_comes_again_when_told_goodbye(self):
        """Its worker may not be done with the session's end, and be slow with its log."""
        with Daemon(workers="2..2", stdout=subprocess.DEVNULL) as daemon, Client(daemon.port):
            for _ in range(200):
                with Client(daemon.port) as client:
                    client.command("QUIT", 221)
            self.assertEqual(daemon.status()["counters"]["refused"], 0)

    def test_no_421_while_nobody_reads_the_log(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        os.set_blocking(writer, False)
        with Daemon(workers="2..2", stdout=writer) as daemon, Client(daemon.port):
            while True:
                try:
                    os.write(writer, b"x" * 4096)
                except BlockingIOError:
                    break
            os.close(writer)
            for _ in range(50):
                with Client(daemon.port) as client:
                    client.command("QUIT", 221)
            self.assertEqual(daemon.status()["counters"]["refused"], 0)
            self.assertGreater(daemon.status()["log_dropped"], 0)

    def served(self, daemon):
        with Client(daemon.port, greeting=None) as client:
            return client.reply()[0] == 220

    def test_check_is_healthy_when_all_are_busy(self):
        with Daemon(workers="1..1") as daemon, Client(daemon.port):
            result = daemon.ctl("check")
            self.assertEqual(result.returncode, 0, result.stderr)


class Deaths(unittest.TestCase):
    def test_40_sessions_5_killed_the_others_go_on(self):
        with Daemon("bounce", workers="48..64") as daemon:
            clients = [Client(daemon.port).hello() for _ in range(40)]
            self.addCleanup(close_all, clients)
            workers = daemon.ctl_json("workers")
            self.assertEqual(sum(w["client"] is not None for w in workers), 40)
            victims = random.sample(workers, 5)
            lost = sum(w["client"] is not None for w in victims)
            for worker in victims:
                procfs.kill(worker["pid"])
            begin = time.monotonic()
            daemon.wait_status(lambda s: s["workers"]["deaths"] == 5 and
                               s["workers"]["busy"] + s["workers"]["idle"] >= 48,
                               "the pool is whole again")
            self.assertLess(time.monotonic() - begin, 5, "generous for: within a second")
            for worker in victims:
                daemon.wait_event("worker_died", pid=worker["pid"], signal=signal.SIGKILL)
            daemon.set_mode("accept")
            answers = [self.answer(client) for client in clients]
            self.assertEqual((answers.count(250), answers.count(None)), (40 - lost, lost))
            self.assertEqual(daemon.status()["workers"]["deaths"], 5)

    def answer(self, client):
        try:
            client.send("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\n")
            return client.reply()[0] and client.reply()[0]
        except ConnectionError:
            return None

    def test_idle_worker_is_replaced(self):
        with Daemon(workers="4..8") as daemon:
            before = daemon.workers()
            victim = before[0]
            procfs.kill(victim)
            daemon.wait_event("worker_died", pid=victim, slot=0)
            wait_for(lambda: len(daemon.workers()) >= 4 and victim not in
                     daemon.workers().values(), "a worker in its place")
            self.assertEqual(mailer.swaks(daemon).returncode, 24)

    def test_workers_that_have_died_do_not_count_as_idle(self):
        with Daemon("accept", workers="4..64") as daemon:
            first = [Client(daemon.port).hello() for _ in range(30)]
            close_all(first)
            daemon.wait_status(lambda s: s["workers"]["idle"] >= 30, "30 idle workers")
            for pid in daemon.workers().values():
                procfs.kill(pid)
            second = [Client(daemon.port).hello() for _ in range(40)]
            self.addCleanup(close_all, second)
            self.assertEqual(daemon.status()["workers"]["busy"], 40)

    def test_a_stopped_worker_harms_nobody_else(self):
        with Daemon("accept", workers="4..16") as daemon:
            with Client(daemon.port).hello() as held:
                pid = next(w["pid"] for w in daemon.ctl_json("workers") if w["client"])
                os.kill(pid, signal.SIGSTOP)
                try:
                    for _ in range(10):
                        self.assertEqual(mailer.swaks(daemon).returncode, 0)
                finally:
                    os.kill(pid, signal.SIGCONT)
                held.command("NOOP", 250)

    def test_early_deaths_are_throttled(self):
        with Daemon(workers="4..4") as daemon:
            killed = set()

            def massacre():
                for pid in procfs.tree(daemon.pid):
                    if pid not in killed and pid != daemon.status()["refresher"]:
                        killed.add(pid)
                        procfs.kill(pid)
                return daemon.find("throttled")
            event = wait_for(massacre, "the master throttles")[0]
            self.assertGreater(event["for_ms"], 0)
            self.assertGreater(event["early_deaths"], 0)
            daemon.wait_status(lambda s: s["workers"]["idle"] == 4, "the pool is whole again")
            self.assertEqual(mailer.swaks(daemon).returncode, 24)


class Relatives(unittest.TestCase):
    def test_refresher_is_started_again_and_the_mode_flips(self):
        with Daemon("defer") as daemon:
            victim = daemon.status()["refresher"]
            procfs.kill(victim)
            daemon.wait_event("refresher_died", pid=victim, signal=signal.SIGKILL)
            self.assertEqual(mailer.swaks(daemon).returncode, 24)
            daemon.wait_status(lambda s: s["refresher"] not in (0, victim), "another refresher")
            daemon.set_mode("accept")
            self.assertEqual(mailer.swaks(daemon).returncode, 0)

    def test_a_mode_that_was_set_while_no_refresher_ran(self):
        with Daemon("defer") as daemon:
            procfs.kill(daemon.status()["refresher"])
            daemon.write_mode("accept")
            daemon.wait_event("mode", mode="accept")

    def test_without_the_master_all_leave(self):
        with Daemon("accept", workers="8..16") as daemon:
            with Client(daemon.port).hello() as held:
                tree = procfs.tree(daemon.pid)
                self.assertGreaterEqual(len(tree), 9)
                procfs.kill(daemon.pid)
                daemon.process.wait()
                self.assertEqual(held.reply()[0], 421)
                wait_for(lambda: not any(procfs.alive(pid) for pid in tree), "all have left")

    def test_without_the_master_busy_ones_leave_too(self):
        """Each is about to wait for its client when the one signal comes."""
        with Daemon("accept", workers="40..64") as daemon:
            clients = [Client(daemon.port).hello() for _ in range(40)]
            self.addCleanup(close_all, clients)
            tree = procfs.tree(daemon.pid)
            for client in clients:
                client.send("NOOP\r\n")
            procfs.kill(daemon.pid)
            daemon.process.wait()
            for client in clients:
                codes = [client.reply()[0], client.reply()[0]]
                self.assertIn(codes, ([250, 421], [421, None]))
            wait_for(lambda: not any(procfs.alive(pid) for pid in tree), "all have left")

    def test_a_new_master_takes_over_what_a_killed_one_left(self):
        with Daemon("accept") as first:
            self.assertEqual(mailer.swaks(first).returncode, 0)
            procfs.kill(first.pid)
            first.process.wait()
            wait_for(lambda: not first.left(), "the rest has left")
            with Daemon("accept", run_dir=first.run_dir) as second:
                self.assertEqual(mailer.swaks(second).returncode, 0)
                self.assertEqual(second.status()["counters"]["messages"], 2)

    def test_a_new_master_may_start_while_a_killed_one_was_making_workers(self):
        """What was forked a moment ago holds nothing that keeps the next one out."""
        with Daemon(workers="64..64") as daemon:
            for pause in range(20):
                procfs.kill(daemon.pid)
                daemon.process.wait()
                daemon.start(wait=False)
                wait_for(lambda: procfs.tree(daemon.pid), "it has children")
                time.sleep(pause / 2000)
            daemon.wait_ready()

    def test_what_outlives_a_killed_master_does_not_count_as_idle(self):
        """Its workers end their transactions beside their successors, and leave no trace that
        would keep the new pool from growing."""
        with Daemon("accept", workers="4..64") as first:
            old = [Client(first.port).hello() for _ in range(30)]
            self.addCleanup(close_all, old)
            for client in old:
                client.mail()
                client.command("DATA", 354)
            procfs.kill(first.pid)
            first.process.wait()
            with Daemon("accept", run_dir=first.run_dir, workers="4..64") as second:
                for client in old:
                    client.send(mailer.MESSAGE.format("old") + ".\r\n")
                    client.expect(250)
                    client.expect(421)
                    client.close()
                new = [Client(second.port).hello() for _ in range(40)]
                self.addCleanup(close_all, new)
                self.assertEqual(second.status()["workers"]["busy"], 40)


if __name__ == "__main__":
    tap.main()
