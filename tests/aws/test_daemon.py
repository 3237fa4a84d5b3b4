#!/usr/bin/env python3
"""The whole daemon with its mode in Parameter Store: an operator flips, AWS fails, nobody waits,
and no process that talks to strangers knows a secret."""

import concurrent.futures
import json
import os
import re
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import aws  # noqa: E402
import cloud  # noqa: E402
import mailer  # noqa: E402
import procfs  # noqa: E402
import sinkhole  # noqa: E402
import tap  # noqa: E402

CODES = {"defer": 421, "bounce": 550, "accept": 250}


def answer(daemon):
    """The code that a recipient gets now, and the seconds that a client needed to hear it."""
    begin = time.monotonic()
    with mailer.Client(daemon.port).hello() as client:
        client.command("MAIL FROM:<>", 250)
        client.send("RCPT TO:<nobody@sinkhole.test>\r\n")
        return client.reply()[0], time.monotonic() - begin


class Case(aws.Case):
    def daemon(self, mode="defer", ttl="3600", keys=None, **more):
        """One that serves this mode out of the parameter."""
        version = self.cloud.put(mode)
        daemon = self.enterContext(sinkhole.Daemon(
            source="ssm:" + aws.PARAMETER, args=["--cache-ttl", ttl],
            env=self.cloud.environ(keys) | more))
        daemon.wait_event("mode", mode=mode, version=version)
        return daemon

    def ctl(self, daemon, *words):
        """sinkholectl, in an operator's shell."""
        return daemon.ctl(*words, env=self.cloud.environ())

    def serves(self, daemon, mode):
        return answer(daemon)[0] == CODES[mode]


class Flips(Case):
    def test_put_parameter_is_seen_within_the_ttl(self):
        """Put by the AWS CLI, seen by swaks."""
        daemon = self.daemon("defer", ttl="2")
        self.assertEqual(mailer.swaks(daemon).returncode, 24)
        self.cloud.flip("accept")
        begin = time.monotonic()
        daemon.wait_event("mode", mode="accept")
        self.assertLess(time.monotonic() - begin, 2 + 1, "the TTL, and some noise")
        self.assertEqual(mailer.swaks(daemon).returncode, 0)

    def test_refresh_takes_less_than_a_second(self):
        daemon = self.daemon("defer")
        times = []
        for mode in ("accept", "bounce", "accept"):
            self.cloud.put(mode)
            begin = time.monotonic()
            result = daemon.ctl("refresh")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertTrue(self.serves(daemon, mode))
            times.append(time.monotonic() - begin)
        self.assertLess(min(times), 1)

    def test_sighup(self):
        daemon = self.daemon("defer")
        version = self.cloud.put("bounce")
        os.kill(daemon.pid, signal.SIGHUP)
        daemon.wait_event("mode", mode="bounce", version=version)
        daemon.wait_event("refreshed", ok=True, mode="bounce", version=version)
        self.assertTrue(self.serves(daemon, "bounce"))

    def test_mode_set_and_wait(self):
        daemon = self.daemon("defer")
        result = self.ctl(daemon, "mode", "set", "accept", "--wait")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"^accept is served after \d")
        self.assertTrue(self.serves(daemon, "accept"))
        # What is served already is waited for all the same, in its new version.
        result = self.ctl(daemon, "mode", "set", "accept", "--wait", "--json")
        self.assertEqual(json.loads(result.stdout)["version"], self.cloud.get()[1], result.stderr)
        result = self.ctl(daemon, "mode", "set", "acept", "--wait")
        self.assertEqual(result.returncode, 100)
        self.assertIn("nothing was changed", result.stderr)

    def test_laptop_without_a_daemon(self):
        run_dir = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "none")
        words = (sinkhole.program("sinkholectl"), "--run-dir", run_dir, "--mode-source",
                 "ssm:" + aws.PARAMETER, "mode")
        result = sinkhole.run(*words, "set", "bounce", env=self.cloud.environ())
        self.assertEqual(result.returncode, 0, result.stderr)
        value, version = self.cloud.get()
        self.assertEqual(value, "bounce")
        self.assertIn(f"version {version}", result.stdout)
        result = sinkhole.run(*words, env=self.cloud.environ())
        self.assertIn("bounce", result.stdout, result.stderr)

    def test_version_travels(self):
        daemon = self.daemon("defer")
        version = self.cloud.put("bounce")
        self.assertEqual(daemon.ctl("refresh").returncode, 0)
        answer(daemon)
        self.assertEqual(daemon.status()["mode"]["version"], version)
        self.assertEqual(daemon.ctl_json("mode")["version"], version)
        self.assertIn(str(version), daemon.ctl("mode").stdout)
        daemon.wait_event("mode", mode="bounce", version=version)
        daemon.wait_event("session", mode="bounce", version=version)

    def test_unknown_value_is_defer(self):
        daemon = self.daemon("accept")
        version = self.cloud.put("acccept\n\x1b[31m")
        daemon.ctl("refresh")
        daemon.wait_event("mode_invalid", value="acccept??[31m", version=version, mode="defer")
        self.assertTrue(self.serves(daemon, "defer"))
        self.cloud.put("accept")
        daemon.ctl("refresh")
        self.assertTrue(self.serves(daemon, "accept"))


