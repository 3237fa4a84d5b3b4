#!/usr/bin/env python3
"""sinkholed --inetd: one session a process. What they share, and what they leave."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "lib"))
import aws  # noqa: E402
import eventdoc  # noqa: E402
import procfs  # noqa: E402
import sinkhole  # noqa: E402
import tap  # noqa: E402
from oneshot import QUICK, Place, answer  # noqa: E402

MODES = {"defer": 421, "bounce": 550, "accept": 250, "accept-log": 250, "greylist": 421}


class Sessions(unittest.TestCase):
    def test_every_mode_on_pipes(self):
        for mode, code in MODES.items():
            for source in (None, f"static:{mode}"):
                with self.subTest(mode, source=source), Place(mode, source) as place:
                    self.assertEqual(answer(place.session()), code)
                    self.assertEqual(place.events("session")[0]["end"], "quit")

    def test_on_a_socket_the_peer_is_known(self):
        with Place() as place, socket.create_server(("127.0.0.1", 0)) as listener:
            with socket.create_connection(listener.getsockname(), source_address=(
                    "127.0.0.9", 0)) as client:
                connection, _ = listener.accept()
                process = place.start(stdin=connection, stdout=connection)
                connection.close()
                client.sendall(QUICK.encode())
                received = b"".join(iter(lambda: client.recv(4096), b"")).decode()
            self.assertEqual(answer(received), 421)
            self.assertEqual(process.wait(sinkhole.PATIENCE), 0)
            self.assertEqual(place.events("session")[0]["client"], "127.0.0.9")

    def test_exit_code_is_0_however_a_session_ends(self):
        ends = {"client": "EHLO x\r\n", "quit": "EHLO x\r\nQUIT\r\n",
                "421": "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\n"}
        for how, text in ends.items():
            with self.subTest(how), Place() as place:
                place.session(text)
                self.assertEqual(place.events("session")[0]["end"],
                                 "client" if how == "421" else how)

    def test_the_channel_closes_though_others_hold_the_socket(self):
        with Place() as place:
            ours, theirs = socket.socketpair()
            with ours, theirs:
                ours.settimeout(sinkhole.PATIENCE)
                process = place.start(stdin=theirs, stdout=theirs)
                ours.sendall(QUICK.encode())
                received = b"".join(iter(lambda: ours.recv(4096), b"")).decode()
                self.assertEqual(answer(received), 421)
                self.assertEqual(process.wait(sinkhole.PATIENCE), 0)

    def test_a_probe_is_counted_and_not_logged(self):
        with Place("accept") as place:
            place.session("")
            self.assertEqual(place.events("session"), [])
            self.assertEqual(place.status()["counters"]["probes"], 1)

    def test_times_out(self):
        with Place(source="static:defer") as place:
            client, process = place.client("--command-timeout", "300ms")
            self.assertTrue(client.expect(421).startswith("4.4.2"))
            client.close()
            self.assertEqual(process.wait(sinkhole.PATIENCE), 0)

    def test_sigterm_says_goodbye(self):
        for source in (None, "static:defer"):
            with self.subTest(source), Place(source=source) as place:
                client, process = place.client()
                process.send_signal(signal.SIGTERM)
                self.assertTrue(client.expect(421).startswith("4.3.2"))
                client.close()
                self.assertEqual(process.wait(sinkhole.PATIENCE), 0)

    def test_a_non_blocking_socket_is_no_busy_one(self):
        with Place() as place:
            ours, theirs = socket.socketpair()
            theirs.setblocking(False)
            process = place.start(stdin=theirs, stdout=theirs)
            self.assertTrue(ours.recv(512).startswith(b"220 "))
            time.sleep(0.3)
            ticks = procfs.read(process.pid, "stat").rsplit(b")", 1)[1].split()[11:13]
            self.assertLess(sum(map(int, ticks)), 10)
            ours.close()
            theirs.close()
            self.assertEqual(process.wait(sinkhole.PATIENCE), 0)

    def test_a_client_never_reads_a_warning(self):
        """xinetd gives the socket as standard error too."""
        ours, theirs = socket.socketpair()
        with Place() as place, ours:
            process = subprocess.Popen(
                place.command("--no-such-option"), stdin=theirs, stdout=theirs, stderr=theirs,
                env=sinkhole.clean_environment())
            theirs.close()
            self.assertEqual(process.wait(sinkhole.PATIENCE), 100)
            self.assertEqual(ours.recv(4096), b"")

    def test_without_a_run_directory_the_client_keeps_its_mail(self):
        with Place() as place:
            with open(place.run_dir, "w", encoding="utf-8"):
                pass
            client, process = place.client(greeting=421)
            self.assertIn("Local configuration error", client.greeting)
            client.close()
            self.assertEqual(process.wait(sinkhole.PATIENCE), 111)
            self.assertIn(place.run_dir, place.text())


class Confinement(unittest.TestCase):
    def test_holds_no_rights_secrets_or_descriptors(self):
        secret = "oneshot/secret/0123456789"
        with Place() as place:
            client, process = place.client(env={"AWS_SECRET_ACCESS_KEY": secret})
            status = procfs.status(process.pid)
            self.assertEqual({status[cap] for cap in ("CapInh", "CapPrm", "CapEff", "CapAmb")},
                             {"0" * 16})
            self.assertEqual(status["NoNewPrivs"], "1")
            if os.geteuid() == 0:
                self.assertNotIn("0", status["Uid"].split())
                self.assertEqual(status["CapBnd"], "0" * 16)
                self.assertNotIn(secret.encode(), procfs.read(process.pid, "environ"))
                held = procfs.descriptors(process.pid)
                self.assertEqual({fd for fd in held if fd > 2 and held[fd] != place.log}, set())
            client.close()
            self.assertEqual(process.wait(sinkhole.PATIENCE), 0)


    @unittest.skipIf("asan" in sinkhole.BUILD, "sanitizers need more system calls")
    def test_the_sandbox_is_entered_where_no_file_has_to_be_looked_at(self):
        """Mode 2 is a filter; the file source opens its file while a client is served."""
        for source, args, mode in (("static:defer", (), "2"), (None, (), "0"),
                                   ("static:defer", ("--no-sandbox",), "0")):
            with self.subTest(source, args=args), Place(source=source) as place:
                client, process = place.client(*args)
                self.assertEqual(procfs.status(process.pid)["Seccomp"], mode)
                client.close()
                self.assertEqual(process.wait(sinkhole.PATIENCE), 0)


class Shared(unittest.TestCase):
    def test_greylist_over_100_processes(self):
        with Place("greylist") as place, ThreadPoolExecutor(16) as pool:
            clients = [f"192.0.2.{n}" for n in range(50)]

            def visit(address):
                return answer(place.session(env={"TCPREMOTEIP": address}))

            self.assertEqual(list(pool.map(visit, clients)), [421] * 50)
            self.assertEqual(list(pool.map(visit, clients)), [250] * 50)
            self.assertEqual(place.status()["greylist"], 50)

    def test_greylist_of_one_client_defers_exactly_once(self):
        with Place("greylist") as place, ThreadPoolExecutor(16) as pool:
            codes = list(pool.map(
                lambda _: answer(place.session(env={"TCPREMOTEIP": "2001:db8::1"})),
                range(100)))
            self.assertEqual((codes.count(421), codes.count(250)), (1, 99))

    def test_a_flip_is_seen_by_the_next_session_and_within_open_ones(self):
        with Place() as place:
            client, process = place.client()
            client.hello()
            client.command("MAIL FROM:<a@example.test>", 250)
            place.write_mode("bounce")
            client.command("RCPT TO:<a@sinkhole.test>", 550)
            self.assertEqual(answer(place.session()), 550)
            place.write_mode("accept")
            client.command("RCPT TO:<a@sinkhole.test>", 250)
            client.command("QUIT", 221)
            client.close()
            self.assertEqual(process.wait(sinkhole.PATIENCE), 0)
            self.assertEqual([e["mode"] for e in place.events("mode")][-2:],
                             ["bounce", "accept"])

    def test_a_board_is_written_only_for_news(self):
        with Place() as place:
            for _ in range(5):
                place.session()
            self.assertEqual(len(place.events("mode")), 1)
            os.unlink(place.mode_file)
            self.assertEqual([answer(place.session()) for _ in range(3)], [421] * 3)
            self.assertEqual(len(place.events("source_failed")), 1)
            place.write_mode("bounce")
            self.assertEqual(answer(place.session()), 550)
            self.assertEqual(len(place.events("source_recovered")), 1)

    def test_the_default_source_is_a_file_that_is_made(self):
        with Place(source="file") as place:
            self.assertEqual(answer(place.session()), 421)
            self.assertEqual(place.ctl("mode", "set", "bounce").returncode, 0)
            self.assertEqual(answer(place.session()), 550)

    def test_a_mode_file_is_made_whole_or_not_at_all(self):
        """Where the disk is full, and for whoever reads it in the same moment."""
        with Place(source="file") as place:
            place.session()
            path = os.path.join(place.run_dir, "mode")
            os.unlink(path)
            full = ["sh", "-c", 'trap "" XFSZ; ulimit -f 0; exec "$0" "$@"', *place.command(),
                    "--log", "none"]
            done = sinkhole.run(*full)
            self.assertIn("221", place.session())
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), "defer\n")
            self.assertEqual(sorted(os.listdir(place.run_dir)),
                             ["board", "create.lock", "mode", "refresh.lock"])
            self.assertEqual(place.events("mode_invalid"), [])

    def test_a_refresh_before_and_between_keeps_nobody_out(self):
        """Root asks for it, sessions serve as somebody else: each finds what the other made."""
        with Place("bounce") as place:
            for _ in range(2):
                fetched = place.ctl("refresh", "--mode-source", place.source)
                self.assertEqual((fetched.returncode, fetched.stderr), (0, ""))
                self.assertEqual(answer(place.session()), 550)

    def test_a_daemon_on_the_same_board_decides(self):
        with sinkhole.Daemon("accept") as daemon, Place(source="static:bounce") as place:
            place.run_dir = daemon.run_dir
            self.assertEqual(answer(place.session()), 250)
            daemon.kill()
            # Where nobody reaps it, a killed refresher looks alive until its beat is old.
            sinkhole.wait_for(lambda: answer(place.session()) == 550, "the session's own source")


class Logged(unittest.TestCase):
    HEAD = ("EHLO client.example.test\r\nMAIL FROM:<a@example.test>\r\n"
            "RCPT TO:<nobody@sinkhole.test>\r\nDATA\r\n"
            + "".join(f"X-{n}: {'x' * 70}\r\n" for n in range(90)))

    def test_long_lines_of_many_stay_whole_in_a_shared_pipe(self):
        """As under tcpserver, where all sessions have one standard error: all of them end their
        messages at the same time, into a small pipe that is read late. Lines may be lost then, by
        the count, but none is cut or mixed."""
        read, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 32768)
        with Place(source="static:accept-log") as place, os.fdopen(read, "rb") as pipe:
            place.session("")
            sessions = [subprocess.Popen(
                place.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=write,
                env=sinkhole.clean_environment()) for _ in range(48)]
            os.close(write)
            for session in sessions:
                session.stdin.write(self.HEAD.encode())
                session.stdin.flush()
                while not session.stdout.readline().startswith(b"354"):
                    pass
            for session in sessions:
                session.stdin.write(b"\r\nbody\r\n.\r\nQUIT\r\n")
                session.stdin.flush()
            time.sleep(0.1)
            judged = [eventdoc.judge(raw) for raw in pipe.readlines()]
            for session in sessions:
                self.assertIn(b"250 2.0.0 ", session.communicate(timeout=sinkhole.PATIENCE)[0])
                self.assertEqual(session.returncode, 0)
            self.assertEqual([misfit for _, misfit in judged if misfit], [])
            self.assertEqual(len(judged) + place.status()["log_dropped"], 3 * 48)
            accepted = [event for event, _ in judged if event["event"] == "accepted"]
            self.assertGreater(len(json.dumps(accepted[0])), 4096)


class Killed(unittest.TestCase):
    def test_sessions_killed_anywhere_block_nobody(self):
        """Also while they make the board: each round begins without one."""
        for delay_ms in range(0, 40, 2):
            with Place("greylist") as place:
                victims = [place.start(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                           for _ in range(3)]
                for victim in victims:
                    victim.stdin.write(QUICK.encode())
                    victim.stdin.flush()
                time.sleep(delay_ms / 10000)
                for victim in victims:
                    victim.kill()
                    victim.wait()
                    victim.stdin.close()
                    victim.stdout.close()
                self.assertEqual(answer(place.session(env={"TCPREMOTEIP": "192.0.2.1"})), 421)
                self.assertEqual(answer(place.session(env={"TCPREMOTEIP": "192.0.2.1"})), 250)

    def test_what_is_no_board_is_replaced(self):
        with Place("bounce") as place:
            place.session()
            for content in (b"", b"not a board", os.urandom(100000)):
                with open(os.path.join(place.run_dir, "board"), "wb") as board:
                    board.write(content)
                self.assertEqual(answer(place.session()), 550)


class Fetched(unittest.TestCase):
    """The mode from a source that is far away, with no refresher."""

    def place(self, **env):
        return Place(source="ssm:" + aws.PARAMETER, env=aws.shared_cloud().environ(**env))

    def test_1000_sessions_within_a_ttl_cause_one_call(self):
        cloud = aws.shared_cloud()
        cloud.put("bounce")
        with self.place(SINKHOLE_CACHE_TTL="1h") as place, ThreadPoolExecutor(8) as pool:
            before = cloud.proxy.count()
            codes = list(pool.map(lambda _: answer(place.session()), range(1000)))
            self.assertEqual(codes, [550] * 1000)
            self.assertEqual(cloud.proxy.count() - before, 1)

    def test_an_old_mode_is_renewed_behind_the_sessions(self):
        cloud = aws.shared_cloud()
        cloud.put("bounce")
        with self.place(SINKHOLE_CACHE_TTL="1") as place:
            self.assertEqual(answer(place.session()), 550)
            cloud.put("accept")
            sinkhole.wait_for(lambda: answer(place.session()) == 250, "the new mode")

    def test_a_dead_endpoint_delays_only_the_first(self):
        with self.place(AWS_ENDPOINT_URL_SSM="http://127.0.0.1:9", SINKHOLE_CACHE_TTL="1h") \
                as place:
            self.assertEqual(answer(place.session()), 421)
            sinkhole.wait_for(lambda: place.events("source_failed"), "the failure is logged")
            start = time.monotonic()
            self.assertEqual([answer(place.session()) for _ in range(5)], [421] * 5)
            self.assertLess(time.monotonic() - start, 2)
            self.assertEqual(len(place.events("source_failed")), 1)

    def test_a_silent_endpoint_holds_the_first_for_two_seconds(self):
        cloud = aws.shared_cloud()
        with self.place(SINKHOLE_CACHE_TTL="1h") as place:
            cloud.proxy.set_fault(aws.silence(cloud.proxy))
            try:
                start = time.monotonic()
                self.assertEqual(answer(place.session()), 421)
                first = time.monotonic() - start
                self.assertEqual(answer(place.session()), 421)
                second = time.monotonic() - start - first
            finally:
                cloud.proxy.set_fault(None)
            self.assertGreater(first, 1.9)
            self.assertLess(second, 1.5)

    def test_the_fetch_holds_neither_client_nor_secret_of_the_session(self):
        cloud = aws.shared_cloud()
        with self.place(SINKHOLE_CACHE_TTL="1h") as place:
            cloud.proxy.set_fault(aws.silence(cloud.proxy))
            try:
                client, process = place.client()
                client.command("QUIT", 221)
                self.assertTrue(client.at_end())
                client.close()
                self.assertEqual(process.wait(sinkhole.PATIENCE), 0)
            finally:
                cloud.proxy.set_fault(None)
            self.assertNotIn(cloud.operator.secret, place.text())


if __name__ == "__main__":
    tap.main()
