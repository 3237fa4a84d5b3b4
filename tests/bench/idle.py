"""What the daemon costs while nobody talks to it, and how fast it is there."""

import os
import statistics
import subprocess
import tempfile
import time

import process
from contenders import Sinkholed, free_port


class Settled(Sinkholed):
    """So many workers, all idle."""

    def start(self, at_once):
        self.workers = at_once
        return super().start(at_once)


def workers_of(pids):
    """Those of the tree that are neither the master, which is first, nor the refresher."""
    return [pid for pid in pids[1:] if "refresh" not in process.read(f"/proc/{pid}/cmdline")]


def idle(place, workers, seconds):
    """PSS of the tree in kB, and how often any of its processes was woken in a minute."""
    server = Settled(place, workers - 8)
    try:
        time.sleep(1.5)
        pids = process.tree(server.process.pid)
        before = [process.switches_of(pid) for pid in pids]
        time.sleep(seconds)
        woken = [process.switches_of(pid) - old for pid, old in zip(pids, before)]
        return {"workers": workers, "processes": len(pids), "pss_kb": server.pss_kb(),
                "pss_of_workers_kb": process.pss_kb(workers_of(pids)),
                "wakeups_per_minute": sum(woken) * 60 / seconds,
                "workers_woken": sum(1 for pid, n in zip(pids, woken) if n and pid in workers_of(pids))}
    finally:
        server.stop()


def start_once(place, scratch):
    """From exec to the newline on --notify-fd, in ms, with the file source."""
    ready, notify = os.pipe()
    began = time.monotonic()
    daemon = subprocess.Popen(
        [place.program("sinkholed"), "--bind-host", "127.0.0.1", "--bind-port",
         str(free_port()), "--run-dir", f"{scratch}/run", "--notify-fd", str(notify),
         "--drain", "0"], stdout=subprocess.DEVNULL, pass_fds=[notify])
    os.close(notify)
    try:
        os.read(ready, 1)
        return (time.monotonic() - began) * 1000
    finally:
        os.close(ready)
        daemon.terminate()
        daemon.wait()


def ready_ms(place, times):
    """The median of several starts. The first makes the board; the others find it."""
    with tempfile.TemporaryDirectory(prefix="sinkhole-bench.") as scratch:
        os.chmod(scratch, 0o755)
        first = start_once(place, scratch)
        return {"first_ms": first,
                "median_ms": statistics.median(start_once(place, scratch) for _ in range(times))}