class Calls(Case):
    def test_a_thousand_connections_cost_two_calls_at_most(self):
        self.cloud.put("bounce")
        # Into a file: these clients and the reader of a pipe would share one interpreter.
        log = self.enterContext(tempfile.TemporaryFile())
        daemon = self.enterContext(sinkhole.Daemon(
            source="ssm:" + aws.PARAMETER, args=["--cache-ttl", "30"], stdout=log,
            env=self.cloud.environ()))
        daemon.wait_status(lambda s: s["mode"]["mode"] == "bounce", "the mode is fetched")
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(lambda _: answer(daemon)[0], range(1000)))
        took = time.monotonic() - begin
        self.assertEqual(set(codes), {550})
        self.assertLessEqual(self.proxy.count(), 2 * (1 + int(took / 30)))
        self.assertGreaterEqual(self.proxy.count(), 1)

    def test_one_connection_serves_many_calls(self):
        before = self.proxy.connections
        daemon = self.daemon("bounce", ttl="0.2")
        sinkhole.wait_for(lambda: self.proxy.count() >= 6, "six calls")
        self.assertEqual(self.proxy.connections - before, 1)
        self.assertEqual(daemon.find("source_failed"), [])

    def test_a_connection_that_the_other_side_closed_is_opened_anew(self):
        """As load balancers do with idle ones, without a word."""
        daemon = self.daemon("bounce", ttl="0.2")

        def answer(handler):
            aws.parameter(Value="bounce", Version=99)(handler)
            handler.close_connection = True
        self.proxy.set_fault(answer)
        before = self.proxy.connections
        sinkhole.wait_for(lambda: self.proxy.connections >= before + 5, "five connections")
        self.assertEqual(daemon.find("source_failed"), [])

    def test_throttling_is_answered_with_fewer_calls(self):
        daemon = self.daemon("bounce", ttl="0.2")
        self.proxy.set_fault(aws.refusal(400, "ThrottlingException", "Rate exceeded"))
        daemon.wait_event("source_failed", code="ThrottlingException")
        before = self.proxy.count()
        time.sleep(3)  # fifteen calls, were it not for the backoff
        self.assertLessEqual(self.proxy.count() - before, 4)
        self.proxy.set_fault(aws.refusal(503, "Busy", "later", Retry_After="600"))
        daemon.ctl("refresh")
        before = self.proxy.count()
        time.sleep(2)
        self.assertEqual(self.proxy.count(), before)
        # And back to normal when it is over.
        self.proxy.set_fault(None)
        daemon.ctl("refresh")
        daemon.wait_event("source_recovered")
        sinkhole.wait_for(lambda: self.proxy.count() >= before + 5, "calls at their old rate")


