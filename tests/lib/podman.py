"""Containers for tests, by podman as root; nothing is pulled from anywhere."""

import os
import resource
import shutil
import subprocess


def missing():
    """Why no container can run here; None when one can."""
    if os.geteuid() != 0:
        return "containers need root here"
    if not shutil.which("podman"):
        return "podman is not installed (make deps)"
    return None


def command(*args):
    """podman's words, with what a machine without systemd or with only runc needs."""
    words = ["podman"]
    if not os.path.isdir("/run/systemd/system"):
        words.append("--cgroup-manager=cgroupfs")
    if shutil.which("runc"):
        words += ["--runtime", shutil.which("runc")]
    return [*words, *args]


def _limits():
    """Limits that may be set anywhere: podman's own defaults can be above what is allowed."""
    flags = []
    for name, kind, enough in (("nofile", resource.RLIMIT_NOFILE, 10000),
                               ("nproc", resource.RLIMIT_NPROC, 9000)):
        hard = resource.getrlimit(kind)[1]
        value = enough if hard == resource.RLIM_INFINITY else min(hard, enough)
        flags.append(f"--ulimit={name}={value}:{value}")
    return flags


def podman(*args, check=True, **options):
    """Runs podman to its end; returns the CompletedProcess with text output."""
    done = subprocess.run(command(*args), text=True, capture_output=True, check=False,
                          stdin=options.pop("stdin", subprocess.DEVNULL), **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"podman {' '.join(args)}: {done.returncode}\n{done.stderr}")
    return done


def run(*args, check=True, healthcheck=False, **options):
    """podman run, with the limits of this machine. With healthcheck the container keeps the one of
    its image, for `podman healthcheck run`; podman itself never runs it."""
    health = [] if healthcheck else ["--no-healthcheck"]
    return podman("run", "--pull=never", *health, *_limits(), *args, check=check,
                  env={**os.environ, "DISABLE_HC_SYSTEMD": "true"}, **options)


def execute(name, *words, check=True, **options):
    """A command in a running container."""
    return podman("exec", name, *words, check=check, **options)


def inspect(name, template):
    return podman("inspect", "--format", template, name).stdout.strip()


def pid(name):
    """The container's first process, as this machine numbers it."""
    number = int(inspect(name, "{{.State.Pid}}"))
    if number == 0:
        raise RuntimeError(f"{name} does not run\n{''.join(logs(name))}")
    return number


def address(name):
    return inspect(name, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")


def logs(name):
    """What the container wrote: (standard output, standard error)."""
    done = podman("logs", name)
    return done.stdout, done.stderr


def remove(*names):
    """Ends containers at once; one that is not there is no error."""
    podman("rm", "--force", "--ignore", "--time", "0", *names, check=False)
