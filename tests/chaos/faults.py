"""What goes wrong. Each fault is a function of the house and the dice; what it breaks for a while
it mends itself, so that one fault follows the other."""

import signal
import time

import procfs
from limits import limit

MODES = ["defer", "bounce", "accept", "accept-log", "greylist"]
WHOLE = 4  # so many workers wait for clients when the pool is whole


def is_whole(house, without=()):
    status = house.status()
    return status.get("running") and status["workers"]["idle"] >= WHOLE and \
        not set(without) & set(house.workers())


def await_whole(house, what, without=()):
    """Measures how long the pool takes after the fault is over."""
    took = house.wait(lambda: is_whole(house, without), f"the pool is whole after {what}")
    house.oracle.peak(f"pool whole after {what}, s", round(took, 2))


def some_workers(house, dice, most):
    pids = house.workers()
    return dice.sample(pids, min(len(pids), dice.randint(1, most)))


def flip_mode(house, dice):
    now = house.oracle.changes[-1][0]
    mode = dice.choice([m for m in MODES if m != now])
    house.oracle.written(mode)
    house.write_mode(mode)
    took = house.wait(lambda: house.status().get("mode", {}).get("mode") == mode,
                      f"{mode} is in force")
    house.oracle.seen()
    house.oracle.peak("flip, s", round(took, 2))


def kill_workers(house, dice):
    pids = some_workers(house, dice, 3)
    house.oracle.killed("worker", len(pids))
    for pid in pids:
        procfs.kill(pid)
    await_whole(house, "killed workers", pids)


def hold(pids, seconds):
    """SIGSTOP now, SIGCONT later."""
    for pid in pids:
        procfs.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    for pid in pids:
        procfs.kill(pid, signal.SIGCONT)


def stop_workers(house, dice):
    hold(some_workers(house, dice, 8), dice.uniform(0.05, 1))


def stop_refresher(house, dice):
    hold([house.status().get("refresher") or house.process.pid], dice.uniform(0.05, 1))


def kill_refresher(house, _):
    pid = house.status().get("refresher")
    if pid:
        procfs.kill(pid)
        house.wait(lambda: house.status().get("refresher") not in (None, pid),
                   "another refresher")


def stop_master(house, dice):
    hold([house.process.pid], dice.uniform(0.05, 1))


def replace_master(house, what):
    house.oracle.killed("master")
    old, restarts = house.process.pid, house.restarts
    procfs.kill(old)
    house.wait(lambda: house.restarts > restarts, "another master")
    await_whole(house, what)


def kill_master(house, _):
    replace_master(house, "a killed master")


def jump_clocks(house, dice):
    """The next master and all its children live hours ahead of what stands on the board."""
    if house.clocks_jump:
        seconds = dice.randint(1, 3) * 3600
        house.jump_s += seconds
        house.oracle.jumped(seconds)
        replace_master(house, "a jump of the clocks")


def stall_log(house, dice):
    hold([house.reader.pid], dice.uniform(0.2, 1.5))


def limit_processes(house, dice):
    """Nobody can be forked while workers die."""
    master = house.process.pid
    old = limit(master, "nproc", 1)
    if old is None:
        return
    pids = some_workers(house, dice, 3)
    house.oracle.killed("worker", len(pids))
    for pid in pids:
        procfs.kill(pid)
    time.sleep(dice.uniform(0.1, 0.5))
    limit(master, "nproc", old)
    await_whole(house, "a want of processes", pids)


def limit_descriptors(house, dice):
    """Some workers cannot accept, and the master cannot refuse."""
    limits = {}
    for pid in [house.process.pid, *some_workers(house, dice, 8)]:
        limits[pid] = limit(pid, "nofile", 4)
    time.sleep(dice.uniform(0.1, 1))
    for pid, old in limits.items():
        if old is not None:
            limit(pid, "nofile", old)


# Each with its weight.
FAULTS = {flip_mode: 8, kill_workers: 4, stop_workers: 2, kill_refresher: 2, stop_refresher: 2,
          kill_master: 1, stop_master: 1, stall_log: 2, limit_processes: 1, limit_descriptors: 1,
          jump_clocks: 1}


def one(house, dice):
    """Does one; returns its name."""
    fault = dice.choices(list(FAULTS), list(FAULTS.values()))[0]
    fault(house, dice)
    time.sleep(dice.uniform(0, 0.2))
    return fault.__name__


def resources(house):
    """What the lasting processes hold: {who: (descriptors, kB of memory of their own)}."""
    status = house.status()
    return {who: (len(procfs.descriptors(pid)), procfs.memory_kb(pid, "Private_Dirty"))
            for who, pid in (("master", status["master"]), ("refresher", status["refresher"]))}


def count_processes(house):
    return len(procfs.mentioning(house.dir))


def check_leaks(house, before, served):
    """When all is quiet: no more descriptors, processes, slots or memory than in the beginning."""
    house.wait(lambda: house.status().get("workers", {}).get("busy") == 0, "no session is left")
    house.wait(lambda: house.status()["workers"]["now"] <= 16, "the pool has shrunk")
    house.wait(lambda: count_processes(house) == house.status()["workers"]["now"] + 2,
               "as many processes as the board says")
    for who, (descriptors, memory) in resources(house).items():
        if descriptors > before[who][0]:
            house.oracle.fail(f"{who}: {before[who][0]} descriptors became {descriptors}")
        if memory > before[who][1] + 256:
            house.oracle.fail(f"{who}: {before[who][1]} kB became {memory}")
    for pid in house.workers():
        if not procfs.alive(pid):
            house.oracle.fail(f"the board names {pid}, which is gone")
    counted = house.status()["counters"]["connections"]
    killed = len(house.oracle.worker_kills)  # after their client's last reply, perhaps
    if counted + killed < served:
        house.oracle.fail(f"{served} sessions were served, {counted} counted, {killed} killed")

