"""The daemon under chaos, with what a supervisor does for it: whenever it is gone, it is started
again, and its log goes into one pipe all the time."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]
import clocks  # noqa: E402
import eventdoc  # noqa: E402
import oracle as oracles  # noqa: E402
import procfs  # noqa: E402
import sinkhole  # noqa: E402

LIMIT = 30


def fixed_port():
    """Free, and outside the range that outgoing connections take theirs from."""
    while True:
        port = random.randint(20000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


class House:
    def __init__(self, oracle, mode):
        self.oracle, self.port = oracle, fixed_port()
        self.dir = tempfile.mkdtemp(prefix="sinkhole-chaos-")
        os.chmod(self.dir, 0o755)
        self.mode_file = os.path.join(self.dir, "mode")
        self.write_mode(mode)
        self.log_file = os.path.join(self.dir, "log")
        self.reader, self.log_in = self.read_log()
        self.leaving = threading.Event()
        self.lines = self.restarts = 0
        self.jump_s = 0
        self.errors = open(os.path.join(self.dir, "stderr"), "ab")
        self.process = self.spawn()
        self.minder = threading.Thread(target=self._mind)
        self.minder.start()
        self.wait(lambda: self.status().get("running"), "the daemon runs")

    def read_log(self):
        """Keeps the log; whoever stops this process stalls the log."""
        out, into = os.pipe()
        with open(self.log_file, "wb") as file:
            reader = subprocess.Popen(["cat"], stdin=out, stdout=file)
        os.close(out)
        return reader, into

    def spawn(self):
        return subprocess.Popen(
            [*clocks.ahead(self.jump_s), sinkhole.program("sinkholed"),
             "--bind-host", "127.0.0.1", "--bind-port", str(self.port),
             "--run-dir", f"{self.dir}/run", "--workers", "8..128",
             "--mode-source", f"file:{self.mode_file}", "--cache-ttl", "1", "--drain", "5",
             "--greylist-window", str(oracles.GREYLIST_WINDOW)],
            stdin=subprocess.DEVNULL, stdout=self.log_in, stderr=self.errors,
            env=sinkhole.clean_environment())

    def write_mode(self, mode):
        with open(self.mode_file + ".new", "w", encoding="ascii") as file:
            file.write(mode + "\n")
        os.replace(self.mode_file + ".new", self.mode_file)

    def _mind(self):
        """Sees the daemon's end at once, as a supervisor does."""
        while True:
            self.process.wait()
            if self.leaving.is_set():
                return
            self.restarts += 1
            time.sleep(0.05)
            self.process = self.spawn()

    # -- looking -------------------------------------------------------------------------------

    def ctl(self, *words):
        result = subprocess.run([*clocks.ahead(self.jump_s), sinkhole.program("sinkholectl"),
                                 "--run-dir", f"{self.dir}/run", *words, "--json"],
                                capture_output=True, text=True, check=False, timeout=LIMIT,
                                env=sinkhole.clean_environment())
        try:
            return json.loads(result.stdout)
        except ValueError:
            return {}

    def status(self):
        return self.ctl("status")

    def workers(self):
        return [w["pid"] for w in self.ctl("workers") or []]

    def wait(self, condition, what):
        """Returns how long it took; a failure of the run when it is too long."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > LIMIT:
                self.oracle.fail(f"not within {LIMIT} s: {what}: {self.status()}")
                break
            time.sleep(0.02)
        return time.monotonic() - began

    # -- the end -------------------------------------------------------------------------------

    def close(self):
        self.leaving.set()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(LIMIT)
        if status != 0:
            self.oracle.fail(f"SIGTERM at the end: exit status {status}")
        self.wait(lambda: not procfs.mentioning(self.dir), "no process is left")
        self.minder.join(LIMIT)
        os.close(self.log_in)
        self.reader.wait(LIMIT)
        self.errors.close()
        self.judge_log()

    def judge_log(self):
        """Every line is whole and as docs/log-events.md says."""
        with open(self.log_file, "rb") as file:
            for line in file:
                self.lines += 1
                _, misfit = eventdoc.judge(line)
                if misfit:
                    self.oracle.fail(f"log: {misfit}")

    def demolish(self):
        """After whatever happened: nothing stays."""
        self.leaving.set()
        for pid in [*procfs.mentioning(self.dir), self.reader.pid]:
            procfs.kill(pid)
        shutil.rmtree(self.dir, ignore_errors=True)
