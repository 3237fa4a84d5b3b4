#!/usr/bin/env python3
"""Plays every dialogue against the bare session on a socket pair, against the daemon, and against
one-shot sessions (--inetd).

    tests/smtp/test_dialogues.py Session.test_bounce     only that one
"""

import glob
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), HERE]
import dialogue  # noqa: E402
import sinkhole  # noqa: E402
import tap  # noqa: E402

FILES = sorted(glob.glob(os.path.join(HERE, "dialogues", "*.txt")))


SHARED = sinkhole.Daemon()


def setUpModule():
    SHARED.__enter__()


def tearDownModule():
    SHARED.__exit__(None)


class SessionTarget:
    """build/tests/serve_session: the session and nothing else."""

    def __init__(self, options):
        self.dir = tempfile.TemporaryDirectory()
        self.mode_file = os.path.join(self.dir.name, "mode")
        self.options = [f"--{name}={value}" for name, value in options]
        self.log = os.path.join(self.dir.name, "log")
        self.processes = []

    def command(self):
        return [sinkhole.program("tests/serve_session"), *self.options, self.mode_file]

    def spawn(self, ours, log):
        return subprocess.Popen(self.command(), stdin=ours, stdout=log)

    def connect(self):
        client, ours = socket.socketpair()
        with ours, open(self.log, "ab") as log:
            self.processes.append(self.spawn(ours, log))
        return client

    def set_mode(self, value):
        """By a rename: the session must never read half of it."""
        with open(self.mode_file + ".new", "w", encoding="utf-8") as file:
            file.write(value)
        os.rename(self.mode_file + ".new", self.mode_file)

    def events(self, _):
        for process in self.processes:
            process.wait(sinkhole.PATIENCE)
        with open(self.log, encoding="utf-8") as log:
            return [json.loads(line) for line in log]

    def close(self):
        for process in self.processes:
            if process.wait(sinkhole.PATIENCE) != 0:
                raise AssertionError(f"the session ended with {process.returncode}")
        self.dir.cleanup()


class InetdTarget(SessionTarget):
    """sinkholed --inetd, beside a daemon whose board it uses: so the mode comes from there."""

    addresses = (f"192.0.2.{n}" for n in range(1, 255))

    def __init__(self, options):
        super().__init__(options)
        os.chmod(self.dir.name, 0o777)  # started by root, it serves as nobody
        self.address = next(self.addresses)

    def spawn(self, ours, _):
        command = [sinkhole.program("sinkholed"), "--inetd", "--run-dir", SHARED.run_dir,
                   "--mode-source", SHARED.source, "--log", self.log, *self.options]
        env = sinkhole.clean_environment({"TCPREMOTEIP": self.address})
        return subprocess.Popen(command, stdin=ours, stdout=ours, env=env)

    def set_mode(self, value):
        SHARED.set_mode(value)


class DaemonTarget:
    """The daemon. Each dialogue has a client address of its own, which keeps greylist and log
    apart; those with options have a daemon of their own."""

    addresses = (f"127.{b}.{c}.1" for b, c in itertools.product(range(1, 255), repeat=2))

    def __init__(self, options):
        args = [f"--{name}={value}" for name, value in options]
        self.address = next(self.addresses)
        self.own = bool(args)
        self.daemon = sinkhole.Daemon(args=args).__enter__() if args else SHARED

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.daemon.port),
                                        source_address=(self.address, 0))

    def set_mode(self, value):
        self.daemon.set_mode(value)

    def events(self, connections):
        """A session's own line is its last."""
        self.daemon.wait_event("session", connections, client=self.address)
        return [event for name in ("session", "attempt", "accepted")
                for event in self.daemon.find(name, client=self.address)]

    def close(self):
        if self.own:
            self.daemon.__exit__(None)


def play(path, target_class):
    script = dialogue.Dialogue(path)
    target = target_class(script.options)
    try:
        target.set_mode("accept")
        dialogue.Player(script, target).play()
    finally:
        target.close()


class Session(unittest.TestCase):
    """Against the session alone."""
    target = SessionTarget


class Daemon(unittest.TestCase):
    """Against a worker of the daemon."""
    target = DaemonTarget


class Inetd(unittest.TestCase):
    """Against one-shot sessions."""
    target = InetdTarget


def add_tests(case):
    for path in FILES:
        name = os.path.splitext(os.path.basename(path))[0].replace("-", "_")
        setattr(case, f"test_{name}", lambda self, path=path: play(path, self.target))


add_tests(Session)
add_tests(Daemon)
add_tests(Inetd)

if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    tap.main()
