#!/usr/bin/env python3
"""What is in the image: each file for a reason, nothing set-id, no package that nothing needs."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import podman  # noqa: E402
import tap  # noqa: E402
import tier  # noqa: E402

SIZE_MAX = 60 * 1000 * 1000
MANIFEST = "/usr/share/sinkhole/manifest"
STATUS = "/var/lib/dpkg/status.d/"
MADE = {"/etc/ssl/certs/ca-certificates.crt": "ca-certificates"}  # at its installation
# Mount points that podman leaves in what it exports.
MOUNTED = {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab", "/run/.containerenv"}
FOREIGN = ("python", "perl", "awscli", "apt", "dpkg", "gcc", "make", "busybox", "curl", "bash")


class Contents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tier.Box("export") as box:
            podman.podman("create", "--name", box.name, "--pull=never", "--no-healthcheck",
                          "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024", tier.image())
            cls.tree = tempfile.mkdtemp()
            cls.addClassCleanup(shutil.rmtree, cls.tree)
            archive = os.path.join(cls.tree, ".tar")
            podman.podman("export", "--output", archive, box.name)
            with tarfile.open(archive) as tar:
                cls.members = {"/" + m.name: m for m in tar if "/" + m.name not in MOUNTED}
                tar.extractall(cls.tree, filter="tar")
        with open(cls.tree + MANIFEST, encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file]
        cls.manifest = {path: (package.split()[0], reason) for path, package, reason in rows}

    def files(self):
        return {path for path, member in self.members.items() if not member.isdir()}

    def loaded(self, path):
        """The shared objects that a file names, by their file names; None for no ELF file."""
        done = subprocess.run(["readelf", "--dynamic", "--program-headers", self.tree + path],
                              text=True, capture_output=True, check=False)
        if done.returncode != 0:
            return None
        linker = re.findall(r"interpreter: .*/([^/\]]+)\]", done.stdout)
        return set(re.findall(r"\(NEEDED\).*\[(.*)\]", done.stdout) + linker)

    def test_the_manifest_has_each_file_and_no_other(self):
        self.assertEqual(set(self.manifest), self.files())

    def test_each_file_has_a_reason(self):
        self.assertEqual([path for path, (package, reason) in self.manifest.items()
                          if not package or len(reason) < 8], [])

    def test_the_packages_are_those_that_debian_names(self):
        stated = {path: package for path, (package, _) in self.manifest.items()
                  if package != "sinkhole" and not path.startswith(STATUS) and path not in MADE}
        names = [name for path in stated for name in (path, path.removeprefix("/usr"))]
        found = podman.run("--rm", tier.BASE, "dpkg-query", "-S", *names, check=False).stdout
        owners = {(package.split(":")[0], path) for packages, path in
                  (line.rsplit(": ", 1) for line in found.splitlines())
                  for package in packages.split(", ")}
        self.assertEqual([(path, package) for path, package in stated.items() if not
                          {(package, path), (package, path.removeprefix("/usr"))} & owners], [])

    def test_each_library_is_loaded_by_something(self):
        libraries = {path for path, (_, reason) in self.manifest.items()
                     if reason.startswith("loaded by ")}
        needed = set().union(*(self.loaded(path) or () for path in self.files()))
        self.assertEqual({os.path.basename(path) for path in libraries}, needed)

    def test_only_listed_programs_are_executable(self):
        """A program is there for a reason of its own, so somebody has written it down."""
        with open(os.path.join(tier.REPO, "container/contents"), encoding="utf-8") as file:
            listed = {line.split()[0] for line in file if line.startswith("/")}
        programs = {path for path in self.files() if self.members[path].mode & 0o111
                    and self.members[path].isfile() and "/lib" not in path}
        self.assertLessEqual(programs, listed)

    def test_each_package_is_needed(self):
        """The scanners' records are of those packages that a file is from, and of no other."""
        used = {package for path, (package, _) in self.manifest.items()
                if not path.startswith(STATUS)} - {"sinkhole"}
        recorded = {path.removeprefix(STATUS) for path in self.files() if path.startswith(STATUS)}
        self.assertEqual(recorded, used)

    def test_no_compiler_no_package_manager_no_interpreter(self):
        self.assertEqual([path for path in self.files() if not path.startswith(STATUS)
                          and os.path.basename(path).startswith(FOREIGN)], [])

    def test_nothing_is_set_id(self):
        self.assertEqual([path for path, member in self.members.items()
                          if member.mode & 0o6000], [])

    def test_root_owns_all_and_others_write_only_to_mount_points(self):
        self.assertEqual([path for path, m in self.members.items() if m.uid or m.gid], [])
        self.assertEqual([path for path, m in self.members.items()
                          if m.mode & 0o022 and not m.issym()], ["/run", "/tmp"])

    def test_it_is_small(self):
        size = sum(member.size for member in self.members.values())
        print(f"# {len(self.files())} files, {size / 1e6:.1f} MB unpacked")
        self.assertLessEqual(size, SIZE_MAX)


class Configuration(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.name = tier.image()

    def field(self, template):
        return podman.inspect(self.name, template)

    def test_what_runs(self):
        self.assertEqual(self.field("{{.Config.Entrypoint}}"), "[/etc/s6/init]")
        self.assertEqual(self.field("{{.Config.User}}"), "10025:10025")
        self.assertEqual(self.field("{{.Config.StopSignal}}"), "SIGTERM")
        self.assertEqual(self.field("{{.Config.ExposedPorts}}"), "map[25/tcp:{}]")

    def test_health_check(self):
        self.assertEqual(self.field("{{.HealthCheck.Test}}"), "[CMD sinkholectl check]")

    def test_labels(self):
        labels = dict(re.findall(r"org\.opencontainers\.image\.(\w+):(.*?)(?= \w+\.|\]$)",
                                 self.field("{{.Config.Labels}}")))
        self.assertEqual(labels["title"], "sinkhole")
        self.assertRegex(labels["version"], r"^\d+\.\d+\.\d+$")
        self.assertRegex(labels["revision"], r"^([0-9a-f]{40}|unknown)$")
        self.assertRegex(labels["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_the_base_is_pinned_by_digest(self):
        with open(os.path.join(tier.REPO, "container/Containerfile"), encoding="utf-8") as file:
            self.assertRegex(file.read(), r"ARG BASE_IMAGE=\S+@sha256:[0-9a-f]{64}\n")

    def test_it_is_a_command_too(self):
        done = podman.run("--rm", self.name, "sinkholectl", "--version", check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^sinkholectl \d")


class Reproducible(unittest.TestCase):
    def test_two_builds_give_one_layer(self):
        tier.image()
        self.assertEqual(self.layers(), self.layers())

    def layers(self):
        name = f"localhost/{tier.unique('again')}"
        self.addCleanup(podman.podman, "rmi", "--ignore", name)
        with tempfile.TemporaryDirectory() as empty:
            return podman.inspect(tier.build(empty, name, SOURCE_DATE_EPOCH="1700000000"),
                                  "{{.RootFS.Layers}}")


if __name__ == "__main__":
    tap.main()
