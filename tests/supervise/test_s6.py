#!/usr/bin/env python3
"""A real s6-svscan tree made of etc/s6/devbox, with its s6-log; and servers of the UCSPI kind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "lib"))
import mailer  # noqa: E402
import procfs  # noqa: E402
import sinkhole  # noqa: E402
import tap  # noqa: E402
from oneshot import QUICK, Place, answer, end  # noqa: E402

TREE = os.path.join(sinkhole.REPO, "etc", "s6", "devbox")


def need(tool):
    found = shutil.which(tool)
    if not found:
        raise unittest.SkipTest(f"{tool} is not installed (make deps)")
    return found


class Tree(Place):
    """s6-svscan on a copy of the tree, with settings in an environment file."""

    def __init__(self, mode="defer", **settings):
        need("s6-svscan")
        super().__init__(mode)
        self.scan = os.path.join(self.dir, "services")
        shutil.copytree(TREE, self.scan)
        self.service = os.path.join(self.scan, "sinkholed")
        self.log = os.path.join(self.service, "log", "events", "current")
        settings = {"SINKHOLE_BIND_HOST": "127.0.0.1", "SINKHOLE_BIND_PORT": "0",
                    "SINKHOLE_RUN_DIR": self.run_dir, "SINKHOLE_MODE_SOURCE": self.source,
                    "SINKHOLE_WORKERS": "2..8"} | settings
        self.settings = os.path.join(self.dir, "env")
        with open(self.settings, "w", encoding="utf-8") as file:
            file.writelines(f"{name}='{value}'\n" for name, value in settings.items())

    def __enter__(self):
        env = sinkhole.clean_environment({
            "SINKHOLE_ENV": self.settings, "PATH": f"{sinkhole.BUILD}:{os.environ['PATH']}"})
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(["s6-svscan", self.scan], stdin=subprocess.DEVNULL,
                                            stdout=errors, stderr=errors, env=env)
        sinkhole.wait_for(lambda: self.ok(), "s6-supervise runs")
        return self

    def __exit__(self, *args):
        subprocess.run(["s6-svscanctl", "-t", self.scan], check=False)
        self.process.wait(sinkhole.PATIENCE)
        super().__exit__(*args)

    def ok(self):
        """s6-svok is content before there is a status, and s6-svwait then fails."""
        return self.s6("s6-svstat").returncode == 0

    def s6(self, tool, *args):
        return sinkhole.run(tool, *args, self.service)

    def wait_up(self):
        done = self.s6("s6-svwait", "-U", "-t", str(1000 * sinkhole.PATIENCE))
        if done.returncode != 0:
            raise AssertionError(f"not ready: {done.stderr} {self.text()}")

    def stat(self, *fields):
        return self.s6("s6-svstat", "-o", ",".join(fields)).stdout.split()

    def port(self):
        return int(self.status()["listening"][0].rsplit(":", 1)[1])

    def visit(self):
        with mailer.Client(self.port()) as client:
            client.hello().command("MAIL FROM:<>", 250)
            client.send("RCPT TO:<a@sinkhole.test>\r\n")
            return client.reply()[0]


class Supervised(unittest.TestCase):
    def test_ready_means_ready(self):
        with Tree("bounce") as tree:
            tree.wait_up()
            self.assertEqual(tree.stat("up", "ready"), ["true", "true"])
            self.assertEqual(tree.visit(), 550)  # at once, and by the mode of the file
            self.assertEqual(int(tree.stat("pid")[0]), tree.status()["master"])

    def test_events_are_in_the_log(self):
        with Tree("bounce") as tree:
            tree.wait_up()
            tree.visit()
            sinkhole.wait_for(lambda: tree.events("session"), "the session is logged")
            self.assertEqual([e["event"] for e in tree.events()][:2], ["mode", "ready"])

    def test_a_killed_master_is_brought_back(self):
        with Tree("bounce") as tree:
            tree.wait_up()
            first = int(tree.stat("pid")[0])
            os.kill(first, signal.SIGKILL)
            sinkhole.wait_for(lambda: tree.stat("ready")[0] == "true"
                              and int(tree.stat("pid")[0]) not in (first, -1), "it is back")
            self.assertEqual(tree.visit(), 550)
            tree.write_mode("accept")
            sinkhole.wait_for(lambda: tree.visit() == 250, "the mode is followed")

    def test_a_restart_keeps_the_greylist(self):
        with Tree("greylist") as tree:
            tree.wait_up()
            self.assertEqual(tree.visit(), 421)
            self.assertEqual(tree.s6("s6-svc", "-wR", "-r").returncode, 0)
            self.assertEqual(tree.visit(), 250)

    def test_down_leaves_nothing_behind(self):
        with Tree() as tree:
            tree.wait_up()
            with mailer.Client(tree.port()) as client:
                client.hello().command("MAIL FROM:<>", 250)
                self.assertEqual(tree.s6("s6-svc", "-d").returncode, 0)
                client.command("RSET", 250)  # now it is between transactions
                client.expect(421)
            self.assertEqual(tree.s6("s6-svwait", "-D", "-t", "30000").returncode, 0)
            self.assertEqual(tree.stat("exitcode", "signal"), ["0", "NA"])
            self.assertEqual(tree.stat("pid"), ["-1"])
            named = [procfs.read(pid, "cmdline").split(b"\0")[0] for pid in
                     procfs.tree(tree.process.pid)]
            self.assertEqual({os.path.basename(n) for n in named},
                             {b"s6-supervise", b"s6-log"})
            self.assertEqual(tree.events()[-1]["event"], "stopped")

    def test_hup_fetches(self):
        with Tree(SINKHOLE_CACHE_TTL="1h") as tree:
            tree.wait_up()
            before = tree.status()["mode"]["fetches"]
            self.assertEqual(tree.s6("s6-svc", "-h").returncode, 0)
            sinkhole.wait_for(lambda: tree.status()["mode"]["fetches"] > before, "it fetches")

    def test_wrong_settings_are_not_tried_again(self):
        with Tree(SINKHOLE_ENVIRONMENT="production") as tree:
            done = tree.s6("s6-svwait", "-D", "-t", "30000")
            self.assertEqual(done.returncode, 0, done.stderr)
            sinkhole.wait_for(lambda: tree.stat("up", "exitcode") == ["false", "100"], "it is down")
            self.assertIn("never run in prod", tree.text())
            self.assertEqual(tree.text().count("never run in prod"), 1)


class OneProcessAClient(unittest.TestCase):
    """The servers of D. J. Bernstein's kind tell by TCPREMOTEIP who the client is."""

    def serve(self, place, command, address):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        process = subprocess.Popen([*command, *place.command("--log", place.log)],
                                   stdin=subprocess.DEVNULL, env=sinkhole.clean_environment())

        def visit():
            with socket.socket(family) as client:
                if client.connect_ex(address) != 0:
                    return None
                client.sendall(QUICK.encode())
                return answer(b"".join(iter(lambda: client.recv(4096), b"")).decode())
        return process, visit

    def greylisted(self, place, command, address, client):
        process, visit = self.serve(place, command, address)
        first = sinkhole.wait_for(visit, "the server listens")
        self.assertEqual([first] + [visit() for _ in range(99)], [421] + [250] * 99)
        end(process)
        self.assertEqual({e["client"] for e in place.events("session")}, {client})

    def tcp(self, tool, *flags):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        with Place("greylist") as place:
            self.greylisted(place, [need(tool), *flags, "127.0.0.1", str(port)],
                            ("127.0.0.1", port), "127.0.0.1")

    def test_tcpserver(self):
        self.tcp("tcpserver", "-RHl0")

    def test_s6_tcpserver(self):
        """Of s6-networking, which Debian 12 does not have."""
        self.tcp("s6-tcpserver")

    def test_s6_ipcserver(self):
        with Place("greylist") as place:
            path = os.path.join(place.dir, "socket")
            self.greylisted(place, [need("s6-ipcserver"), path], path, "unix")

    def test_s6_ipcserver_socketbinder_hands_the_socket_over(self):
        need("s6-ipcserver-socketbinder")
        with Place("bounce") as place:
            path = os.path.join(place.dir, "socket")
            process = subprocess.Popen(
                ["s6-ipcserver-socketbinder", path,
                 *[w for w in place.command("--log", place.log) if w != "--inetd"]],
                env=sinkhole.clean_environment())
            sinkhole.wait_for(lambda: place.events("ready"), "it is ready")
            self.assertEqual(place.events("ready")[0]["listening"], [f"unix:{path}"])
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                client.sendall(QUICK.encode())
                replies = b"".join(iter(lambda: client.recv(4096), b"")).decode()
            self.assertEqual(answer(replies), 550)
            self.assertEqual(end(process), 0)


if __name__ == "__main__":
    tap.main()
