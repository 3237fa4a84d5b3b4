#!/usr/bin/env python3
"""sinkholectl: what it shows, what it changes, and what it says when it cannot."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import mailer  # noqa: E402
import procfs  # noqa: E402
import tap  # noqa: E402
from mailer import Client  # noqa: E402
from sinkhole import REPO, Daemon, clean_environment, program, run, wait_for  # noqa: E402

MODES = ["defer", "bounce", "accept", "accept-log", "greylist"]


class Mode(unittest.TestCase):
    def test_shows_mode_source_and_age(self):
        with Daemon("bounce") as daemon:
            shown = daemon.ctl("mode").stdout
            self.assertRegex(shown, r"^mode +bounce, for \d+ (ms|s)\n")
            self.assertIn(f"file:{daemon.mode_file}, read", shown)
            data = daemon.ctl_json("mode")
            self.assertEqual((data["mode"], data["valid"], data["running"]),
                             ("bounce", True, True))
            self.assertGreaterEqual(data["served_for_ms"], 0)

    def test_set_every_mode(self):
        with Daemon("defer") as daemon:
            for mode in MODES[1:] + MODES[:1]:
                result = daemon.ctl("mode", "set", mode, "--wait")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertRegex(result.stdout, rf"^{mode} is served after \d+ m?s\n$")
                self.assertEqual(daemon.ctl_json("mode")["mode"], mode)

    def test_set_what_is_served_already(self):
        with Daemon("accept") as daemon:
            for _ in range(3):
                self.assertEqual(daemon.ctl("mode", "set", "accept", "--wait").returncode, 0)

    def test_set_json(self):
        with Daemon("accept") as daemon:
            data = json.loads(daemon.ctl("mode", "set", "bounce", "--wait", "--json").stdout)
            self.assertEqual((data["mode"], data["served"]), ("bounce", True))

    def test_no_mode_is_refused_and_nothing_changes(self):
        with Daemon("accept") as daemon:
            for value in ("bogus", "", "accept defer", "acc\nept"):
                result = daemon.ctl("mode", "set", value)
                self.assertEqual(result.returncode, 100)
                for mode in MODES:
                    self.assertRegex(result.stderr, rf"\n  {mode} ")
            with open(daemon.mode_file, encoding="utf-8") as file:
                self.assertEqual(file.read(), "accept\n")

    def test_wait_that_times_out(self):
        with Daemon("accept") as daemon:
            os.kill(daemon.status()["refresher"], signal.SIGSTOP)
            result = daemon.ctl("mode", "set", "bounce", "--wait", "--timeout", "0.3")
            os.kill(daemon.status()["refresher"], signal.SIGCONT)
            self.assertEqual(result.returncode, 99)
            self.assertIn("accept is still served", result.stderr)
            daemon.wait_event("mode", mode="bounce")

    def test_wait_for_a_source_that_the_daemon_does_not_read(self):
        with Daemon("accept") as daemon:
            other = os.path.join(daemon.dir, "other")
            result = daemon.ctl("mode", "set", "bounce", "--wait", "--mode-source",
                                f"file:{other}")
            self.assertEqual(result.returncode, 100)
            self.assertIn("nothing was changed", result.stderr)
            self.assertFalse(os.path.exists(other))


class Refresh(unittest.TestCase):
    def test_fetches_and_shows(self):
        with Daemon("accept") as daemon:
            before = daemon.status()["mode"]["fetches"]
            result = daemon.ctl("refresh")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("accept", result.stdout)
            self.assertGreater(daemon.status()["mode"]["fetches"], before)

    def test_failure_is_said(self):
        with Daemon("accept") as daemon:
            os.unlink(daemon.mode_file)
            result = daemon.ctl("refresh")
            self.assertEqual(result.returncode, 111)
            self.assertRegex(result.stdout, r"failing for .*ENOENT")

    def test_time_out(self):
        with Daemon("accept") as daemon:
            refresher = daemon.status()["refresher"]
            os.kill(refresher, signal.SIGSTOP)
            result = daemon.ctl("refresh", "--timeout", "200ms")
            os.kill(refresher, signal.SIGCONT)
            self.assertEqual(result.returncode, 99)
            self.assertIn("200 ms", result.stderr)

    def test_without_a_daemon_once(self):
        with tempfile.TemporaryDirectory() as home:
            run_dir, path = os.path.join(home, "run"), os.path.join(home, "mode")
            with open(path, "w", encoding="utf-8") as file:
                file.write("greylist\n")
            result = run(program("sinkholectl"), "-d", run_dir, "refresh", "--mode-source",
                         f"file:{path}", "--json")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(json.loads(result.stdout)["mode"], "greylist")


class Status(unittest.TestCase):
    def test_page(self):
        with Daemon("defer") as daemon:
            mailer.swaks(daemon)
            wait_for(lambda: daemon.status()["counters"]["sessions"] == 1
                     and daemon.status()["workers"]["busy"] == 0, "the session is over")
            page = daemon.ctl("status").stdout
            for row in (r"daemon +running for .*, process %d$" % daemon.pid,
                        r"refresher +running, process \d+$",
                        rf"listening +127\.0\.0\.1:{daemon.port}$",
                        r"greets as +sinkhole\.cabal\.internal$", r"mode +defer, for ",
                        r"source +file:", r"workers +\d+ of 4 to 64: \d+ idle, 0 busy$",
                        r"greylist +0 client addresses$", r"log +0 lines dropped$",
                        r"deferred +1\b"):
                self.assertRegex(page, re.compile("^.*" + row, re.MULTILINE))
            self.assertNotIn("\033", page)

    def test_labels_stand_in_one_column(self):
        with Daemon("defer") as daemon:
            block = daemon.ctl("status").stdout.split("\n\n")[0]
            self.assertEqual({len(re.match(r"([a-z ]{10}) \S", line).group(1))
                              for line in block.splitlines()}, {10})

    def test_busy_worker_shows_its_client(self):
        with Daemon("accept") as daemon, Client(daemon.port).hello() as client:
            client.mail()
            client.command("DATA", 354)
            row = wait_for(lambda: next((w for w in daemon.ctl_json("workers")
                                         if w["state"] == "data"), None), "a worker in DATA")
            self.assertEqual(row["client"], "127.0.0.1")
            table = daemon.ctl("workers").stdout
            self.assertRegex(table, rf"\n +{row['slot']} +{row['pid']} +data +.* 127\.0\.0\.1\n")
            self.assertEqual(daemon.status()["workers"]["data"], 1)

    def test_counters_add_up(self):
        with Daemon("bounce") as daemon:
            for _ in range(3):
                mailer.swaks(daemon)
            daemon.wait_event("session", count=3)
            wait_for(lambda: daemon.status()["counters"]["sessions"] == 3, "three sessions")
            counters = daemon.status()["counters"]
            self.assertEqual((counters["recipients"], counters["rejected"]), (3, 3))

    def test_stopped_daemon(self):
        with Daemon("accept") as daemon:
            daemon.stop()
            self.assertRegex(daemon.ctl("status").stdout, r"^daemon +not running")
            self.assertFalse(daemon.status()["running"])
            self.assertIn("no daemon runs", daemon.ctl("workers").stdout)

    def on_a_terminal(self, daemon, **env):
        ours, theirs = pty.openpty()
        with subprocess.Popen([program("sinkholectl"), "--run-dir", daemon.run_dir, "status"],
                              stdout=theirs, env=clean_environment({"TERM": "xterm", **env})):
            os.close(theirs)
            text = b""
            try:
                while chunk := os.read(ours, 65536):
                    text += chunk
            except OSError:
                pass  # a terminal whose last writer has gone
        os.close(ours)
        return text

    def test_colour_on_a_terminal_alone(self):
        with Daemon("accept") as daemon:
            self.assertIn(b"\033[", self.on_a_terminal(daemon, NO_COLOR=""))
            self.assertNotIn(b"\033[", self.on_a_terminal(daemon, NO_COLOR="1"))
            self.assertNotIn(b"\033[", self.on_a_terminal(daemon, TERM="dumb"))


class Check(unittest.TestCase):
    def sick(self, daemon, words):
        def look():
            result = daemon.ctl("check")
            self.assertIn(result.returncode, (0, 1))
            return result if result.returncode == 1 else None
        result = wait_for(look, "it is not healthy")
        self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertIn(words, result.stderr)

    def test_healthy_and_quick(self):
        with Daemon() as daemon:
            times = []

            def look():
                begin = time.monotonic()
                result = daemon.ctl("check")
                times.append(time.monotonic() - begin)
                return (result.returncode, result.stdout, result.stderr) == (0, "", "")
            # A machine that is busy enough keeps a connection waiting for its two seconds.
            for _ in range(5):
                wait_for(look, "it is healthy, and silent about it")
            self.assertLess(min(times), 1)

    def test_no_daemon(self):
        with Daemon() as daemon:
            daemon.stop()
            self.sick(daemon, "no daemon runs")

    def test_no_board(self):
        with tempfile.TemporaryDirectory() as home:
            result = run(program("sinkholectl"), "--run-dir", home, "check")
            self.assertEqual(result.returncode, 1)
            self.assertEqual(len(result.stderr.splitlines()), 1)

    def test_killed_master(self):
        with Daemon() as daemon:
            procfs.kill(daemon.pid)
            daemon.process.wait()
            self.sick(daemon, "no daemon runs")

    def test_stopped_refresher_is_replaced_or_missed(self):
        with Daemon() as daemon:
            os.kill(daemon.pid, signal.SIGSTOP)
            refresher = daemon.status()["refresher"]
            procfs.kill(refresher)
            wait_for(lambda: not procfs.alive(refresher), "the refresher has ended")
            result = daemon.ctl("check")
            os.kill(daemon.pid, signal.SIGCONT)
            self.assertIn(result.returncode, (0, 1))
            wait_for(lambda: daemon.ctl("check").returncode == 0, "it is healthy again")

    def test_listener_that_does_not_answer(self):
        with Daemon(workers="1..1") as daemon:
            pids = [daemon.pid, *daemon.workers().values()]
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            try:
                result = daemon.ctl("check")
            finally:
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
            self.assertEqual(result.returncode, 1)
            self.assertIn("no greeting within 2 s", result.stderr)


class NoDaemon(unittest.TestCase):
    """On a laptop: no daemon, no board."""

    def setUp(self):
        self.home = tempfile.TemporaryDirectory()
        self.addCleanup(self.home.cleanup)

    def ctl(self, *args, **more):
        return run(program("sinkholectl"), "--run-dir", os.path.join(self.home.name, "none"),
                   *args, **more)

    def test_clear_answers(self):
        for args, words in [(["status"], "no daemon has run here"), (["workers"], "no daemon runs"),
                            (["greylist", "list"], "empty"), (["greylist", "clear"], "forgot 0"),
                            (["status", "--json"], '{"running":false}'),
                            (["workers", "--json"], "[]"), (["greylist", "list", "--json"], "[]")]:
            with self.subTest(args):
                result = self.ctl(*args)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn(words, result.stdout)

    def test_mode_of_a_file(self):
        path = os.path.join(self.home.name, "mode")
        result = self.ctl("mode", "set", "accept", "--mode-source", f"file:{path}")
        self.assertEqual(result.returncode, 0, result.stderr)
        result = self.ctl("--mode-source", f"file:{path}", "mode", "--json")
        self.assertEqual(json.loads(result.stdout),
                         {"mode": "accept", "value": "accept", "valid": True,
                          "source": f"file:{path}", "version": 0, "running": False})

    def test_mode_of_nothing(self):
        result = self.ctl("mode")
        self.assertEqual(result.returncode, 111)
        self.assertIn("No such file", result.stderr)
        self.assertIn("No daemon runs here", result.stderr)

    def test_wait_without_anybody_to_wait_for(self):
        path = os.path.join(self.home.name, "mode")
        result = self.ctl("mode", "set", "accept", "--wait", "--mode-source", f"file:{path}")
        self.assertEqual(result.returncode, 111)
        self.assertFalse(os.path.exists(path))

    def test_a_board_that_is_none(self):
        with open(os.path.join(self.home.name, "board"), "w", encoding="utf-8") as file:
            file.write("not a board")
        result = run(program("sinkholectl"), "--run-dir", self.home.name, "status")
        self.assertEqual(result.returncode, 111)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)


@unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
class Stranger(unittest.TestCase):
    """A user who is neither root nor the one whom the daemon serves as."""

    def test_may_look_and_not_touch(self):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as home:
            os.chmod(home, 0o755)
            run_dir = os.path.join(home, "run")
            with Daemon("accept", source="file", run_dir=run_dir) as daemon:
                for args, status, words in [
                        (["status"], 0, "daemon     running"), (["workers"], 0, "idle"),
                        (["mode"], 0, "mode "),
                        (["mode", "set", "accept"], 111, "cannot write"),
                        (["refresh"], 111, "be root, or the daemon's user"),
                        (["greylist", "list"], 111, "be root, or the daemon's user"),
                        (["greylist", "clear"], 111, "be root, or the daemon's user")]:
                    with self.subTest(args):
                        result = daemon.ctl(*args, user=4713, group=4713, extra_groups=[])
                        self.assertEqual(result.returncode, status, result.stderr)
                        self.assertIn(words, result.stdout + result.stderr)
                        self.assertEqual(len(result.stderr.splitlines()), int(status != 0))
                wait_for(lambda: daemon.ctl("check", user=4713, group=4713,
                                            extra_groups=[]).returncode == 0, "it is healthy")


class CommandLine(unittest.TestCase):
    def test_bad_input_gets_one_line(self):
        for args, words in [([], "a command is missing"), (["bogus"], "'bogus' is no command"),
                            (["greylist"], "usage"), (["greylist", "shred"], "list, clear"),
                            (["status", "extra"], "usage"), (["check", "--json"], "no --json"),
                            (["mode", "--wait"], "--wait"),
                            (["mode", "get"], "mode set VALUE"),
                            (["mode", "accept"], "mode set accept"),
                            (["mode", "set"], "greylist"),
                            (["mode", "set", "accept", "now"], "'now'"),
                            (["status", "extra"], "'extra'"),
                            (["status", "--json=perhaps"], "--json: 'perhaps'"),
                            (["mode", "set", "accept", "-s", "file:here"], "absolute"),
                            (["mode", "set", "accept", "-s", "web:/x"], "file:/PATH"),
                            (["mode", "set", "accept", "-s", "static:defer"], "cannot be changed"),
                            (["status", "--bogus"], "--bogus"),
                            (["refresh", "--timeout", "never"], "never"),
                            (["status", "--run-dir", "here"], "absolute")]:
            with self.subTest(args):
                result = run(program("sinkholectl"), *args)
                self.assertEqual((result.returncode, result.stdout), (100, ""))
                self.assertEqual(len(result.stderr.splitlines()), 1)
                self.assertIn(words, result.stderr)

    def test_options_before_or_behind(self):
        with Daemon("accept") as daemon:
            ctl = program("sinkholectl")
            for args in (["-d", daemon.run_dir, "mode", "--json"],
                         ["mode", "--json", "--run-dir", daemon.run_dir],
                         ["--json", "mode", f"--run-dir={daemon.run_dir}"]):
                self.assertEqual(json.loads(run(ctl, *args).stdout)["mode"], "accept")
            env = {"SINKHOLE_RUN_DIR": "/nonexistent"}
            self.assertEqual(run(ctl, "-d", daemon.run_dir, "mode", env=env).returncode, 0)
            env = {"SINKHOLE_RUN_DIR": daemon.run_dir}
            self.assertIn("accept", run(ctl, "mode", env=env).stdout)

    def test_help_of_each_command(self):
        overview = run(program("sinkholectl"), "--help").stdout
        commands = re.findall(r"^  ([a-z]+) .*", overview.split("options")[0], re.MULTILINE)
        self.assertGreaterEqual(len(commands), 7)
        for command in commands:
            result = run(program("sinkholectl"), command, "--help")
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertTrue(result.stdout.startswith(f"usage: sinkholectl {command}"))
            self.assertLess(max(map(len, result.stdout.splitlines())), 100)

    def test_bash_completion(self):
        script = os.path.join(REPO, "etc", "completion", "sinkholectl.bash")
        for words, wanted in [(["st"], ["status"]), (["mode", "s"], ["set"]),
                              (["mode", "set", "acc"], ["accept", "accept-log"]),
                              (["greylist", ""], ["list", "clear", "--run-dir"]),
                              (["--json", "ref"], ["refresh"]),
                              (["-d", "/run/x", "mode", "set", "b"], ["bounce"]), (["refresh", "--t"], ["--timeout"])]:
            with self.subTest(words):
                quoted = " ".join(f"'{w}'" for w in ["sinkholectl", *words])
                result = run("bash", "-c", f"PATH='{os.path.dirname(program('x'))}':$PATH; "
                             f". '{script}'; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; "
                             '_sinkholectl; printf "%s\\n" "${COMPREPLY[@]}"')
                self.assertLessEqual(set(wanted), set(result.stdout.split()), result.stderr)


if __name__ == "__main__":
    tap.main()
