"""Resource limits of processes that run."""

import os
import subprocess

import procfs


def prlimit(pid, *words):
    """util-linux's program, as the user whose process it is: root may not do this to others where
    it lacks CAP_SYS_RESOURCE. Returns what it prints, None where the process is gone."""
    try:
        ids = procfs.status(pid)
    except (FileNotFoundError, ProcessLookupError):
        return None
    owner = {} if os.geteuid() else {"user": int(ids["Uid"].split()[0]), "extra_groups": [],
                                     "group": int(ids["Gid"].split()[0])}
    done = subprocess.run(["prlimit", "--pid", str(pid), *words], capture_output=True, text=True,
                          check=False, **owner)
    if done.returncode != 0 and procfs.alive(pid):
        raise AssertionError(f"prlimit {words}: {done.stderr}")
    return done.stdout.strip() if done.returncode == 0 else None


def limit(pid, kind, soft):
    """Sets a soft limit of a process; returns the old one, None where it is gone."""
    old = prlimit(pid, f"--{kind}", "--output", "SOFT", "--noheadings", "--raw")
    return old if old is not None and prlimit(pid, f"--{kind}={soft}:") is not None else None
