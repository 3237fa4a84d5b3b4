#!/usr/bin/env python3
"""sinkhole-refresh against Parameter Store: reading, writing, signing, and every way in which AWS fails."""

import concurrent.futures
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import aws  # noqa: E402
import cloud  # noqa: E402
import httpd  # noqa: E402
import tap  # noqa: E402


class Case(aws.Case):
    def refresh(self, *words, keys=None, env=None, **more):
        return aws.refresh(*words, env=self.cloud.environ(keys) | (env or {}), **more)

    def print(self, status=0, **more):
        """The line that --print gives."""
        result = self.refresh("--print", **more)
        self.assertEqual(result.returncode, status, result.stderr)
        return json.loads(result.stdout) if status == 0 else result.stderr


class Parameters(Case):
    def test_read(self):
        version = self.cloud.put("accept")
        line = self.print()
        self.assertEqual((line["event"], line["mode"], line["value"], line["version"],
                          line["valid"]), ("fetched", "accept", "accept", version, True))

    def test_write(self):
        result = self.refresh("--put", "greylist")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.cloud.get(), ("greylist", json.loads(result.stdout)["version"]))

    def test_what_is_no_mode_is_not_written(self):
        before = self.proxy.count("PutParameter")
        result = self.refresh("--put", "acept")
        self.assertEqual(result.returncode, 100)
        self.assertIn("defer, bounce, accept", result.stderr)
        self.assertEqual(self.proxy.count("PutParameter"), before)

    def test_unknown_value(self):
        self.cloud.put("acept \x07")
        line = self.print()
        self.assertEqual((line["mode"], line["valid"], line["value"]), ("defer", False, "acept ?"))

    def test_long_value(self):
        """SSM's larger tier holds 8 KiB, of which the first half is no mode either."""
        self.proxy.set_fault(aws.parameter(Value="a" * 8192))
        line = self.print()
        self.assertEqual((line["mode"], line["valid"]), ("defer", False))
        self.assertRegex(line["value"], "^a{30,}$")
        self.proxy.set_fault(aws.parameter(Value="accept" + " " * 8000))
        self.assertEqual(self.print()["mode"], "accept")

    def test_secure_string(self):
        self.cloud.put("bounce", "/cabal/secret", kind="SecureString")
        self.assertEqual(self.print(source="ssm:/cabal/secret")["mode"], "bounce")
        self.assertEqual(self.refresh("--put", "accept", source="ssm:/cabal/secret").returncode, 0)
        self.assertEqual(self.print(source="ssm:/cabal/secret")["mode"], "accept")
        self.cloud.put("hush-hush", "/cabal/secret", kind="SecureString")
        result = self.refresh("--print", source="ssm:/cabal/secret")
        self.assertEqual(json.loads(result.stdout)["value"], "(SecureString)")
        self.assertNotIn("hush", result.stdout + result.stderr)

    def test_name_of_the_parameter(self):
        self.cloud.put("bounce", "/other/name", kind="String")
        self.assertEqual(self.print(source="ssm:/other/name")["mode"], "bounce")
        line = self.print(source="ssm", env={"SINKHOLE_MODE_PARAM": "/other/name"})
        self.assertEqual(line["source"], "ssm:/other/name")
        self.assertEqual(self.print(source="ssm")["source"], "ssm:" + aws.PARAMETER)
        for bad in ("ssm:", "ssm:/with blank"):
            self.assertIn("names no parameter", self.print(100, source=bad))


