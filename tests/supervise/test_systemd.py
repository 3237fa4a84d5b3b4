#!/usr/bin/env python3
"""The units of etc/systemd under a real systemd, in a container: what a busy day brings."""

import json
import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "lib"))
import machine  # noqa: E402
import podman  # noqa: E402
import sinkhole  # noqa: E402
import tap  # noqa: E402

PORT = 2525
PROGRAMS = ("sinkholed", "sinkhole-refresh")

# Visits from inside the machine's network: the codes that RCPT got, and the longest wait.
VISITOR = f"""
import json, socket, sys, time
sys.path.insert(0, sys.argv[1])
from concurrent.futures import ThreadPoolExecutor
from oneshot import QUICK, answer
def visit(number):
    time.sleep(float(sys.argv[3]) * (number % 5))
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", {PORT}), 60) as client:
        client.sendall(QUICK.encode())
        code = answer(b"".join(iter(lambda: client.recv(4096), b"")).decode())
    return code, time.monotonic() - start
with ThreadPoolExecutor(16) as pool:
    done = list(pool.map(visit, range(int(sys.argv[2]))))
print(json.dumps(dict(codes=[c for c, _ in done], longest=max(t for _, t in done))))
"""


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        machine.make()
        cls.machine = machine.Machine("systemd")
        cls.addClassCleanup(cls.machine.stop)
        cls.machine.start("--volume", f"{sinkhole.REPO}/etc/systemd:/etc/units:ro")
        for name in PROGRAMS:
            podman.podman("cp", sinkhole.program(name), f"{cls.machine.name}:/usr/local/sbin/")
        podman.podman("cp", sinkhole.program("sinkholectl"),
                      f"{cls.machine.name}:/usr/local/bin/")
        cls.shell("cp /etc/units/* /etc/systemd/system/")

    def tearDown(self):
        self.shell("systemctl stop 'sinkhole*'; systemctl reset-failed; rm -f /etc/sinkhole.env "
                 "/etc/systemd/system/sinkhole.service.d/*; "
                 "systemctl clean --what=runtime sinkhole.service || :")

    @classmethod
    def shell(cls, script):
        return cls.machine.execute("bash", "-c", script)

    def begin(self, socket_unit, mode="bounce", settings="", **drop_ins):
        """Starts a socket unit, with settings and more lines for the service."""
        self.shell(f"printf '%s\\n' 'SINKHOLE_MODE_SOURCE=static:{mode}' {settings} "
                 ">/etc/sinkhole.env; mkdir -p /etc/systemd/system/sinkhole.service.d")
        for name, text in drop_ins.items():
            self.shell(f"printf '[Service]\\n{text}\\n' "
                     f">/etc/systemd/system/sinkhole.service.d/{name}.conf")
        self.shell(f"systemctl daemon-reload; systemctl start {socket_unit}")

    def visit(self, count=1, pause=0.0):
        pid = str(podman.pid(self.machine.name))
        done = subprocess.run(
            ["nsenter", "-t", pid, "-n", sys.executable, "-c", VISITOR,
             os.path.join(sinkhole.REPO, "tests", "lib"), str(count), str(pause)],
            capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr + self.journal())
        return json.loads(done.stdout)

    def show(self, unit, what):
        return self.shell(f"systemctl show -P {what} {unit}").strip()

    def journal(self):
        return self.shell("journalctl -o cat --no-pager -u 'sinkhole*' -n 60")

    def events(self, name):
        lines = self.shell(f"journalctl -o cat --no-pager -u 'sinkhole*' -b --grep "
                         f"'\"event\":\"{name}\"' || :").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def test_ready_is_told_and_the_daemon_is_shut_in(self):
        self.begin("sinkhole.socket")
        self.assertEqual(self.visit()["codes"], [550])
        self.assertEqual(self.show("sinkhole.service", "ActiveState"), "active")
        self.assertEqual(self.show("sinkhole.service", "Type"), "notify")
        pid = self.show("sinkhole.service", "MainPID")
        status = self.shell(f"cat /proc/{pid}/status")
        self.assertIn("CapBnd:\t0000000000000000", status)
        self.assertIn("Seccomp:\t2", status)
        self.assertNotIn("Uid:\t0\t", status)
        self.assertEqual(self.shell("readlink /run/sinkhole").strip(), "private/sinkhole")

    def test_idle_exit_loses_no_connection(self):
        self.begin("sinkhole.socket", idle="ExecStart=\\nExecStart=/usr/local/sbin/sinkholed "
                   "--idle-exit 1\\n")
        before = len(self.events("ready"))
        for _ in range(3):
            self.assertEqual(self.visit(60, 0.05)["codes"], [550] * 60)
            sinkhole.wait_for(
                lambda: self.show("sinkhole.service", "ActiveState") == "inactive", "it leaves")
        self.assertEqual(len(self.events("ready")) - before, 3)
        self.assertEqual(self.show("sinkhole.service", "Result"), "success")
        self.assertEqual(self.shell("pgrep sinkhol || :"), "")

    def test_a_killed_daemon_is_brought_back(self):
        self.begin("sinkhole.socket")
        self.visit()
        pid = self.show("sinkhole.service", "MainPID")
        self.shell(f"kill -9 {pid}")
        self.assertEqual(self.visit(20)["codes"], [550] * 20)
        self.assertNotEqual(self.show("sinkhole.service", "MainPID"), pid)

    def test_wrong_settings_end_in_a_failure_that_says_why(self):
        self.begin("sinkhole.socket", settings="SINKHOLE_ENVIRONMENT=prod")
        podman.execute(self.machine.name, "bash", "-c",
                       f"exec 3<>/dev/tcp/127.0.0.1/{PORT}; cat <&3", check=False)
        sinkhole.wait_for(lambda: self.show("sinkhole.socket", "ActiveState") == "failed",
                          "systemd gives up")
        self.assertEqual(self.show("sinkhole.service", "ExecMainStatus"), "100")
        self.assertIn("must never run in prod", self.journal())

    def test_a_process_for_each_of_300_clients(self):
        self.begin("sinkhole-inetd.socket", mode="greylist")
        result = self.visit(300)
        self.assertEqual((result["codes"].count(421), result["codes"].count(250)), (1, 299))
        sinkhole.wait_for(lambda: self.shell("pgrep sinkhol || :") == "", "nothing is left")
        self.assertEqual(self.shell("systemctl list-units --failed -q 'sinkhole*'"), "")

    def test_a_fetch_in_the_background_outlives_its_session(self):
        """systemd would end it with the session's unit but for ExitType=cgroup. The endpoint does
        not answer, so that the fetch lasts."""
        self.begin("sinkhole-inetd.socket", settings="SINKHOLE_MODE_SOURCE=ssm:/sinkhole "
                   "AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=secret "
                   f"AWS_ENDPOINT_URL_SSM=http://127.0.0.1:{PORT + 1}")
        pid = str(podman.pid(self.machine.name))
        silent = subprocess.Popen(
            ["nsenter", "-t", pid, "-n", sys.executable, "-c",
             "import socket, sys\n"
             f"s = socket.create_server(('127.0.0.1', {PORT + 1}))\n"
             "c, _ = s.accept()\n"
             "print(c.recv(4096).split(b'\\r\\n')[0].decode(), flush=True)\n"
             "sys.stdin.read()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        sinkhole.wait_for(lambda: self.machine.listens(PORT + 1), "the endpoint listens")
        start = time.monotonic()
        self.assertEqual(self.visit()["codes"], [421])
        self.assertLess(time.monotonic() - start, 10)
        self.assertEqual(silent.stdout.readline(), "POST / HTTP/1.1\n")
        self.assertEqual(self.shell("pgrep -c sinkhole-refres").strip(), "1")
        silent.communicate()
        sinkhole.wait_for(lambda: self.events("source_failed"), "the fetch has failed by itself")
        sinkhole.wait_for(lambda: self.shell("pgrep sinkhol || :") == "", "nothing is left")


if __name__ == "__main__":
    tap.main()
