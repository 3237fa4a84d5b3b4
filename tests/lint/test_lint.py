#!/usr/bin/env python3
"""Checks of the text of the tree: who includes whom, sizes, format, shell, what may be named."""

import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), HERE]
import tap  # noqa: E402
import tree  # noqa: E402

# Who may include whom; a program's main stands for its file in cmd/.
LAYERS = {
    "src/base": {"base"},
    "src/mode": {"mode", "base"},
    "src/aws": {"aws", "mode", "base"},
    "src/smtp": {"smtp", "mode", "base"},
    "src/server": {"server", "smtp", "mode", "base"},
    "src/report": {"report", "mode", "base"},
    "src/ctl": {"ctl", "report", "mode", "base"},
    "cmd/sinkholed.c": {"server", "smtp", "mode", "base"},
    "cmd/sinkholectl.c": {"ctl", "mode", "base"},
    "cmd/sinkhole-refresh.c": {"aws", "mode", "base"},
}

# Headers that lend a power, and the only files or folders that may have it.
KEEPERS = {
    "curl/curl.h": ("src/aws/http.c",),
    "json-c/": ("src/aws/", "src/report/"),
    "openssl/": (),  # TLS and signatures are libcurl's
    "sys/mman.h": ("src/mode/board.c", "src/server/secrets.c",
                   "src/server/gen/"),
    "sys/inotify.h": ("src/mode/",),
    "sys/socket.h": ("src/base/outlet.c", "src/base/devlog.c", "src/base/wire.c",
                     "src/server/", "src/ctl/dial.c"),
    "sys/prctl.h": ("src/server/", "src/aws/fetcher.c"),
    "sys/wait.h": ("src/server/", "src/ctl/helper.c", "src/aws/"),
    "seccomp.h": ("src/server/",),
}

FILE_LINES = 400
FUNCTION_LINES = 80
C_FILES = ("src/*.[ch]", "cmd/*.[ch]")


def includes(path):
    """(line number, what is included, in quotes?)"""
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+(["<])([^">]+)', line)
        if match:
            yield number, match.group(2), match.group(1) == '"'


class Layers(unittest.TestCase):
    def test_includes_go_down_only(self):
        wrong = []
        for path in tree.tracked(*C_FILES):
            allowed = next((v for k, v in LAYERS.items() if path == k or
                            path.startswith(k + "/")), None)
            self.assertIsNotNone(allowed, f"{path} is in no layer")
            for number, name, quoted in includes(path):
                if quoted and name != "config.h" and name.split("/")[0] not in allowed:
                    wrong.append(f"{path}:{number}: may not include {name}")
        self.assertEqual(wrong, [])

    def test_powers_stay_with_their_keepers(self):
        wrong = []
        for path in tree.tracked(*C_FILES):
            for number, name, quoted in includes(path):
                for header, keepers in KEEPERS.items():
                    if not quoted and name.startswith(header) and not path.startswith(keepers):
                        wrong.append(f"{path}:{number}: {name} belongs to {keepers}")
        self.assertEqual(wrong, [])


class Sizes(unittest.TestCase):
    def test_files(self):
        long = [f"{path}: {lines} lines" for path in tree.tracked(*C_FILES, "*.py", "*.sh")
                if (lines := tree.text(path).count("\n")) > FILE_LINES]
        self.assertEqual(long, [])

    def test_functions(self):
        long = []
        for path in tree.tracked("*.c"):
            start = None
            for number, line in enumerate(tree.text(path).splitlines(), 1):
                if line == "{":
                    start = number
                elif line == "}" and start:
                    if number - start + 1 > FUNCTION_LINES:
                        long.append(f"{path}:{start}: {number - start + 1} lines")
                    start = None
        self.assertEqual(long, [])


class Text(unittest.TestCase):
    def find(self, pattern, paths=None, leave=()):
        found = []
        for path in paths or tree.tracked():
            if tree.is_binary(path) or path in leave or path.startswith("tests/lint/"):
                continue
            for number, line in enumerate(tree.text(path).splitlines(), 1):
                if re.search(pattern, line):
                    found.append(f"{path}:{number}: {line.strip()[:100]}")
        return found

    def test_no_path_of_one_machine(self):
        self.assertEqual(self.find(r"(^|[\s\"'=:(`])/(work|root|home)/"), [])

    def test_no_registry_is_named(self):
        hosts = r"debian\.org|npmjs|pypi\.org|pythonhosted|docker\.io|golang\.org/x|crates\.io"
        self.assertEqual(self.find(hosts), [])

    def test_nothing_is_left_to_do(self):
        self.assertEqual(self.find(r"\b(TODO|FIXME|XXX|HACK)\b"), [])

    def test_white_space(self):
        self.assertEqual(self.find(r"[ \t]$", [p for p in tree.tracked()
                                               if not p.endswith((".patch", ".eml", ".txt"))]),
                         [])

    def test_tabs_only_in_makefiles(self):
        paths = tree.tracked("*.c", "*.h", "*.py", "*.sh", "*.tf")
        self.assertEqual(self.find(r"^\s*\t", paths), [])

    def test_last_line_ends(self):
        cut = [p for p in tree.tracked() if not tree.is_binary(p) and tree.text(p)
               and not p.startswith("tests/fuzz/") and not tree.text(p).endswith("\n")]
        self.assertEqual(cut, [])


def shell_scripts():
    return [p for p in tree.tracked() if not tree.is_binary(p)
            and re.match(r"#!\s*/bin/(ba|da)?sh|#!/usr/bin/env (ba|da)?sh", tree.text(p))]


class Programs(unittest.TestCase):
    def test_shellcheck(self):
        tool = tree.need("shellcheck")
        result = subprocess.run([tool, "--severity=style", *shell_scripts()], cwd=tree.REPO,
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_shell_stops_at_errors(self):
        self.assertEqual([p for p in shell_scripts()
                          if not re.search(r"^set -eu\b", tree.text(p), re.MULTILINE)], [])

    def test_clang_format(self):
        tool = tree.need("clang-format")
        version = subprocess.run([tool, "--version"], capture_output=True, text=True,
                                 check=True).stdout
        if " 14." not in version:
            self.skipTest(f"the format is that of clang-format 14; this is {version.strip()}")
        result = subprocess.run([tool, "--dry-run", "-Werror", *tree.tracked("*.c", "*.h")],
                                cwd=tree.REPO, capture_output=True, text=True, check=False)
        wrong = sorted(set(re.findall(r"^([^:\s]+\.[ch]):\d+", result.stderr, re.MULTILINE)))
        self.assertEqual(wrong, [])

    def test_python_compiles(self):
        for path in tree.tracked("*.py"):
            compile(tree.text(path), path, "exec")

    def test_suites_are_programs(self):
        wrong = [p for p in tree.tracked("tests/*/test_*.py")
                 if not tree.text(p).startswith("#!/usr/bin/env python3\n")
                 or not os.access(os.path.join(tree.REPO, p), os.X_OK)]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    tap.main()