class Signatures(Case):
    def test_who_signs_badly_is_refused(self):
        wrong = aws.Keys(self.cloud.operator.key, "not-the-secret-at-all")
        self.assertIn("SignatureDoesNotMatch", self.print(111, keys=wrong))
        self.assertIn("InvalidClientTokenId", self.print(111, keys=aws.Keys("AKIAXXXXXXXX", "x")))

    def test_temporary_credentials(self):
        self.assertEqual(self.print(keys=self.cloud.role)["event"], "fetched")
        bare = aws.Keys(self.cloud.role.key, self.cloud.role.secret)
        self.assertIn("InvalidClientTokenId", self.print(111, keys=bare))

    def signature_by_botocore(self, request, keys):
        """What AWS's own signer makes of the headers that were signed."""
        try:
            from botocore import auth, awsrequest, credentials  # pylint: disable=all
        except ImportError:
            self.skipTest("botocore is not installed")
        method, path, headers, body = request
        lower = {name.lower(): value for name, value in headers.items()}
        given = lower["authorization"]
        signed = given.split("SignedHeaders=")[1].split(",")[0].split(";")
        again = awsrequest.AWSRequest(method, self.proxy.url + path, data=body,
                                      headers={name: lower[name] for name in signed})
        again.context["timestamp"] = lower["x-amz-date"]
        signer = auth.SigV4Auth(credentials.Credentials(keys.key, keys.secret, keys.token),
                                "ssm", cloud.REGION)
        text = signer.string_to_sign(again, signer.canonical_request(again))
        return signed, given.rpartition("Signature=")[2], signer.signature(text, again)

    def test_botocore_agrees(self):
        for keys in (self.cloud.role, self.cloud.operator):
            self.print(keys=keys)
            signed, given, expected = self.signature_by_botocore(
                self.proxy.requests[-1], keys)
            self.assertEqual(given, expected)
            self.assertLessEqual({"host", "x-amz-date", "x-amz-target", "content-type"},
                                 set(signed))
            self.assertEqual("x-amz-security-token" in signed, keys.token is not None)


# What is answered in the store's place, and what the operator is told of it.
LATE = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 1020))
FAULTS = {
    "not found": (aws.refusal(400, "ParameterNotFound"), "ParameterNotFound",
                  "request 11111111-2222-3333-4444-555555555555"),
    "denied": (aws.refusal(400, "AccessDeniedException", "User: arn:x is not authorized"),
               "AccessDeniedException", "User: arn:x is not authorized"),
    "throttled": (aws.refusal(400, "ThrottlingException", "Rate exceeded"), "ThrottlingException",
                  "Rate exceeded"),
    "expired": (aws.refusal(400, "ExpiredTokenException"), "ExpiredTokenException", "HTTP 400"),
    "internal": (aws.refusal(500, "InternalServerError"), "InternalServerError", "HTTP 500"),
    "unavailable": (aws.text("<html>busy</html>", 503), "Http503", "HTTP 503"),
    "html": (aws.text("<html>200 and yet no JSON</html>"), "BadAnswer", "not JSON"),
    "cut": (aws.text('{"Parameter":{"Value":"accept"'), "BadAnswer", "not JSON"),
    "empty": (aws.text(""), "BadAnswer", "not JSON"),
    "deep": (aws.text("[" * 5000 + "]" * 5000), "BadAnswer", "not JSON"),
    "huge": (aws.text('"' + "x" * 5000000 + '"'), "TooLarge", "larger than 65536 bytes"),
    "value is a number": (aws.parameter(Value=1), "BadAnswer", "without a value"),
    "no value": (aws.parameter(Value=None), "BadAnswer", "without a value"),
    "version 0": (aws.parameter(Version=0), "BadAnswer", "version"),
    "version is text": (aws.parameter(Version="1"), "BadAnswer", "version"),
    "no type": (aws.parameter(Type=None), "BadAnswer", "type"),
    "value with NUL": (aws.parameter(Value="accept\0x"), "BadAnswer", "without a value"),
    "redirected": (lambda h: h.reply(302, "", Location="http://192.0.2.1/"), "Http302", "302"),
    "hung up": (aws.hang_up, "NetworkFailure", ""),
}


