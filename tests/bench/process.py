"""What a tree of processes has cost: CPU time, memory, wake-ups."""

import os

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def read(path):
    """A file's text; empty where it is gone or not for us."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def children(pid):
    return [int(word) for word in read(f"/proc/{pid}/task/{pid}/children").split()]


def tree(pid):
    """The process and all its descendants."""
    found = [pid]
    for one in found:
        found.extend(children(one))
    return found


def reaped_ns(pid):
    """User and system time of the children that this process has waited for."""
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) * TICK_NS if fields else 0


def cpu_ns(pid):
    """User and system time of the tree, in ns: the scheduler's sum of those that live (exact) and
    the kernel's record of those that were reaped (in ticks)."""
    total = 0
    for one in tree(pid):
        running = read(f"/proc/{one}/schedstat").split()
        total += (int(running[0]) if running else 0) + reaped_ns(one)
    return total


def pss_kb(pids):
    """Memory of processes where each shared page counts once; None where it cannot be read."""
    total = 0
    for one in pids:
        for line in read(f"/proc/{one}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
                break
        else:
            return None
    return total


def switches_of(pid):
    """How often the process was given a CPU."""
    return sum(int(line.split()[1]) for line in read(f"/proc/{pid}/status").splitlines()
               if "ctxt_switches" in line)
