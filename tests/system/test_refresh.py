#!/usr/bin/env python3
"""sinkhole-refresh by itself: its errands, and what it promises to the daemon that starts it."""

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import aws  # noqa: E402
import httpd  # noqa: E402
import procfs  # noqa: E402
import sinkhole  # noqa: E402
import tap  # noqa: E402

NOBODY = 65534


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = self.enterContext(tempfile.TemporaryDirectory())
        os.chmod(self.dir, 0o755)
        self.run_dir = os.path.join(self.dir, "run")
        self.mode_file = os.path.join(self.dir, "mode")
        self.source = "file:" + self.mode_file

    def write(self, value):
        with open(self.mode_file, "w", encoding="utf-8") as file:
            file.write(value)

    def command(self, *words):
        return (sinkhole.program("sinkhole-refresh"), "--run-dir", self.run_dir, "--mode-source",
                self.source, *words)

    def run_it(self, *words, status=0):
        """Runs it to its end; its events."""
        result = sinkhole.run(*self.command(*words))
        self.assertEqual(result.returncode, status, result.stderr)
        self.stderr = result.stderr
        if status != 0:
            self.assertEqual(self.stderr.count("\n"), 1, "one line says why")
        return [json.loads(line) for line in result.stdout.splitlines()]

    def start(self, *words, **popen):
        process = subprocess.Popen(self.command(*words), stdout=subprocess.PIPE,
                                   env=sinkhole.clean_environment(), **popen)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, sinkhole.PATIENCE)
        self.addCleanup(process.kill)
        return process

    def event(self, process, name):
        """The next event, which has this name."""
        ready, _, _ = select.select([process.stdout], [], [], sinkhole.PATIENCE)
        self.assertTrue(ready, f"no {name}")
        event = json.loads(process.stdout.readline())
        self.assertEqual(event["event"], name, event)
        return event


