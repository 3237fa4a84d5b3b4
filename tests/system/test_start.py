#!/usr/bin/env python3
"""Starting: options, variables, readiness, and what is said when it cannot start."""

import os
import select
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import mailer  # noqa: E402
import tap  # noqa: E402
from mailer import Client  # noqa: E402
from sinkhole import PATIENCE, Daemon, program, run  # noqa: E402


class Readiness(unittest.TestCase):
    def read_to_end(self, fd):
        """Fails when somebody goes on holding the other end."""
        text = b""
        with os.fdopen(fd, "rb", buffering=0) as pipe:
            while select.select([pipe], [], [], PATIENCE)[0]:
                chunk = pipe.read(100)
                if not chunk:
                    return text
                text += chunk
        raise AssertionError(f"{text} and no end")

    def test_newline_on_notify_fd(self):
        read_end, write_end = os.pipe()
        with Daemon("bounce", args=["--notify-fd", str(write_end)],
                    pass_fds=[write_end]) as daemon:
            os.close(write_end)
            self.assertEqual(self.read_to_end(read_end), b"\n")
            with Client(daemon.port) as client:
                client.hello().mail(code=550)

    def test_notify_socket(self):
        with Daemon() as outer, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
            path = os.path.join(outer.dir, "notify")
            supervisor.bind(path)
            os.chmod(path, 0o777)
            supervisor.settimeout(PATIENCE)
            with Daemon(env={"NOTIFY_SOCKET": path}) as daemon:
                self.assertIn(b"READY=1", supervisor.recv(4096))
                daemon.stop()
                self.assertIn(b"STOPPING=1", supervisor.recv(4096))

    def test_ready_with_the_mode_of_the_source(self):
        """From the first connection on: no `defer` in between."""
        for _ in range(5):
            with Daemon("bounce") as daemon, Client(daemon.port) as client:
                client.hello().mail(code=550)
                self.assertEqual(daemon.events[0]["event"], "mode")


class Settings(unittest.TestCase):
    def refused(self, *args, env=None, status=100):
        result = run(program("sinkholed"), *args, env=env)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        return result.stderr

    def test_bad_input_gets_one_line(self):
        for args, words in [
                (["--bind-port", "70000"], ["--bind-port", "70000", "65535"]),
                (["--bind-port", "25x"], ["25x"]),
                (["--workers", "9..3"], ["9..3", "MIN..MAX"]),
                (["--workers", "0"], ["--workers"]),
                (["--drain", "soon"], ["soon", "seconds"]),
                (["--no-such"], ["--no-such", "--help"]),
                (["--mode-source", "ftp:/x"], ["ftp:/x", "file:/PATH"]),
                (["--mode-source", "file:relative"], ["file:relative"]),
                (["--server-name", "two words"], ["two words"]),
                (["--run-dir", "relative"], ["relative"]),
                (["--max-line", "100"], ["--max-line", "512"]),
                (["operand"], ["operand"]),
                (["--bind-port"], ["--bind-port"])]:
            with self.subTest(args):
                said = self.refused(*args)
                for word in words:
                    self.assertIn(word, said)

    def test_bad_variable_is_named(self):
        self.assertIn("SINKHOLE_BIND_PORT", self.refused(env={"SINKHOLE_BIND_PORT": "many"}))

    def test_variables_serve_and_flags_win(self):
        env = {"SINKHOLE_SERVER_NAME": "by.variable.test", "SINKHOLE_MODE_SOURCE": "static:accept",
               "SINKHOLE_GREYLIST_WINDOW": "", "SINKHOLE_WORKERS": "1"}
        with Daemon("bounce", env=env, workers="2..3") as daemon:
            with Client(daemon.port) as client:
                self.assertTrue(client.greeting.startswith("by.variable.test "))
                client.hello().mail(code=550)
            self.assertEqual(daemon.status()["workers"]["min"], 2)
        with Daemon(env=env, args=["--server-name", "by.flag.test"]) as daemon:
            with Client(daemon.port) as client:
                self.assertTrue(client.greeting.startswith("by.flag.test "))

    def test_greets_by_the_documented_name(self):
        with Daemon() as daemon, Client(daemon.port) as client:
            self.assertTrue(client.greeting.startswith("sinkhole.cabal.internal ESMTP"))

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken, Daemon() as daemon:
            port = taken.getsockname()[1]
            said = self.refused("--bind-host", "127.0.0.1", "--bind-port", str(port),
                                "--run-dir", os.path.join(daemon.dir, "other"), status=111)
            self.assertIn(str(port), said)
            self.assertIn("in use", said)

    def test_second_daemon_in_one_run_directory(self):
        with Daemon() as daemon:
            said = self.refused("--bind-host", "127.0.0.1", "--bind-port", "0", "--run-dir",
                                daemon.run_dir, status=111)
            self.assertIn(daemon.run_dir, said)
            self.assertEqual(mailer.swaks(daemon).returncode, 24)

    def test_closed_descriptors_are_nothing_elses(self):
        """Neither the credentials nor a socket nor the board takes the number of one of them."""
        daemon = Daemon("bounce", args=["--log", "none"])
        daemon.command = ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', *daemon.command]
        with daemon:
            with Client(daemon.port) as client:
                client.hello().mail(code=550)
            for pid in (daemon.pid, daemon.status()["refresher"]):
                self.assertEqual([os.readlink(f"/proc/{pid}/fd/{fd}") for fd in range(3)],
                                 ["/dev/null"] * 3)

    def test_several_addresses(self):
        with Daemon(host="127.0.0.1,127.0.0.2") as daemon:
            hosts = [a.rsplit(":", 1)[0] for a in daemon.status()["listening"]]
            self.assertEqual(hosts, ["127.0.0.1", "127.0.0.2"])
            for address in daemon.status()["listening"]:
                host, port = address.rsplit(":", 1)
                with Client(int(port), host) as client:
                    client.command("QUIT", 221)

    def test_all_addresses_by_default(self):
        with Daemon(host="") as daemon:
            with Client(daemon.port) as client:
                client.command("QUIT", 221)
            self.assertEqual(daemon.ctl("check").returncode, 0)

    def test_help_and_version(self):
        for name in ("sinkholed", "sinkholectl", "sinkhole-refresh"):
            with self.subTest(name):
                shown = run(program(name), "--help")
                self.assertEqual((shown.returncode, shown.stderr), (0, ""))
                self.assertIn("--run-dir", shown.stdout)
                self.assertIn("SINKHOLE_RUN_DIR", shown.stdout)
                version = run(program(name), "--version")
                self.assertRegex(version.stdout, rf"^{name} \d+\.\d+")


if __name__ == "__main__":
    tap.main()
