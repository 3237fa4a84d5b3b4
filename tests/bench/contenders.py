"""The servers that are compared, each started with what a load needs and stopped after it."""

import os
import signal
import socket
import subprocess
import tempfile
import time

import process


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, limit=20):
    end = time.monotonic() + limit
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


class Server:
    """One running server: a process that answers on self.port."""

    name = ""

    def __init__(self, place, at_once):
        self.place = place
        self.port = free_port()
        self.scratch = tempfile.TemporaryDirectory(prefix="sinkhole-bench.")
        os.chmod(self.scratch.name, 0o755)
        self.others = []
        self.process = self.start(at_once)
        wait_for_port(self.port)

    def start(self, at_once):
        raise NotImplementedError

    def cpu_ns(self):
        return process.cpu_ns(self.process.pid)

    def pss_kb(self):
        return process.pss_kb(process.tree(self.process.pid))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for other in self.others:
            other.wait()
        self.scratch.cleanup()


def workers_for(at_once):
    return max(8, at_once + 8)


class Sinkholed(Server):
    """The daemon as it is shipped; its log goes into a pipe that somebody reads."""

    name = "sinkholed"
    extra = ()

    def start(self, at_once):
        reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.others.append(reader)
        with reader.stdin as log:
            return subprocess.Popen(
                [self.place.program("sinkholed"), "--bind-host", "127.0.0.1",
                 "--bind-port", str(self.port), "--run-dir", f"{self.scratch.name}/run",
                 "--mode-source", "static:accept", "--drain", "0", *self.extra,
                 "--workers", f"{workers_for(at_once)}"], stdout=log)


class Silent(Sinkholed):
    """The same without a log: what is left are the sessions."""

    name = "no log"
    extra = ("--log", "none")


class Responder(Server):
    """The do-nothing responder."""

    name = "responder"

    def start(self, at_once):
        return subprocess.Popen([self.place.tool("responder"), str(self.port),
                                 str(workers_for(at_once))])


class SmtpSink(Server):
    """Postfix's smtp-sink."""

    name = "smtp-sink"

    def start(self, at_once):
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        return subprocess.Popen([self.place.postfix("smtp-sink"), *user,
                                 f"127.0.0.1:{self.port}", "1024"], env=self.place.postfix_env)


class OneShot(Server):
    """`sinkholed --inetd`, one process a connection."""

    name = "one-shot"

    def command(self):
        return [self.place.program("sinkholed"), "--inetd", "--log", "none",
                "--run-dir", f"{self.scratch.name}/run", "--mode-source", "static:accept"]

    def start(self, at_once):
        return subprocess.Popen([self.place.tool("spawner"), str(self.port), *self.command()],
                                stderr=subprocess.DEVNULL)


class OneShotTrue(OneShot):
    """The same spawner with /bin/true: what the start of any process costs."""

    name = "spawner + true"

    def command(self):
        return ["/bin/true"]