class Faults(Case):
    def test_each_is_told_by_its_name(self):
        for name, (fault, code, words) in FAULTS.items():
            with self.subTest(name):
                self.proxy.set_fault(fault)
                told = self.print(111)
                self.assertIn(f"({code})", told)
                self.assertIn(words, told)
        self.proxy.set_fault(None)
        self.assertEqual(self.print()["event"], "fetched")

    def test_wrong_clock(self):
        def answer(handler):
            body = json.dumps({"__type": "RequestTimeTooSkewed", "message": "skewed"}).encode()
            handler.wfile.write(b"HTTP/1.1 400 x\r\nDate: %s\r\nContent-Length: %d\r\n\r\n%s"
                                % (LATE.encode(), len(body), body))
        self.proxy.set_fault(answer)
        told = self.print(111)
        self.assertIn("(RequestTimeTooSkewed)", told)
        self.assertRegex(told, r"clock is 1[67] min behind AWS's")

    def test_headers_of_an_interim_answer_do_not_count(self):
        """Nor do those of a proxy's consent to CONNECT, which come the same way."""
        def answer(handler):
            handler.wfile.write(b"HTTP/1.1 100 Continue\r\nDate: %s\r\n"
                                b"x-amzn-RequestId: of-the-proxy\r\n\r\n" % LATE.encode())
            aws.text("busy", 503)(handler)
        self.proxy.set_fault(answer)
        told = self.print(111)
        self.assertIn("(HTTP 503)", told)
        self.assertNotIn("clock", told)

    def test_headers_are_known_by_their_whole_names(self):
        def answer(handler):
            handler.wfile.write(b"HTTP/1.1 503 x\r\nContent-Length: 0\r\nX-AMZN-REQUESTID:  r-7\t \r\n"
                                b"x-amzn-RequestIdentity: another\r\nDATE:%s \t\r\n\r\n"
                                % LATE.encode())
        self.proxy.set_fault(answer)
        self.assertRegex(self.print(111), r"\(HTTP 503, request r-7\); this machine's clock is")

    def test_time_is_bounded(self):
        """A server that says nothing, and one that says one byte a second."""
        proxy = self.proxy
        kinds = iter((aws.silence(proxy), aws.drip(proxy)))
        proxy.set_fault(lambda handler: next(kinds)(handler))
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for told in [pool.submit(self.print, 99) for _ in range(2)]:
                self.assertIn("(Timeout)", told.result())
        self.assertLess(time.monotonic() - begin, 30)

    def test_nobody_listens(self):
        url = f"http://127.0.0.1:{cloud.free_port()}"
        told = self.print(111, env={"AWS_ENDPOINT_URL_SSM": url})
        self.assertIn("(ConnectFailure)", told)

    def test_nobody_takes_the_connection(self):
        """A queue that is full: what asks to connect gets no answer. Two seconds are for that."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
            where = server.getsockname()
            waiting = [socket.socket() for _ in range(8)]
            for one in waiting:
                self.addCleanup(one.close)
                one.setblocking(False)
                one.connect_ex(where)
            told = self.print(99, env={"AWS_ENDPOINT_URL_SSM": f"http://127.0.0.1:{where[1]}"})
            self.assertRegex(told, r"after [234]\d{3} ms.*\(Timeout\)")

    def test_no_such_host(self):
        """In a network namespace of its own: the question must not leave this machine."""
        wrap = ("unshare", "--user", "--map-root-user", "--net")
        if subprocess.run([*wrap, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("unshare --net is not allowed here")
        told = self.print(111, wrap=wrap,
                          env={"AWS_ENDPOINT_URL_SSM": "http://no-such-host.invalid"})
        self.assertIn("(DnsFailure)", told)

    def test_dead_resolver(self):
        """A name server that takes questions and says nothing for half a minute: the limits hold."""
        directory = self.enterContext(tempfile.TemporaryDirectory())
        for name, text in (("resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n"),
                           ("nsswitch.conf", "hosts: files dns\n")):
            with open(os.path.join(directory, name), "w", encoding="ascii") as file:
                file.write(text)
        script = (f"ip link set lo up && cd {directory} && for f in *; do "
                  'mount --bind "$f" "$(readlink -f "/etc/$f")"; done && exec "$@"')
        mute = ("import socket, subprocess, sys; s = socket.socket(type=socket.SOCK_DGRAM); "
                "s.bind(('127.0.0.1', 53)); sys.exit(subprocess.run(sys.argv[1:]).returncode)")
        wrap = ("unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-ec", script,
                "sh", sys.executable, "-c", mute)
        if subprocess.run([*wrap, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("unshare --net --mount and ip are not all usable here")
        begin = time.monotonic()
        told = self.print(99, wrap=wrap, env={"AWS_ENDPOINT_URL_SSM": "http://no-answer.invalid"})
        self.assertIn("(Timeout)", told)
        self.assertLess(time.monotonic() - begin, 20)

    def test_certificates_are_checked(self):
        """The proxy speaks plain HTTP; https to it must fail, not fall back."""
        url = self.proxy.url.replace("http:", "https:")
        self.assertIn("(TlsFailure)", self.print(111, env={"AWS_ENDPOINT_URL_SSM": url}))

    def certificate(self, directory, name):
        """A self-signed one for this name; the paths of it and of its key."""
        paths = [os.path.join(directory, name + end) for end in (".pem", ".key")]
        subject = name if name.startswith("IP:") else "DNS:" + name
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=x",
                        "-addext", "subjectAltName=" + subject, "-out", paths[0], "-keyout",
                        paths[1]], check=True, capture_output=True)
        return paths

    def test_https(self):
        """Who is trusted is served; who is not, or is another, is not."""
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        directory = self.enterContext(tempfile.TemporaryDirectory())
        good, other = (self.certificate(directory, n) for n in ("IP:127.0.0.1", "ssm.invalid"))
        for pair, bundle, code in ((good, good[0], None), (good, None, "TlsFailure"),
                                   (other, other[0], "TlsFailure")):
            with httpd.Server(aws.parameter(Version=5)).encrypt(*pair) as server:
                env = {"AWS_ENDPOINT_URL_SSM": server.url, "AWS_CA_BUNDLE": bundle or ""}
                told = self.print(111 if code else 0, env=env)
                if code:
                    self.assertIn(f"({code})", told)
                else:
                    self.assertEqual(told["version"], 5)

    def test_secrets_that_aws_quotes_are_hidden(self):
        role = self.cloud.role
        self.proxy.set_fault(aws.refusal(
            400, "InvalidSignatureException",
            f"{role.token} and {role.secret} of {role.key}. The Canonical String for this request "
            f"should have been 'x-amz-security-token:{role.token}'"))
        told = self.print(111, keys=role)
        self.assertIn("[hidden] and [hidden] of [hidden]", told)
        for secret in (role.key, role.secret, role.token[:16]):
            self.assertNotIn(secret, told)


class Places(Case):
    def test_no_region(self):
        told = self.print(111, env={"AWS_REGION": ""})
        self.assertIn("(NoRegion)", told)
        self.assertIn("AWS_REGION is not set", told)

    def test_region_of_the_task(self):
        with aws.Metadata(self.cloud.role) as metadata:
            self.print(env={"AWS_REGION": "", "ECS_CONTAINER_METADATA_URI_V4": metadata.url})
            self.assertEqual(metadata.paths, ["GET /task"])
            good = metadata.answer
            metadata.answer = lambda *asked: (500, good(*asked)[1])
            self.assertIn("(NoRegion)", self.print(
                111, env={"AWS_REGION": "", "ECS_CONTAINER_METADATA_URI_V4": metadata.url}))

    def test_endpoints_in_order(self):
        dead = f"http://127.0.0.1:{cloud.free_port()}"
        url = self.proxy.url
        self.print(env={"AWS_ENDPOINT_URL": dead})
        self.print(env={"AWS_ENDPOINT_URL_SSM": "", "AWS_ENDPOINT_URL": url})
        self.assertIn("excludes FIPS", self.print(111, env={"AWS_USE_FIPS_ENDPOINT": "true"}))
        self.assertIn("no region's name", self.print(111, env={"AWS_REGION": "a/b"}))
        self.assertIn("no URL", self.print(111, env={"AWS_ENDPOINT_URL_SSM": "localhost:1"}))

    def test_proxy_of_the_environment(self):
        """curl's variables name a proxy for AWS, but never for link-local services."""
        with aws.Metadata(self.cloud.role) as metadata:
            env = {"AWS_ACCESS_KEY_ID": "", "http_proxy": self.proxy.url,
                   "AWS_ENDPOINT_URL_SSM": "http://ssm.invalid", "no_proxy": "",
                   "AWS_CONTAINER_CREDENTIALS_FULL_URI": metadata.url + "/credentials"}
            self.proxy.set_fault(aws.parameter(Value="greylist", Version=77))
            self.assertEqual(self.print(env=env)["version"], 77)
            self.assertEqual(self.proxy.requests[-1][1], "http://ssm.invalid/")
            self.assertEqual(metadata.paths, ["GET /credentials"])


if __name__ == "__main__":
    tap.main()
