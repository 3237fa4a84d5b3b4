"""A daemon under test: starts it, reads its log, asks sinkholectl about it, ends it.

    with Daemon("defer") as daemon:
        daemon.set_mode("accept")
        daemon.wait_event("mode", mode="accept")

Every log line is checked against docs/log-events.md as it comes (see eventdoc.py); what does not
fit fails the test when the daemon is stopped.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import eventdoc
import procfs

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD") or os.path.join(REPO, "build")

# How long to wait for what must come: generous, since a busy machine is not a fault.
PATIENCE = 30

# Variables of the caller must not reach the programs under test.
FOREIGN = ("SINKHOLE_", "AWS_", "LISTEN_", "NOTIFY_", "XDG_RUNTIME_DIR", "TCPREMOTE")


def program(name):
    return os.path.join(BUILD, name)


def clean_environment(extra=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    env.update(extra or {})
    return env


def wait_for(condition, what, patience=PATIENCE):
    """Calls condition() until it returns something true, and returns that."""
    deadline = time.monotonic() + patience
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(0.005)


def run(*command, env=None, timeout=PATIENCE, **more):
    """Runs a program to its end; its output as text."""
    return subprocess.run(command, env=clean_environment(env), timeout=timeout, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False, **more)


class Daemon:
    """One sinkholed with a run directory of its own. Keyword arguments: args (more options), env
    (more variables), source (None: a file that set_mode() writes), stdout (None: a pipe that is
    read into self.lines), host, run_dir (to take over another's), and what Popen takes."""

    def __init__(self, mode="defer", *, args=(), env=None, source=None, stdout=None,
                 host="127.0.0.1", workers="4..64", run_dir=None, **popen):
        self.dir = tempfile.mkdtemp(prefix="sinkhole-test-")
        os.chmod(self.dir, 0o755)  # started by root, the daemon serves as nobody
        self.run_dir = run_dir or os.path.join(self.dir, "run")
        self.mode_file = os.path.join(self.dir, "mode")
        self.write_mode(mode)
        self.source = source or f"file:{self.mode_file}"
        self.command = [program("sinkholed"), "--bind-host", host, "--bind-port", "0",
                        "--mode-source", self.source, "--run-dir", self.run_dir,
                        "--workers", workers, *args]
        self.env, self.stdout, self.popen = clean_environment(env), stdout, popen
        self.lines, self.events, self.misfits = [], [], []
        self.process = self.reader = self.port = None
        self.stderr_path = os.path.join(self.dir, "stderr")
        self.news = threading.Condition()

    # -- life ------------------------------------------------------------------------------

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.kill()
            shutil.rmtree(self.dir, ignore_errors=True)
            raise

    def __exit__(self, kind, *_):
        try:
            if self.process.poll() is None:
                status, left = self.stop(), self.left()
                if kind is None and (status != 0 or left):
                    raise AssertionError(f"it ended with {status} and left {left}: "
                                         f"{self.stderr()}")
        finally:
            self.kill()
            shutil.rmtree(self.dir, ignore_errors=True)
        if kind is None and self.misfits:
            raise AssertionError("log lines that docs/log-events.md does not describe:\n  "
                                 + "\n  ".join(self.misfits))

    def start(self, wait=True):
        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(
                self.command, env=self.env, stdin=subprocess.DEVNULL, stderr=stderr,
                stdout=self.stdout or subprocess.PIPE, **self.popen)
        if self.stdout is None:
            self.reader = threading.Thread(target=self._read, args=(self.process.stdout,))
            self.reader.start()
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        """Until it listens; notes the port."""
        def listening():
            if self.process.poll() is not None:
                raise AssertionError(f"sinkholed ended with {self.process.returncode}: "
                                     f"{self.stderr()}")
            status = self.status()
            return status.get("running") and status["master"] == self.pid and status["listening"]
        addresses = wait_for(listening, "the daemon listens")
        self.port = int(addresses[0].rsplit(":", 1)[1])
        if self.stdout is None and "--log" not in self.command:
            self.wait_event("ready")

    def stop(self, number=signal.SIGTERM, patience=PATIENCE):
        """Ends it by a signal; returns its exit status."""
        self.process.send_signal(number)
        status = self.process.wait(patience)
        self._join()
        return status

    def kill(self):
        """Leaves nothing behind, whatever happened."""
        if self.process is None:
            return
        for pid in self.left():
            procfs.kill(pid)
        self.process.wait(PATIENCE)
        wait_for(lambda: not self.left(), "killed processes are gone")
        self._join()

    def left(self):
        """All its processes that run, whoever their parent is: each names its directory."""
        return procfs.mentioning(self.dir)

    def _join(self):
        """The log is complete when the last process has closed its end."""
        if self.reader is not None:
            self.reader.join(PATIENCE)
            if self.reader.is_alive():
                raise AssertionError("somebody still holds the daemon's standard output")
            self.reader = None
            self.process.stdout.close()

    @property
    def pid(self):
        return self.process.pid

    # -- log -------------------------------------------------------------------------------

    def _read(self, stream):
        for raw in stream:
            event, misfit = eventdoc.judge(raw)
            with self.news:
                self.lines.append(raw)
                if event is not None:
                    self.events.append(event)
                if misfit:
                    self.misfits.append(misfit)
                self.news.notify_all()

    def find(self, name, start=0, **fields):
        """The events of that name, from the start-th of all on, with these fields."""
        with self.news:
            return [e for e in self.events[start:] if e["event"] == name
                    and all(e.get(k) == v for k, v in fields.items())]

    def wait_event(self, name, count=1, start=0, **fields):
        """Waits for so many of them, and returns the last."""
        with self.news:
            if not self.news.wait_for(lambda: len(self.find(name, start, **fields)) >= count,
                                      PATIENCE):
                seen = "\n  ".join(line.decode("utf-8", "replace").rstrip()
                                   for line in self.lines[-20:])
                raise AssertionError(f"no {count} x {name} {fields} in the log:\n  {seen}\n"
                                     f"{self.stderr()}")
            return self.find(name, start, **fields)[count - 1]

    def stderr(self):
        with open(self.stderr_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    # -- control ---------------------------------------------------------------------------

    def write_mode(self, value):
        """Replaces the mode file by a rename, as sinkholectl does."""
        with open(self.mode_file + ".new", "w", encoding="utf-8") as file:
            file.write(value + "\n")
        os.replace(self.mode_file + ".new", self.mode_file)

    def ctl(self, *args, **more):
        return run(program("sinkholectl"), "--run-dir", self.run_dir, *args, **more)

    def ctl_json(self, *args):
        result = self.ctl(*args, "--json")
        if result.returncode != 0:
            raise AssertionError(f"sinkholectl {args}: {result.stderr}")
        return json.loads(result.stdout)

    def status(self):
        return self.ctl_json("status")

    def set_mode(self, value):
        """Returns when it is served."""
        result = self.ctl("mode", "set", value, "--wait", "--timeout", str(PATIENCE))
        if result.returncode != 0:
            raise AssertionError(f"mode set {value}: {result.stderr}")

    def workers(self):
        """Process ids by slot, once all there are have confined themselves."""
        def settled():
            workers = self.ctl_json("workers")
            return workers if all(w["state"] != "starting" for w in workers) else None
        return {w["slot"]: w["pid"] for w in wait_for(settled, "no worker is starting")}

    def wait_status(self, condition, what, patience=PATIENCE):
        """Waits until condition(status) holds; returns that status."""
        def look():
            status = self.status()
            return status if condition(status) else None
        return wait_for(look, what, patience)
