"""Other clocks for one process: a time namespace (time_namespaces(7)), entered by exec."""

import subprocess


def ahead(seconds):
    """What to put before a command, so that its monotonic and its boot clock are so far ahead; it
    stays the same process. The time of day belongs to the whole machine and stays."""
    if not seconds:
        return []
    return ["unshare", "--time", "--monotonic", str(seconds), "--boottime", str(seconds)]


def uptime(seconds=0):
    """What a program that is started so sees, in s."""
    result = subprocess.run([*ahead(seconds), "cat", "/proc/uptime"], capture_output=True,
                            check=False)
    return float(result.stdout.split()[0])


def missing():
    """Why clocks cannot jump here; None when they can."""
    try:
        done = uptime(86400) > uptime() + 80000
    except (OSError, IndexError):
        done = False
    return None if done else "no time namespaces (root, Linux 6.1)"
