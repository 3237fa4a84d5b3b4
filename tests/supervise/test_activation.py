#!/usr/bin/env python3
"""Listening sockets that somebody else opened, and leaving when nobody comes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "lib"))
import procfs  # noqa: E402
import sinkhole  # noqa: E402
import tap  # noqa: E402
from activation import Activator, hand_over  # noqa: E402
from oneshot import QUICK, Place, SocketClient, answer, end  # noqa: E402


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        return True
    except OSError:
        return False


def visit(address, family=socket.AF_INET):
    """A whole session with whoever listens there; the code that RCPT got."""
    with socket.socket(family) as client:
        client.settimeout(sinkhole.PATIENCE)
        client.connect(address)
        client.sendall(QUICK.encode())
        return answer(b"".join(iter(lambda: client.recv(4096), b"")).decode())


class Served(Place):
    """A place whose command is that of a daemon."""

    def command(self, *args):
        return [word for word in super().command("--workers", "2..8", "--log", self.log, *args)
                if word != "--inetd"]

    def ready(self, count=1):
        """Waits for the ready event of the count-th daemon."""
        return sinkhole.wait_for(lambda: self.events("ready")[count - 1:], "ready")[0]


class HandedOver(unittest.TestCase):
    def test_several_sockets_with_names(self):
        with Served("bounce") as place:
            path = os.path.join(place.dir, "smtp.sock")
            sockets = [(socket.create_server(("127.0.0.1", 0)), socket.AF_INET)]
            if has_ipv6():
                sockets.append((socket.create_server(("::1", 0), family=socket.AF_INET6),
                                socket.AF_INET6))
            unix = socket.socket(socket.AF_UNIX)
            unix.bind(path)
            unix.listen()
            os.chmod(path, 0o666)
            sockets.append((unix, socket.AF_UNIX))
            names = ["four", "six", "local"] if len(sockets) == 3 else ["four", "local"]
            process = hand_over([s for s, _ in sockets], place.command(), ":".join(names))
            ready = place.ready()
            self.assertEqual((ready["given_by"], ready["given_names"]), ("LISTEN_FDS", names))
            self.assertEqual(ready["listening"][0],
                             "127.0.0.1:%d" % sockets[0][0].getsockname()[1])
            self.assertEqual(ready["listening"][-1], f"unix:{path}")
            for listener, family in sockets:
                self.assertEqual(visit(listener.getsockname(), family), 550)
            clients = {event["client"] for event in place.events("session")}
            self.assertEqual(clients, {"127.0.0.1", "unix"} | ({"::1"} if has_ipv6() else set()))
            for pid in procfs.tree(process.pid):
                if b"sinkholed" in procfs.read(pid, "cmdline"):
                    continue  # a worker: forked, never executed
                self.assertEqual({name for name in procfs.environment(pid)
                                  if name.startswith("LISTEN_")}, set())
            self.assertEqual(end(process), 0)
            # The sockets are ours: they still listen.
            for listener, family in sockets:
                with socket.socket(family) as client:
                    client.connect(listener.getsockname())
                listener.close()

    def test_health_check_over_a_unix_socket_of_either_kind(self):
        with Served() as place:
            for name in (os.path.join(place.dir, "s"), "\0" + place.dir):
                with self.subTest(name), socket.socket(socket.AF_UNIX) as listener:
                    listener.bind(name)
                    listener.listen()
                    process = hand_over([listener], place.command())
                    sinkhole.wait_for(lambda: place.ctl("check").returncode == 0, "health")
                    self.assertEqual(end(process), 0)

    def test_a_listening_descriptor_by_number(self):
        with Served("bounce") as place, socket.create_server(("127.0.0.1", 0)) as listener:
            process = subprocess.Popen(
                place.command("--listen-fd", str(listener.fileno())),
                pass_fds=[listener.fileno()], env=sinkhole.clean_environment())
            self.assertEqual(place.ready()["given_by"], "--listen-fd")
            self.assertEqual(visit(listener.getsockname()), 550)
            self.assertEqual(end(process), 0)

    def test_inetd_gives_it_on_all_three_descriptors(self):
        with Served("bounce") as place, socket.create_server(("127.0.0.1", 0)) as listener:
            process = subprocess.Popen(place.command(), stdin=listener, stdout=listener,
                                       stderr=listener, env=sinkhole.clean_environment())
            self.assertEqual(place.ready()["given_by"], "inetd")
            self.assertEqual([visit(listener.getsockname()) for _ in range(5)], [550] * 5)
            held = procfs.descriptors(process.pid)
            self.assertEqual({held[fd] for fd in (0, 1, 2)}, {"/dev/null"})
            self.assertEqual(end(process), 0)

    def test_what_is_no_listening_socket_is_refused(self):
        with Served() as place, socket.socket() as other:
            process = subprocess.Popen(
                place.command("--listen-fd", str(other.fileno())), pass_fds=[other.fileno()],
                env=sinkhole.clean_environment(), stderr=subprocess.PIPE, text=True)
            _, errors = process.communicate(timeout=sinkhole.PATIENCE)
            self.assertEqual(process.returncode, 100)
            self.assertIn("no listening stream socket", errors)

    def test_variables_for_another_process_are_not_ours(self):
        with Served() as place:
            process = subprocess.Popen(
                place.command("--bind-host", "127.0.0.1", "--bind-port", "0"),
                env=sinkhole.clean_environment({"LISTEN_PID": "1", "LISTEN_FDS": "1"}))
            self.assertNotIn("given_by", place.ready())
            self.assertEqual(end(process), 0)


@unittest.skipUnless(shutil.which("systemd-socket-activate"), "no systemd-socket-activate")
class SocketActivate(unittest.TestCase):
    """systemd's own tool for testing both styles."""

    def activate(self, place, *flags):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        passed = [f"--setenv={name}={value}" for name, value in place.env.items()]
        process = subprocess.Popen(
            ["systemd-socket-activate", "--listen", f"127.0.0.1:{port}", *flags, *passed,
             *place.command()], env=sinkhole.clean_environment(), stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

        # Not by connecting: that would activate.
        hexport = f":{port:04X} "
        sinkhole.wait_for(lambda: any(hexport in line and " 0A " in line for line in
                                      open("/proc/net/tcp", encoding="ascii")), "it listens")
        return process, ("127.0.0.1", port)

    def test_accept_no(self):
        with Served("bounce") as place:
            process, address = self.activate(place, "--fdname=smtp")
            self.assertEqual(visit(address), 550)
            ready = place.ready()
            self.assertEqual((ready["given_by"], ready["given_names"]), ("LISTEN_FDS", ["smtp"]))
            self.assertEqual(ready["pid"], process.pid)
            self.assertEqual(end(process), 0)

    def test_accept_yes(self):
        for flags in (("--accept", "--inetd"), ("--accept",)):
            with self.subTest(flags), Place("greylist") as place:
                place.args = ("--log", place.log)
                process, address = self.activate(place, *flags)
                self.assertEqual([visit(address) for _ in range(5)], [421] + [250] * 4)
                end(process)
                sinkhole.wait_for(lambda p=place: len(p.events("session")) == 5, "all is logged")
                self.assertEqual({e["client"] for e in place.events("session")}, {"127.0.0.1"})


class IdleExit(unittest.TestCase):
    def test_wants_a_socket_that_stays(self):
        with Served() as place:
            done = sinkhole.run(*place.command("--bind-port", "0", "--idle-exit", "1"))
            self.assertEqual(done.returncode, 100)
            self.assertIn("--idle-exit", done.stderr)

    def test_leaves_nothing_but_the_board(self):
        with Served("greylist") as place, socket.create_server(("127.0.0.1", 0)) as listener:
            for expected in (421, 250):  # the second daemon knows what the first one saw
                process = hand_over([listener], place.command("--idle-exit", "300ms"))
                self.assertEqual(visit(listener.getsockname()), expected)
                self.assertEqual(process.wait(sinkhole.PATIENCE), 0)
                self.assertEqual(procfs.mentioning(place.dir), [])
            self.assertEqual([e["why"] for e in place.events("stopping")], ["idle", "idle"])
            self.assertEqual(place.events("worker_died"), [])

    def test_a_session_keeps_it(self):
        with Served("bounce") as place, socket.create_server(("127.0.0.1", 0)) as listener:
            process = hand_over([listener], place.command("--idle-exit", "200ms"))
            connection = socket.create_connection(listener.getsockname())
            with SocketClient(connection) as client:
                time.sleep(1)
                client.command("NOOP", 250)
                self.assertIsNone(process.poll())
                self.assertEqual(visit(listener.getsockname()), 550)
            self.assertEqual(process.wait(sinkhole.PATIENCE), 0)

    def test_under_load_no_connection_is_lost(self):
        """Clients come in bursts with pauses around the idle time, so that many find the daemon
        just leaving. A few stay for long while others come and go."""
        with Served("bounce") as place, \
                socket.create_server(("127.0.0.1", 0), backlog=512) as listener, \
                Activator(listener, place.command("--idle-exit", "20ms")) as activator:
            address = listener.getsockname()

            def client(number):
                time.sleep(0.005 * (number % 7) + 0.02 * (number % 3))
                return visit(address)

            with ThreadPoolExecutor(6) as pool:
                codes = []
                for burst in range(60):
                    codes += pool.map(client, range(6))
                    time.sleep(0.002 * burst % 0.06)
            self.assertEqual(codes, [550] * 360)
            starts = len(place.events("ready"))
            self.assertGreater(starts, 5, "the daemon never left: nothing was tested")
            sinkhole.wait_for(lambda: len(activator.statuses) == starts, "it leaves again")
            self.assertEqual(set(activator.statuses), {0})
            self.assertEqual(place.events("worker_died"), [])
            self.assertEqual(len(place.events("session")), 360)

    def test_who_comes_while_it_leaves_does_not_keep_others_waiting(self):
        """The workers are held until all are told to leave, with a client in the queue. Either one
        of them serves it and then leaves: as long as it stays the daemon has to go on. Or all
        leave, and the next daemon serves it."""
        with Served("bounce") as place, socket.create_server(("127.0.0.1", 0)) as listener, \
                Activator(listener, place.command("--idle-exit", "500ms")):
            address = listener.getsockname()
            for round_ in range(5):
                self.assertEqual(visit(address), 550)
                workers = sinkhole.wait_for(lambda: idle_workers(place), "all have ended")
                for pid in workers:
                    os.kill(pid, signal.SIGSTOP)
                with socket.create_connection(address) as connection:
                    sinkhole.wait_for(lambda w=workers: all(map(told_to_leave, w)),
                                      "all workers are told to leave")
                    for pid in workers:
                        os.kill(pid, signal.SIGCONT)
                    with SocketClient(connection) as client:
                        self.assertEqual(visit(address), 550)
                        client.command("QUIT", 221)
                sinkhole.wait_for(lambda n=round_: len(place.events("stopping")) > n, "it leaves")


def idle_workers(place):
    """Their pids, once none is still at the end of its session: held there it would be busy."""
    workers = json.loads(place.ctl("workers", "--json").stdout)
    return all(w["state"] == "idle" for w in workers) and [w["pid"] for w in workers]


def told_to_leave(pid):
    """Is SIGUSR1 pending?"""
    pending = int(procfs.status(pid)["ShdPnd"], 16)
    return pending >> (signal.SIGUSR1 - 1) & 1


if __name__ == "__main__":
    tap.main()
