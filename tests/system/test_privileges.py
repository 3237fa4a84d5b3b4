#!/usr/bin/env python3
"""What the processes may do and what they hold, as /proc shows it."""

import os
import pwd
import random
import re
import signal
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import mailer  # noqa: E402
import procfs  # noqa: E402
import tap  # noqa: E402
from sinkhole import BUILD, Daemon, program, run  # noqa: E402

ROOT = os.geteuid() == 0
SANITIZED = "asan" in os.path.basename(BUILD)
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapAmb")
SECRETS = {"AWS_ACCESS_KEY_ID": "AKIDTESTTESTTEST", "AWS_SECRET_ACCESS_KEY": "s3cr3t-t3st-k3y",
           "AWS_SESSION_TOKEN": "t0k3n-t3st-t0k3n", "AWS_PROFILE": "profile-of-test",
           "AWS_CONTAINER_AUTHORIZATION_TOKEN": "c0ntainer-t3st-t0k3n"}


def needs_root(test):
    return unittest.skipUnless(ROOT, "only root may look into these processes")(test)


def free_low_port():
    for port in random.sample(range(600, 1024), 50):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port below 1024")


@needs_root
class Started(unittest.TestCase):
    def everybody(self, daemon):
        """Its processes, by what they are."""
        status = daemon.status()
        return {"master": [status["master"]], "refresher": [status["refresher"]],
                "worker": list(daemon.workers().values())}

    def check_user(self, daemon, uid, gid):
        for kind, pids in self.everybody(daemon).items():
            for pid in pids:
                with self.subTest(kind):
                    status = procfs.status(pid)
                    self.assertEqual(status["Uid"].split(), [str(uid)] * 4)
                    self.assertEqual(status["Gid"].split(), [str(gid)] * 4)
                    self.assertEqual(status["Groups"], "")

    def test_by_root_it_serves_as_nobody(self):
        nobody = pwd.getpwnam("nobody")
        with Daemon() as daemon:
            self.check_user(daemon, nobody.pw_uid, nobody.pw_gid)

    def test_user_by_number(self):
        with Daemon(args=["--user", "4711:4712"]) as daemon:
            self.check_user(daemon, 4711, 4712)
            self.assertEqual(os.stat(daemon.run_dir).st_uid, 4711)
            self.assertEqual(mailer.swaks(daemon).returncode, 24)

    def test_as_root_only_when_told(self):
        with Daemon(args=["--allow-root"]) as daemon:
            self.check_user(daemon, 0, 0)
        for user in ("root", "0"):
            result = run(program("sinkholed"), "--user", user, "--bind-port", "0")
            self.assertEqual(result.returncode, 100, result.stderr)
            self.assertIn("--allow-root", result.stderr)

    def test_unknown_user_is_refused(self):
        result = run(program("sinkholed"), "--user", "no-such-user", "--bind-port", "0")
        self.assertEqual(result.returncode, 100)
        self.assertIn("no-such-user", result.stderr)

    def test_nobody_has_a_capability(self):
        with Daemon() as daemon:
            for kind, pids in self.everybody(daemon).items():
                for pid in pids:
                    with self.subTest(kind):
                        status = procfs.status(pid)
                        self.assertEqual({status[c] for c in CAPABILITIES}, {"0" * 16})
                        self.assertEqual(status["CapBnd"], "0" * 16)

    def test_workers_of_root_are_confined_too(self):
        with Daemon(args=["--allow-root"]) as daemon:
            for pid in daemon.workers().values():
                status = procfs.status(pid)
                self.assertEqual({status[c] for c in CAPABILITIES}, {"0" * 16})
                self.assertEqual(status["NoNewPrivs"], "1")

    def test_nobody_keeps_roots_groups(self):
        with Daemon(extra_groups=[0, 4]) as daemon:
            for kind, pids in self.everybody(daemon).items():
                for pid in pids:
                    with self.subTest(kind):
                        self.assertEqual(procfs.status(pid)["Groups"], "")

    def test_workers_cannot_write_what_is_published(self):
        with Daemon() as daemon:
            for pid in daemon.workers().values():
                board = [line.split()[1] for line in procfs.read(pid, "maps").decode().splitlines()
                         if line.endswith("/board")]
                self.assertEqual((board[0], set(board[1:])), ("r--s", {"rw-s"}))

    def test_a_terminals_interrupt_is_the_masters_business(self):
        with Daemon(workers="4..4") as daemon:
            before = daemon.workers()
            for pid in before.values():
                procfs.kill(pid, signal.SIGINT)
                procfs.kill(pid, signal.SIGHUP)
            self.assertEqual(mailer.swaks(daemon).returncode, 24)
            self.assertEqual(daemon.workers(), before)
            self.assertEqual(daemon.find("worker_died"), [])

    def test_workers_gain_nothing_by_exec(self):
        with Daemon() as daemon:
            for pid in daemon.workers().values():
                self.assertEqual(procfs.status(pid)["NoNewPrivs"], "1")

    def test_a_port_below_1024(self):
        port = free_low_port()
        with Daemon(args=["--bind-port", str(port)]) as daemon:
            self.assertEqual(daemon.port, port)
            self.assertEqual(mailer.swaks(daemon).returncode, 24)


