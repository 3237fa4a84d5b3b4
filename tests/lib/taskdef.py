"""An ECS container definition as podman's flags: what the agent would ask of Docker."""


def _tmpfs(mounts):
    for mount in mounts:
        options = ",".join([*mount["mountOptions"], f"size={mount['size']}m"])
        yield f"--tmpfs={mount['containerPath']}:{options}"


def _linux(parameters):
    left = dict(parameters)
    if left.pop("initProcessEnabled"):
        yield "--init"
    capabilities = left.pop("capabilities")
    yield from (f"--cap-drop={name}" for name in capabilities["drop"])
    yield from (f"--cap-add={name}" for name in capabilities["add"])
    yield from _tmpfs(left.pop("tmpfs"))
    if left:
        raise ValueError(f"linuxParameters that podman is not told: {sorted(left)}")


def _read_only(wanted):
    # podman would add tmpfs of its own where the root is read-only; ECS does not.
    return ["--read-only", "--read-only-tmpfs=false"] if wanted else []


def _privileged(wanted):
    return ["--privileged"] if wanted else []


# Each key of a definition, and what podman is told for it.
FLAGS = {
    "user": lambda value: [f"--user={value}"],
    "readonlyRootFilesystem": _read_only,
    "privileged": _privileged,
    "linuxParameters": _linux,
    "dockerSecurityOptions": lambda value: [f"--security-opt={one}" for one in value],
    "systemControls": lambda value: [f"--sysctl={one['namespace']}={one['value']}"
                                     for one in value],
    "memory": lambda value: [f"--memory={value}m"],
    "memoryReservation": lambda value: [f"--memory-reservation={value}m"],
    "environment": lambda value: [f"--env={one['name']}={one['value']}" for one in value],
    "stopTimeout": lambda value: [f"--stop-timeout={value}"],
}
# What is no flag of one container: ECS schedules, names, logs and probes by it.
NOT_FLAGS = {"name", "image", "essential", "portMappings", "healthCheck", "logConfiguration"}
# What has to be empty, since nothing here would act on it.
EMPTY = {"secrets", "mountPoints", "volumesFrom"}


def podman_flags(definition):
    """The flags; a key that nobody here knows is an error, so that none is forgotten."""
    flags = []
    for key, value in definition.items():
        if key in FLAGS:
            flags.extend(FLAGS[key](value))
        elif key not in NOT_FLAGS and not (key in EMPTY and not value):
            if not (key == "cpu" and value == 0):
                raise ValueError(f"podman is not told of {key}: {value}")
    return flags


def health_command(definition):
    """The health check's arguments; only the form without a shell is taken."""
    form, *command = definition["healthCheck"]["command"]
    if form != "CMD":
        raise ValueError(f"a health check of the form {form} needs a shell")
    return command
