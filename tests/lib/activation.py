"""Listening sockets that a test opens and hands over, as systemd does."""

import os
import select
import subprocess
import threading

import sinkhole

# LISTEN_PID must be the daemon's own: a shell knows its pid, and keeps it over exec.
WRAPPER = ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh"]


def hand_over(listeners, command, names=None, **popen):
    """Starts a command with these sockets as its descriptors 3, 4, ..."""
    fds = [listener.fileno() for listener in listeners]
    env = {"LISTEN_FDS": str(len(fds))} | ({"LISTEN_FDNAMES": names} if names else {})
    # Away from where they are going first, since a target may be another's place.
    high = [os.dup(fd) for fd in fds]

    def place():
        for index, fd in enumerate(high):
            os.dup2(fd, 100 + index)
        for index in range(len(high)):
            os.dup2(100 + index, 3 + index)
            os.set_inheritable(3 + index, True)
            os.close(100 + index)

    try:
        return subprocess.Popen([*WRAPPER, *command], preexec_fn=place, close_fds=False,
                                env=sinkhole.clean_environment(env | popen.pop("env", {})),
                                **popen)
    finally:
        for fd in high:
            os.close(fd)


class Activator:
    """Starts a daemon whenever a client waits and none runs: a small systemd for one service."""

    def __init__(self, listener, command, **popen):
        self.listener, self.command, self.popen = listener, command, popen
        self.statuses, self.process = [], None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.is_set():
            if select.select([self.listener], [], [], 0.1)[0]:
                self.process = hand_over([self.listener], self.command, **self.popen)
                self.statuses.append(self._wait())

    def _wait(self):
        while True:
            try:
                return self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                if self._stop.is_set():
                    self.process.terminate()