@needs_root
class Held(unittest.TestCase):
    def test_workers_hold_few_descriptors(self):
        with Daemon() as daemon:
            for pid in daemon.workers().values():
                held = procfs.descriptors(pid)
                kinds = [re.sub(r"\d+|\[.*\]", "", path) for path in held.values()]
                self.assertEqual(held[0], "/dev/null")
                self.assertLessEqual(len(held), 9, held)
                self.assertEqual(kinds.count("socket:"), 1, f"the listener alone: {held}")
                files = [p for p in held.values() if p.startswith("/") and
                         not p.startswith("/dev/null") and not p.endswith("/stderr")]
                self.assertEqual(files, [], held)

    def test_workers_inherit_nothing_from_who_started_it(self):
        read_end, write_end = os.pipe()
        try:
            with Daemon(pass_fds=[read_end, write_end]) as daemon:
                pipe = os.readlink(f"/proc/self/fd/{read_end}")
                for pid in daemon.workers().values():
                    self.assertNotIn(pipe, procfs.descriptors(pid).values())
        finally:
            os.close(read_end)
            os.close(write_end)

    def test_no_descriptor_leaks_from_session_to_session(self):
        with Daemon("accept", workers="1..1") as daemon:
            pid = daemon.workers()[0]
            mailer.swaks(daemon)
            before = len(procfs.descriptors(pid))
            for _ in range(20):
                self.assertEqual(mailer.swaks(daemon).returncode, 0)
            daemon.wait_status(lambda s: s["workers"]["idle"] == 1, "it is idle")
            self.assertEqual(len(procfs.descriptors(pid)), before)

    def test_credentials_are_the_refreshers_alone(self):
        with Daemon(env={**SECRETS, "AWS_REGION": "eu-test-1"}) as daemon:
            status = daemon.status()
            for pid in [status["master"], *daemon.workers().values(), status["refresher"]]:
                names = procfs.environment(pid)
                self.assertEqual(names & set(SECRETS), set())
                self.assertNotIn(b"t3st", procfs.read(pid, "cmdline"))
                self.assertNotIn(b"s3cr3t", procfs.read(pid, "environ"))
            daemon.stop()
            self.assertNotIn(b"t3st", b"".join(daemon.lines))


@needs_root
class Memory(unittest.TestCase):
    @unittest.skipIf(SANITIZED, "sanitizers have their own memory")
    def test_32_idle_workers_share_nearly_everything(self):
        with Daemon(workers="32..32") as daemon:
            daemon.wait_status(lambda s: s["workers"]["idle"] == 32, "32 idle workers")
            tree = [daemon.pid, *procfs.tree(daemon.pid)]
            self.assertEqual(len(tree), 34)
            total = sum(procfs.pss_kb(pid) for pid in tree)
            print(f"# PSS of master, refresher and 32 idle workers: {total} kB")
            self.assertLess(total, 10 * 1024)


class Refused(unittest.TestCase):
    def test_prod_in_any_form(self):
        for name in ("prod", "PROD", "Prod", "production"):
            for how in ({"env": {"SINKHOLE_ENVIRONMENT": name}}, {"args": (name,)}):
                args = ("--environment", *how["args"]) if "args" in how else ()
                result = run(program("sinkholed"), "--bind-port", "0", *args,
                             env=how.get("env"))
                self.assertEqual(result.returncode, 100)
                self.assertEqual(result.stdout, "")
                self.assertEqual(len(result.stderr.splitlines()), 1)
                self.assertIn("prod", result.stderr)

    def test_other_environments_are_served(self):
        with Daemon(env={"SINKHOLE_ENVIRONMENT": "stage"}) as daemon:
            self.assertEqual(mailer.swaks(daemon).returncode, 24)


if __name__ == "__main__":
    tap.main()
