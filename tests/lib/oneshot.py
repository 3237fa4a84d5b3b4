"""One-shot sessions under test: sinkholed --inetd on pipes or on a socket, with a run directory
that they share."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile

import eventdoc
import mailer
import procfs
import sinkhole

QUICK = "EHLO client.example.test\r\nMAIL FROM:<a@example.test>\r\n" \
        "RCPT TO:<nobody@sinkhole.test>\r\nQUIT\r\n"


def answer(replies):
    """The code that RCPT got, from all replies to QUICK: those to greeting, EHLO, MAIL, RCPT; or
    that of a 421 before it."""
    ends = [int(line[:3]) for line in replies.splitlines() if line[3:4] == " "]
    return 421 if 421 in ends[:4] else ends[3]


class Place:
    """A run directory and a mode file for one test; what all sessions in it logged."""

    def __init__(self, mode="defer", source=None, env=None, args=()):
        self.dir = tempfile.mkdtemp(prefix="sinkhole-test-")
        os.chmod(self.dir, 0o755)  # started by root, sessions serve as nobody
        self.run_dir = os.path.join(self.dir, "run")
        self.mode_file = os.path.join(self.dir, "mode")
        self.log = os.path.join(self.dir, "log")
        self.errors = os.path.join(self.dir, "errors")
        self.write_mode(mode)
        self.source = source or f"file:{self.mode_file}"
        self.env, self.args = dict(env or {}), args

    def __enter__(self):
        return self

    def _left(self):
        """Who still runs. A fetch may outlive its session, by as long as a fetch takes."""
        try:
            sinkhole.wait_for(lambda: not procfs.mentioning(self.dir), "all have ended")
        except AssertionError:
            pass
        return procfs.mentioning(self.dir)

    def __exit__(self, kind, *_):
        left = self._left() if kind is None else procfs.mentioning(self.dir)
        for pid in left:
            procfs.kill(pid)
        wrong = [misfit for _, misfit in self._judged() if misfit]
        shutil.rmtree(self.dir, ignore_errors=True)
        if kind is None and (left or wrong):
            raise AssertionError(f"left running: {left}; wrong log lines: {wrong}")

    def write_mode(self, value):
        with open(self.mode_file + ".new", "w", encoding="utf-8") as file:
            file.write(value + "\n")
        os.replace(self.mode_file + ".new", self.mode_file)

    def command(self, *args):
        return [sinkhole.program("sinkholed"), "--inetd", "--run-dir", self.run_dir,
                "--mode-source", self.source, *self.args, *args]

    def start(self, *args, env=None, **popen):
        """A session with its log appended to self.log, its warnings to self.errors."""
        with open(self.errors, "ab") as errors:
            return subprocess.Popen(self.command("--log", self.log, *args), stderr=errors,
                                    env=sinkhole.clean_environment({**self.env, **(env or {})}),
                                    **popen)

    def session(self, text=QUICK, *args, env=None):
        """A whole session on pipes; its replies. It must end well."""
        process = self.start(*args, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True)
        replies, _ = process.communicate(text, sinkhole.PATIENCE)
        if process.returncode != 0:
            raise AssertionError(f"a session ended with {process.returncode}: {self.text()}")
        return replies

    def client(self, *args, greeting=220, **more):
        """A session on a socket, of which it gets one descriptor too many: (client, process)."""
        ours, theirs = socket.socketpair()
        process = self.start(*args, stdin=theirs, stdout=theirs, pass_fds=[theirs.fileno()],
                             **more)
        theirs.close()
        return SocketClient(ours, greeting), process

    def ctl(self, *args):
        return sinkhole.run(sinkhole.program("sinkholectl"), "--run-dir", self.run_dir, *args)

    def status(self):
        return json.loads(self.ctl("status", "--json").stdout)

    def _judged(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, "rb") as log:
            return [eventdoc.judge(raw) for raw in log]

    def events(self, name=None):
        return [event for event, _ in self._judged()
                if event and (name is None or event["event"] == name)]

    def text(self):
        """What warnings there were."""
        with open(self.errors, encoding="utf-8", errors="replace") as errors:
            return errors.read()


class SocketClient(mailer.Client):
    """A client on a socket that is connected already."""

    def __init__(self, connected, greeting=220):  # pylint: disable=super-init-not-called
        self.socket = connected
        self.socket.settimeout(sinkhole.PATIENCE)
        self.file = self.socket.makefile("rb")
        if greeting:
            self.greeting = self.expect(greeting)


def end(process, number=signal.SIGTERM):
    """Ends a process that a test started; returns its exit status."""
    if process.poll() is None:
        process.send_signal(number)
    return process.wait(sinkhole.PATIENCE)
