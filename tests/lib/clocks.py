"""Other clocks for one process: a time namespace (time_namespaces(7)), entered by exec."""

import ctypes
import subprocess

CLONE_NEWTIME = 0x80


def jump(seconds):
    """The program that is executed next sees a monotonic and a boot clock that are so far ahead.
    The time of day belongs to the whole machine and stays."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWTIME) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    with open("/proc/self/timens_offsets", "w", encoding="ascii") as file:
        file.write(f"monotonic {seconds} 0\nboottime {seconds} 0\n")


def uptime(ahead=0):
    """What a program that is started so sees, in s."""
    result = subprocess.run(["cat", "/proc/uptime"], stdout=subprocess.PIPE, check=False,
                            preexec_fn=(lambda: jump(ahead)) if ahead else None)
    return float(result.stdout.split()[0])


def missing():
    """Why clocks cannot jump here; None when they can."""
    try:
        done = uptime(86400) > uptime() + 80000
    except (OSError, subprocess.SubprocessError, IndexError):
        done = False
    return None if done else "no time namespaces (root, Linux 6.1)"

