"""Terraform in tests: a copy of infra/, a provider found on this machine or fetched."""

import glob
import json
import os
import re
import shutil
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build"))
PROVIDER = os.path.join("hashicorp", "aws")
# Where Terraform itself looks, and places that would only cost time.
KNOWN_PLACES = ["~/.terraform.d/plugins", "~/.local/share/terraform/plugins",
                "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins"]
# What init says when it is the provider that is missing; anything else is our own mistake.
NO_PROVIDER = re.compile(r"Failed to (query available|install) provider")
NEVER_SEARCHED = {"proc", "sys", "dev", "run", "tmp", "boot", "lost+found"}


def _holds_provider(place):
    return bool(glob.glob(os.path.join(place, "*", PROVIDER)))


def _search():
    """A mirror two or three levels below the root directory, wherever that is."""
    for top in sorted(set(os.listdir("/")) - NEVER_SEARCHED):
        for depth in ("*", "*/*"):
            for found in sorted(glob.glob(os.path.join("/", top, depth, "*", PROVIDER))):
                return os.path.dirname(os.path.dirname(os.path.dirname(found)))
    return None


def find_mirror():
    """The directory of a provider mirror: TF_PLUGIN_MIRROR, a known place, or a short search."""
    named = os.environ.get("TF_PLUGIN_MIRROR")
    if named:
        if not _holds_provider(named):
            raise RuntimeError(f"TF_PLUGIN_MIRROR={named} has no <host>/{PROVIDER} in it")
        return named
    for place in map(os.path.expanduser, KNOWN_PLACES):
        if _holds_provider(place):
            return place
    return _search()


def _environ(home):
    """Variables for Terraform: no prompts, no check-ups, plugins from the mirror if there is one."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    env |= {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
    mirror = find_mirror()
    named = os.environ.get("TF_CLI_CONFIG_FILE", "")
    if mirror is None and os.path.exists(named):
        env["TF_CLI_CONFIG_FILE"] = named
        return env
    config = os.path.join(home, "terraform.rc")
    with open(config, "w", encoding="utf-8") as out:
        out.write("disable_checkpoint = true\n")
        if mirror:
            out.write(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n'
                      "  }\n}\n")
    env["TF_CLI_CONFIG_FILE"] = config
    if mirror is None:
        cache = os.path.join(BUILD, "terraform-plugins")
        os.makedirs(cache, exist_ok=True)
        env["TF_PLUGIN_CACHE_DIR"] = cache
    return env


class Unavailable(Exception):
    """Terraform or its provider cannot be had here; the text says why."""


class Workspace:
    """A scratch copy of infra/ (or of a part of it), initialised; a context manager."""

    def __init__(self, part="."):
        if not shutil.which("terraform"):
            raise Unavailable("terraform is not installed")
        self._home = tempfile.TemporaryDirectory(prefix="sinkhole-infra-")
        infra = os.path.join(self._home.name, "infra")
        shutil.copytree(os.path.join(TOP, "infra"), infra,
                        ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        self.path = os.path.normpath(os.path.join(infra, part))
        self.env = _environ(self._home.name)
        self._init()

    def _init(self):
        done = self.run("init", "-backend=false", check=False)
        if done.returncode == 0:
            return
        self.close()
        if NO_PROVIDER.search(done.stderr):
            raise Unavailable("terraform init found no AWS provider that fits: no mirror on this "
                              "machine (TF_PLUGIN_MIRROR names one) and no registry")
        raise RuntimeError(f"terraform init: {done.stderr}")

    def close(self):
        self._home.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def run(self, *args, check=True, **extra):
        """terraform ARGS in the copy; the CompletedProcess with text output."""
        done = subprocess.run(["terraform", args[0], *self._flags(args[0]), *args[1:]],
                              cwd=self.path, env=self.env | extra, text=True, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True)
        if check and done.returncode != 0:
            raise RuntimeError(f"terraform {' '.join(args)}: {done.returncode}\n"
                               f"{done.stdout}\n{done.stderr}")
        return done

    @staticmethod
    def _flags(command):
        return [] if command in ("show", "output", "state") else ["-no-color"]

    def write_json(self, name, value):
        with open(os.path.join(self.path, name), "w", encoding="utf-8") as out:
            json.dump(value, out)

    def plan(self, *variables, **extra):
        """Plans; returns the plan as data (terraform show -json)."""
        self.run("plan", "-out=plan.bin", *variables, **extra)
        return json.loads(self.run("show", "-json", "plan.bin").stdout)

    def outputs(self):
        found = json.loads(self.run("output", "-json").stdout)
        return {name: output["value"] for name, output in found.items()}


def changes(plan, *, modes=("managed",)):
    """{address: "create"|"update"|"delete"|"replace"} of a plan, without what stays."""
    found = {}
    for change in plan.get("resource_changes", []):
        actions = change["change"]["actions"]
        if change["mode"] in modes and actions not in (["no-op"], ["read"]):
            found[change["address"]] = "replace" if len(actions) == 2 else actions[0]
    return found