class Failures(Case):
    def test_dead_at_the_start(self):
        port = cloud.free_port()
        self.cloud.put("accept")
        with sinkhole.Daemon(source="ssm:" + aws.PARAMETER, args=["--cache-ttl", "1"],
                             env=self.cloud.environ(
                                 AWS_ENDPOINT_URL_SSM=f"http://127.0.0.1:{port}")) as daemon:
            event = daemon.wait_event("source_failed", code="ConnectFailure", mode="defer")
            self.assertIn(str(port), event["message"])
            self.assertTrue(self.serves(daemon, "defer"))
            status = daemon.status()["mode"]
            self.assertEqual(status["fault"]["code"], "ConnectFailure")
            with aws.Proxy(self.cloud.store.port, port=port):
                daemon.wait_event("source_recovered")
                daemon.wait_event("mode", mode="accept")
                self.assertTrue(self.serves(daemon, "accept"))

    def test_silent_at_the_start(self):
        """Readiness waits two seconds for the first fetch, and no more."""
        self.proxy.set_fault(aws.silence(self.proxy))
        begin = time.monotonic()
        with sinkhole.Daemon(source="ssm:" + aws.PARAMETER, env=self.cloud.environ()) as daemon:
            took = time.monotonic() - begin
            self.assertGreater(took, 1.5)
            self.assertEqual(self.proxy.count(), 1)
            self.assertEqual(daemon.find("source_failed"), [], "the fetch goes on")
            self.assertTrue(self.serves(daemon, "defer"))

    def test_last_good_mode_stays_and_lines_are_few(self):
        daemon = self.daemon("bounce", ttl="0.2")
        refused = aws.refusal(400, "AccessDeniedException", "not authorized")
        self.proxy.set_fault(refused)
        event = daemon.wait_event("source_failed", code="AccessDeniedException", mode="bounce")
        self.assertIn("request 11111111-2222-3333-4444-555555555555", event["message"])
        failures = daemon.status()["mode"]["failures"]
        daemon.wait_status(lambda s: s["mode"]["failures"] >= failures + 3, "more failures")
        self.assertTrue(self.serves(daemon, "bounce"))
        status = daemon.status()["mode"]
        self.assertGreater(status["fetched_ago_ms"], 0)
        self.assertGreater(status["failing_for_ms"], 0)
        result = daemon.ctl("refresh")
        self.assertEqual(result.returncode, 111)
        self.assertIn("AccessDenied", result.stdout + result.stderr)
        daemon.wait_event("refreshed", ok=False, code="AccessDeniedException", mode="bounce")
        self.proxy.set_fault(None)
        daemon.wait_event("source_recovered")
        self.assertEqual(len(daemon.find("source_failed")), 1)

    def faults(self):
        return {"silence": aws.silence(self.proxy), "drip": aws.drip(self.proxy),
                "huge": aws.text("[" + "1," * 2500000 + "1]"), "hang up": aws.hang_up,
                "500": aws.refusal(500, "InternalServerError"),
                "malformed": aws.text('{"Parameter":')}

    def stall(self, daemon, control, seconds):
        """By how much the slowest of its sessions was slower than the control's slowest."""
        worst = {daemon: 0, control: 0}
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for one in worst:
                code, took = answer(one)
                self.assertEqual(code, 550)
                worst[one] = max(worst[one], took)
        return worst[daemon] - worst[control]

    def test_no_fault_stalls_a_session(self):
        control = self.enterContext(sinkhole.Daemon(source="static:bounce"))
        daemon = self.daemon("bounce", ttl="0.3")
        for name, fault in self.faults().items():
            with self.subTest(name):
                before = self.proxy.count()
                self.proxy.set_fault(fault)
                os.kill(daemon.pid, signal.SIGHUP)
                sinkhole.wait_for(lambda: self.proxy.count() > before, "the fault is met")
                stalls = []
                while len(stalls) < 8 and (not stalls or stalls[-1] >= 0.1):
                    stalls.append(self.stall(daemon, control, 0.7))
                self.assertLess(min(stalls), 0.1)


class Secrets(Case):
    def hits(self, pid, needles):
        """Which of these bytes lie in a process's memory."""
        found = set()
        with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
                open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
                if not match or "[v" in line:
                    continue
                low, high = (int(x, 16) for x in match.groups())
                try:
                    memory.seek(low)
                    text = memory.read(high - low)
                except OSError:  # a page that nobody may read
                    continue
                found |= {needle for needle in needles if needle in text}
        return found

    def test_only_the_refresher_knows(self):
        with open(sinkhole.program("sinkholed"), "rb") as file:
            if b"__asan_init" in file.read():
                self.skipTest("AddressSanitizer keeps a copy of the environment")
        keys = self.cloud.role
        daemon = self.daemon("accept", keys=keys)
        for _ in range(8):
            answer(daemon)
        daemon.ctl("refresh")
        needles = [s.encode() for s in keys.secrets()]
        refresher = daemon.status()["refresher"]
        workers = list(daemon.workers().values())
        self.assertGreaterEqual(len(workers), 4)
        try:
            self.assertEqual(self.hits(refresher, needles), set(needles), "the search finds")
        except PermissionError:
            self.skipTest("memory of other processes may not be read here")
        for pid in [daemon.pid, *workers]:
            self.assertEqual(self.hits(pid, needles), set(), f"process {pid}")
            self.assertFalse([name for name in procfs.descriptors(pid).values()
                              if pid != daemon.pid and "environment" in name])
        for pid in [daemon.pid, refresher, *workers]:
            for name in ("cmdline", "environ"):
                if pid == refresher and name == "environ":
                    continue
                text = procfs.read(pid, name)
                self.assertFalse([needle for needle in needles if needle in text], (pid, name))

    def test_nothing_is_written_anywhere(self):
        keys = self.cloud.role
        daemon = self.daemon("accept", keys=keys, ttl="0.2")
        quoting = f"{keys.secret} {keys.token}"
        for n, code in enumerate(("InvalidSignatureException", "AccessDeniedException"), 1):
            self.proxy.set_fault(aws.refusal(400, code, quoting))
            daemon.wait_event("source_failed", code=code)
            shown = daemon.ctl("status").stdout + daemon.ctl("status", "--json").stdout
            self.assertIn(code, shown)
            self.proxy.set_fault(None)
            daemon.ctl("refresh")
            daemon.wait_event("source_recovered", count=n)
            for secret in keys.secrets():
                self.assertNotIn(secret, shown)
        for secret in keys.secrets():
            self.assertNotIn(secret.encode(), b"".join(daemon.lines))
            self.assertNotIn(secret, daemon.stderr())
            for name in os.listdir(daemon.run_dir):
                path = os.path.join(daemon.run_dir, name)
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        self.assertNotIn(secret.encode(), file.read(), path)


if __name__ == "__main__":
    tap.main()
