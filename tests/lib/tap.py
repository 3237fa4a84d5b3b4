"""Runs a module's unittest cases and prints TAP, the form that tests/run counts.

A test file ends with:

    if __name__ == "__main__":
        tap.main()

Arguments are names to run (Class or Class.test_method); without any, all.
"""

import sys
import traceback
import unittest


class TapResult(unittest.TestResult):
    """Prints one TAP line for each test as it ends."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def _line(self, ok, test, remark=""):
        self.count += 1
        name = test.id().replace("__main__.", "").replace("#", "")
        print(f"{'ok' if ok else 'not ok'} {self.count} {name}{remark}", flush=True)

    def _detail(self, err):
        for line in "".join(traceback.format_exception(*err)).splitlines():
            print(f"# {line}", flush=True)

    def addSuccess(self, test):
        self._line(True, test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._line(False, test)
        self._detail(err)

    addError = addFailure

    def addSkip(self, test, reason):
        self._line(True, test, f" # SKIP {reason}")

    def addExpectedFailure(self, test, err):
        self._line(True, test)

    def addUnexpectedSuccess(self, test):
        self.addFailure(test, (AssertionError, AssertionError("unexpected success"), None))

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.addFailure(subtest, err)


def main():
    """Runs the calling script's tests; exits 0 when none failed."""
    loader = unittest.defaultTestLoader
    module = sys.modules["__main__"]
    names = sys.argv[1:]
    suite = (loader.loadTestsFromNames(names, module) if names
             else loader.loadTestsFromModule(module))
    result = TapResult()
    suite.run(result)
    print(f"1..{result.count}")
    sys.exit(0 if not result.failures else 1)
