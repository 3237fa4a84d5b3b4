#!/usr/bin/env python3
"""Checks that the documents say what the sources do: events, options, variables, links."""

import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), HERE]
import eventdoc  # noqa: E402
import tap  # noqa: E402
import tree  # noqa: E402

# Where each program's table of options stands, and its page.
PAGES = {
    "src/server/settings.c": "docs/man/sinkholed.8",
    "src/ctl/arguments.c": "docs/man/sinkholectl.1",
    "src/aws/fetcher.c": "docs/man/sinkhole-refresh.8",
}
ROW = re.compile(r'\{"([a-z-]+)",\s*(?:0|\'.\'),\s*(?:NULL|"([A-Z_]+)"),\s*OPTION_')


def plain(page):
    """A page's text without roff's escapes."""
    return tree.text(page).replace("\\-", "-").replace("\\&", "")


class Events(unittest.TestCase):
    def test_page_and_sources_name_the_same(self):
        emitted = set()
        for path in tree.tracked("src/*.c", "cmd/*.c"):
            emitted |= set(re.findall(
                r'(?:log_event|log_message|begin|log_value|log_fault|print_value|print_event)'
                r'\((?:\w+, )?"(\w+)"', tree.text(path)))
            emitted |= set(re.findall(r'\.event = "(\w+)"', tree.text(path)))
        self.assertEqual(emitted, set(eventdoc.EVENTS) - {None})


class Options(unittest.TestCase):
    def test_pages_list_every_option_once_and_no_other(self):
        for source, page in PAGES.items():
            with self.subTest(page):
                rows = ROW.findall(tree.text(source))
                self.assertGreater(len(rows), 5, f"no table of options in {source}")
                listed = re.findall(r"^\.TP\n\.(?:B|BR|BI) .*?--([a-z-]+)", plain(page),
                                    re.MULTILINE)
                self.assertEqual(sorted(listed), sorted(name for name, _ in rows))

    def test_pages_list_every_variable(self):
        for source, page in PAGES.items():
            with self.subTest(page):
                variables = {env for _, env in ROW.findall(tree.text(source)) if env}
                self.assertEqual({v for v in variables if v not in plain(page)}, set())


class Pages(unittest.TestCase):
    def test_manuals_are_clean(self):
        groff = tree.need("groff")
        for page in tree.tracked("docs/man/*"):
            with self.subTest(page):
                result = subprocess.run([groff, "-man", "-ww", "-z", "-Tutf8", "-K", "utf-8",
                                         page], cwd=tree.REPO, capture_output=True, text=True,
                                        check=False)
                self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_links_lead_somewhere(self):
        broken = []
        for page in tree.tracked("*.md"):
            for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", tree.text(page)):
                path = os.path.join(tree.REPO, os.path.dirname(page), target)
                if not re.match(r"[a-z]+:", target) and not os.path.exists(path):
                    broken.append(f"{page}: {target}")
        self.assertEqual(broken, [])


if __name__ == "__main__":
    tap.main()
