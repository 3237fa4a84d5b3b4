#!/usr/bin/env python3
"""A real xinetd, with the files of etc/xinetd."""

import os
import re
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

PART = os.path.join(sinkhole.BUILD, "parts", "xinetd", "usr", "sbin", "xinetd")
SAMPLES = os.path.join(sinkhole.REPO, "etc", "xinetd")


def xinetd():
    """The program, or why there is none."""
    found = shutil.which("xinetd") or (PART if os.path.exists(PART) else None)
    if not found:
        raise unittest.SkipTest("xinetd is not there (make deps check unpacks it)")
    works = subprocess.run([found, "-version"], capture_output=True, check=False)
    if works.returncode == 127 or b"error while loading" in works.stderr:
        raise unittest.SkipTest(f"xinetd does not run: {works.stderr.decode().strip()}")
    return found


class Xinetd(Place):
    """xinetd with a sample file, changed only in where things are."""

    def __init__(self, sample, mode, arguments=""):
        super().__init__(mode)
        if os.geteuid() != 0:
            raise unittest.SkipTest("the sample names users, which only root can become")
        self.port = free_port()
        with open(os.path.join(SAMPLES, sample), encoding="utf-8") as file:
            text = file.read()
        text = re.sub(r"(port\s*=) \d+", rf"\1 {self.port}", text)
        text = re.sub(r"(server\s*=) \S+", rf"\1 {sinkhole.program('sinkholed')}", text)
        text = re.sub(r"(server_args\s*=) (.*)", rf"\1 \2 {arguments} --run-dir {self.run_dir} "
                      rf"--mode-source {self.source} --log {self.log}", text)
        self.config = os.path.join(self.dir, "xinetd.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def __enter__(self):
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(
                [xinetd(), "-dontfork", "-f", self.config, "-pidfile",
                 os.path.join(self.dir, "pid"), "-filelog", self.errors], stdin=subprocess.DEVNULL,
                stdout=errors, stderr=errors, env=sinkhole.clean_environment())
        sinkhole.wait_for(lambda: listens(self.port), f"xinetd listens: {self.text()}")
        return self

    def __exit__(self, *args):
        end(self.process)
        super().__exit__(*args)

    def visit(self):
        with socket.create_connection(("127.0.0.1", self.port), sinkhole.PATIENCE) as client:
            client.sendall(QUICK.encode())
            return answer(b"".join(iter(lambda: client.recv(4096), b"")).decode())


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def listens(port):
    """Without connecting, which would start a server."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(f":{port:04X} " in line and " 0A " in line for line in table)


class OneProcessAClient(unittest.TestCase):
    def test_modes_and_greylist(self):
        with Xinetd("sinkhole", "defer") as place:
            self.assertEqual(place.visit(), 421)
            place.write_mode("bounce")
            self.assertEqual(place.visit(), 550)
            place.write_mode("greylist")
            self.assertEqual([place.visit() for _ in range(20)], [421] + [250] * 19)
            self.assertEqual({e["client"] for e in place.events("session")}, {"127.0.0.1"})
            self.assertEqual(len(place.events("session")), 22)

    def test_serves_as_nobody(self):
        with Xinetd("sinkhole", "defer") as place, mailer.Client(place.port):
            session = procfs.tree(place.process.pid)
            self.assertEqual(len(session), 1)
            self.assertNotIn("0", procfs.status(session[0])["Uid"].split())
            held = procfs.descriptors(session[0])
            self.assertEqual(held[0], held[1])
            self.assertEqual(held[2], "/dev/null")

    def test_hundred_clients_one_after_the_other_and_at_once(self):
        with Xinetd("sinkhole", "accept") as place:
            clients = [mailer.Client(place.port, greeting=0) for _ in range(100)]
            for client in clients:
                client.expect(220)
                client.hello().mail()
                client.command("QUIT", 221)
                client.close()


class OneDaemon(unittest.TestCase):
    def test_is_started_by_a_client_and_again_after_it_left(self):
        with Xinetd("sinkhole-wait", "greylist", "--idle-exit 300ms --workers 2") as place:
            self.assertEqual(place.visit(), 421)
            self.assertEqual(place.visit(), 250)
            ready = sinkhole.wait_for(lambda: place.events("ready"), "it tells of itself")
            self.assertEqual(ready[0]["given_by"], "inetd")
            sinkhole.wait_for(lambda: place.events("stopped"), "it leaves")
            sinkhole.wait_for(lambda: not procfs.tree(place.process.pid), "nothing is left")
            self.assertEqual([place.visit() for _ in range(3)], [250] * 3)
            sinkhole.wait_for(lambda: len(place.events("ready")) == 2, "the other tells of itself")

    def test_a_killed_daemon_is_replaced(self):
        with Xinetd("sinkhole-wait", "bounce", "--workers 2") as place:
            self.assertEqual(place.visit(), 550)
            master = place.status()["master"]
            os.kill(master, signal.SIGKILL)
            # A worker that has just taken a client when its master dies serves it, or says 421.
            sinkhole.wait_for(lambda: place.visit() == 550
                              and place.status()["master"] not in (0, master), "another serves")
            end_of = place.status()["master"]
            os.kill(end_of, signal.SIGTERM)
            sinkhole.wait_for(lambda: not procfs.alive(end_of), "it stops")


class Syslog(unittest.TestCase):
    def test_is_where_the_events_of_the_sample_go(self):
        """With /dev/log of its own, in a mount namespace."""
        if os.geteuid() != 0 or not shutil.which("unshare"):
            self.skipTest("a mount namespace wants root and unshare")
        with Place(source="static:bounce") as place:
            dev = os.path.join(place.dir, "dev")
            os.mkdir(dev)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
                log.settimeout(sinkhole.PATIENCE)
                log.bind(os.path.join(dev, "log"))
                os.chmod(os.path.join(dev, "log"), 0o666)
                script = ('for f in null urandom; do : >"$0/$f"; mount --bind /dev/$f "$0/$f"; '
                          'done; mount --bind "$0" /dev; exec "$@"')
                ours, theirs = socket.socketpair()
                command = [w for w in place.command() if w != "--inetd"]
                with ours, theirs:
                    process = subprocess.Popen(
                        ["unshare", "-m", "sh", "-c", script, dev, *command, "--inetd"],
                        stdin=theirs, stdout=theirs, stderr=theirs,
                        env=sinkhole.clean_environment())
                    theirs.close()
                    ours.sendall(QUICK.encode())
                    replies = b"".join(iter(lambda: ours.recv(4096), b"")).decode()
                self.assertEqual(process.wait(sinkhole.PATIENCE), 0)
                self.assertEqual(answer(replies), 550)
                lines = [log.recv(65536).decode() for _ in range(3)]
            for line, event in zip(lines, ("mode", "attempt", "session")):
                self.assertRegex(line, r"^<22>sinkholed\[\d+\]: \{.*\"event\":\"%s\".*\}$" % event)


if __name__ == "__main__":
    tap.main()
