"""What /proc says about processes."""

import os
import signal
import socket


def read(pid, name):
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()


def alive(pid):
    """Runs, or can still run: a zombie has ended."""
    try:
        return read(pid, "stat").rsplit(b")", 1)[1].split()[0] not in (b"Z", b"X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def parent(pid):
    return int(read(pid, "stat").rsplit(b")", 1)[1].split()[1])


def tree(root):
    """The process ids below root, not root itself."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parents[int(name)] = parent(int(name))
            except (FileNotFoundError, ProcessLookupError):
                pass
    found, level = [], [root]
    while level:
        level = [pid for pid, above in parents.items() if above in level]
        found += level
    return found


def mentioning(text):
    """The processes that run with this text in their command line."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                if text.encode() in read(name, "cmdline") and alive(name):
                    found.append(int(name))
            except (FileNotFoundError, ProcessLookupError):
                pass
    return found


def status(pid):
    """/proc/PID/status as a dictionary of texts."""
    rows = (line.split(":", 1) for line in read(pid, "status").decode().splitlines())
    return {key: value.strip() for key, value in rows}


def environment(pid):
    return {name.split(b"=", 1)[0].decode() for name in read(pid, "environ").split(b"\0")
            if name}


def descriptors(pid):
    """What each open descriptor is: {3: "socket:[123]"}."""
    path = f"/proc/{pid}/fd"
    return {int(fd): os.readlink(f"{path}/{fd}") for fd in os.listdir(path)}


def cpu_s(pid):
    """The processor time that it has used, in the kernel too."""
    fields = read(pid, "stat").rsplit(b")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kb(pid, kind):
    """A line of smaps_rollup: "Pss", "Private_Dirty" ..."""
    for line in read(pid, "smaps_rollup").decode().splitlines():
        if line.startswith(kind + ":"):
            return int(line.split()[1])
    raise AssertionError(f"/proc/{pid}/smaps_rollup has no {kind} line")


def pss_kb(pid):
    return memory_kb(pid, "Pss")


def _hex_address(address, port):
    packed = int.from_bytes(socket.inet_aton(address), "little")
    return f"{packed:08X}:{port:04X}"


def _holders(inode):
    """The processes that have this socket open."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and f"socket:[{inode}]" in descriptors(name).values():
                found.append(int(name))
        except OSError:  # gone, or not ours to look into
            pass
    return found


def far_end(near, far):
    """What the kernel knows of the other end of a connection on loopback, given the addresses of
    both ends, for a person: its state as in /proc/net/tcp (01: established; it is missing where
    there is no other end any more), the bytes that wait in it, and who has it open."""
    wanted = [_hex_address(*far), _hex_address(*near)]
    with open("/proc/net/tcp", encoding="ascii") as rows:
        for row in map(str.split, rows):
            if row[1:3] == wanted:
                return f"state {row[3]}, queues {row[4]}, held by {_holders(row[9])}"
    return "missing"