class Errands(Case):
    def test_print(self):
        self.write("bounce\n")
        event, = self.run_it("--print")
        self.assertEqual((event["event"], event["mode"], event["valid"]),
                         ("fetched", "bounce", True))
        self.write("bouncy")
        event, = self.run_it("--print")
        self.assertEqual((event["value"], event["mode"], event["valid"]),
                         ("bouncy", "defer", False))
        self.assertFalse(os.path.exists(self.run_dir), "it needs no board")

    def test_print_without_a_file(self):
        self.run_it("--print", status=111)
        self.assertIn(self.mode_file, self.stderr)
        self.assertIn("(ENOENT)", self.stderr)

    def test_put(self):
        event, = self.run_it("--put", "accept")
        self.assertEqual((event["event"], event["value"]), ("stored", "accept"))
        with open(self.mode_file, encoding="utf-8") as file:
            self.assertEqual(file.read(), "accept\n")
        self.run_it("--put", "acept", status=100)
        self.assertIn("defer, bounce, accept, accept-log, greylist", self.stderr)
        self.source = "static:defer"
        self.run_it("--put", "accept", status=100)
        self.assertIn("cannot be changed", self.stderr)

    def names(self, *words, **more):
        return [event["event"] for event in self.run_it(*words, **more)]

    def test_once_goes_on_where_the_last_one_ended(self):
        self.run_it("--once", status=111)
        self.write("accept")
        self.assertEqual(self.names("--once"), ["source_recovered", "mode", "fetched"])
        self.assertEqual(self.names("--once"), ["fetched"])
        os.unlink(self.mode_file)
        self.assertEqual(self.names("--once", status=111), ["source_failed"])
        self.assertEqual(self.names("--once", status=111), [])
        status = json.loads(sinkhole.run(sinkhole.program("sinkholectl"), "--run-dir",
                                         self.run_dir, "status", "--json").stdout)
        self.assertEqual((status["mode"]["mode"], status["mode"]["fault"]["code"]),
                         ("accept", "ENOENT"))

    def test_once_beside_a_refresher(self):
        self.write("accept")
        self.event(self.start(), "mode")
        self.run_it("--once", status=99)
        self.assertIn("sinkholectl refresh", self.stderr)

    def test_once_waits_for_another(self):
        """As one-shot sessions that begin together start them together."""
        self.write("accept")
        self.run_it("--once")
        with open(os.path.join(self.run_dir, "refresh.lock"), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            free = threading.Timer(0.5, fcntl.flock, (lock, fcntl.LOCK_UN))
            free.start()
            self.addCleanup(free.join)
            self.run_it("--once")

    def test_bad_words(self):
        for words in (("--cache-ttl", "0"), ("--cache-ttl", "soon"), ("--what",), ("now",),
                      ("--run-dir", "relative")):
            self.run_it(*words, status=100)
        for self.source in ("nonsense", "file:relative", "static:deferr", "ssm:a b"):
            self.run_it("--print", status=100)


class Serving(Case):
    def test_signals(self):
        self.write("accept")
        process = self.start("--cache-ttl", "3600")
        self.assertEqual(self.event(process, "mode")["mode"], "accept")
        before = self.fetches()
        process.send_signal(signal.SIGHUP)
        sinkhole.wait_for(lambda: self.fetches() > before, "a fetch")
        process.terminate()
        self.assertEqual(process.wait(sinkhole.PATIENCE), 0)

    def fetches(self):
        result = sinkhole.run(sinkhole.program("sinkholectl"), "--run-dir", self.run_dir,
                              "status", "--json")
        return json.loads(result.stdout)["mode"]["fetches"]

    def test_one_at_a_time(self):
        self.write("accept")
        self.event(self.start(), "mode")
        self.run_it(status=111)
        self.assertIn(self.run_dir, self.stderr)

    def test_ready(self):
        """A newline and the end, when the first fetch is over, and not only in two seconds."""
        self.write("accept")
        times = [9]
        while min(times) > 1.5 and len(times) < 6:
            ours, theirs = os.pipe()
            begin = time.monotonic()
            process = self.start("--ready-fd", str(theirs), pass_fds=[theirs])
            os.close(theirs)
            with os.fdopen(ours, "rb") as pipe:
                self.assertEqual(pipe.read(), b"\n")
            times.append(time.monotonic() - begin)
            process.terminate()
            process.wait(sinkhole.PATIENCE)
        self.assertLess(min(times), 1.5)

    def test_ready_in_time(self):
        """The first fetch does not end; two seconds later that is no longer waited for."""
        proxy = aws.Proxy(0)
        proxy.set_fault(aws.silence(proxy))
        with proxy:
            env = {"AWS_ENDPOINT_URL_SSM": proxy.url, "AWS_REGION": "eu-west-1",
                   "AWS_ACCESS_KEY_ID": "K", "AWS_SECRET_ACCESS_KEY": "s"}
            self.source, ours = "ssm:/x", self.memory(env)
            ready, theirs = os.pipe()
            process = self.start("--env-fd", str(ours), "--ready-fd", str(theirs),
                                 pass_fds=[ours, theirs])
            os.close(theirs)
            with os.fdopen(ready, "rb") as pipe:
                self.assertEqual(pipe.read(), b"\n")
            process.terminate()
            self.assertEqual(process.wait(sinkhole.PATIENCE), 0, "it leaves in the middle of it")
            proxy.set_fault(None)

    def memory(self, env):
        """A descriptor with these variables, as the daemon hands them over."""
        fd = os.memfd_create("environment")
        os.write(fd, b"".join(f"{k}={v}\0".encode() for k, v in env.items()))
        self.addCleanup(os.close, fd)
        return fd

    def test_variables_by_descriptor(self):
        server = self.enterContext(httpd.Server(aws.parameter(Value="greylist", Version=9)))
        self.source = "ssm:/x"
        fd = self.memory({"AWS_ENDPOINT_URL_SSM": server.url, "AWS_REGION": "eu-west-1",
                          "AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "hush-hush"})
        process = self.start("--env-fd", str(fd), pass_fds=[fd])
        event = self.event(process, "mode")
        self.assertEqual((event["mode"], event["version"]), ("greylist", 9))
        self.assertNotIn(b"hush", procfs.read(process.pid, "environ"))
        self.assertFalse([d for d in procfs.descriptors(process.pid).values() if "memfd" in d])

    def test_nobody_may_look_inside(self):
        """A process that may be traced belongs, in /proc, to its user; this one to root."""
        if os.geteuid() != 0:
            self.skipTest("only root can start a process as another user")
        self.write("accept")
        os.chown(self.dir, NOBODY, NOBODY)
        try:
            process = self.start(user=NOBODY)
        except PermissionError:
            self.skipTest("the build directory is closed to other users")
        self.event(process, "mode")
        limit = [line for line in procfs.read(process.pid, "limits").splitlines()
                 if line.startswith(b"Max core file size")]
        self.assertEqual(limit[0].split()[4:6], [b"0", b"0"])
        with open(sinkhole.program("sinkhole-refresh"), "rb") as file:
            if b"__asan_init" in file.read():
                self.skipTest("AddressSanitizer has to look inside")
        self.assertEqual(os.stat(f"/proc/{process.pid}/environ").st_uid, 0)


if __name__ == "__main__":
    tap.main()
