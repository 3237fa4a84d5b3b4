"""AWS for tests, on this machine: Parameter Store with its authentication on, a proxy in front of
it that counts calls and fails as told, and stand-ins for the services that give out credentials.
"""

import atexit
import functools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import cloud
import httpd
import paramstore
from sinkhole import clean_environment, program

PARAMETER = "/cabal/sinkhole_mode"


class Keys:
    """Credentials, in the forms in which programs take them."""

    def __init__(self, key, secret, token=None):
        self.key, self.secret, self.token = key, secret, token

    def environ(self):
        env = {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret}
        return env | ({"AWS_SESSION_TOKEN": self.token} if self.token else {})

    def document(self, token_name="Token", left=7200):
        """As the container endpoint (Token) or credential_process (SessionToken) gives them."""
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + left))
        return {"Version": 1, "AccessKeyId": self.key, "SecretAccessKey": self.secret,
                token_name: self.token, "Expiration": expires, "Code": "Success"}

    def secrets(self):
        return [s for s in (self.secret, self.token) if s]


class Cloud:
    """Parameter Store behind a Proxy: moto, or where that is missing a stand-in of our own.
    operator: long-lived keys; role: temporary ones. Whoever signs badly is refused."""

    def __init__(self):
        self.store, self.proxy = None, None

    def __enter__(self):
        self.store = paramstore.Store() if cloud.missing() else paramstore.Moto()
        self.store.__enter__()
        try:
            self.operator, self.role = (Keys(*one) for one in self.store.keys())
            self.put("defer")
            self.proxy = Proxy(self.store.port).start()
        except BaseException:
            self.store.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.proxy.stop()
        self.store.__exit__()

    def environ(self, keys=None, **more):
        """Variables for a program that is to call through the proxy."""
        return {"AWS_REGION": cloud.REGION, "AWS_ENDPOINT_URL_SSM": self.proxy.url,
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                **(keys or self.operator).environ(), **more}

    def flip(self, value):
        """As an operator does it, by the AWS CLI and past the proxy; without the CLI directly."""
        if not shutil.which("aws"):
            self.put(value)
            return
        env = clean_environment(self.environ() | {"AWS_ENDPOINT_URL_SSM": self.store.url,
                                                  "AWS_DEFAULT_REGION": cloud.REGION})
        subprocess.run(["aws", "ssm", "put-parameter", "--name", PARAMETER, "--value", value,
                        "--overwrite"], env=env, check=True, capture_output=True, timeout=60)

    def put(self, value, name=PARAMETER, kind="String"):
        """Stores; returns the version."""
        return self.store.put(name, value, kind)

    def get(self, name=PARAMETER):
        """The value and the version."""
        return self.store.get(name)


@functools.cache
def shared_cloud():
    """One for all tests of a suite: it takes seconds to start."""
    one = Cloud()
    one.__enter__()
    atexit.register(one.__exit__)
    return one


class Case(unittest.TestCase):
    """A test with a cloud that has no fault and has not been called yet."""

    @classmethod
    def setUpClass(cls):
        cls.cloud = shared_cloud()
        cls.proxy = cls.cloud.proxy

    def setUp(self):
        self.proxy.set_fault(None)
        self.proxy.calls.clear()
        self.addCleanup(self.proxy.set_fault, None)


def refresh(*words, env, source="ssm:" + PARAMETER, timeout=60, wrap=()):
    """Runs sinkhole-refresh to its end."""
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run(
            [*wrap, program("sinkhole-refresh"), "--mode-source", source, *words],
            env=clean_environment({"HOME": home} | env), capture_output=True, text=True,
            timeout=timeout, check=False, stdin=subprocess.DEVNULL)


class Proxy(httpd.Server):
    """Hands requests on to the store as they are (the Host header is signed), unless a fault is
    set: a function that answers in its place. calls: the operations asked for, in order."""

    def __init__(self, target, **where):
        super().__init__(self._answer, **where)
        self.target, self.fault, self.calls, self.requests = target, None, [], []
        self.released = threading.Event()

    def _answer(self, handler):
        self.calls.append((handler.headers.get("X-Amz-Target") or "").rpartition(".")[2])
        self.requests.append((handler.command, handler.path, dict(handler.headers.items()),
                              handler.body))
        if self.fault is not None:
            self.fault(handler)
            return
        with socket.create_connection(("127.0.0.1", self.target)) as moto:
            head = f"{handler.command} {handler.path} HTTP/1.0\r\n{handler.headers}"
            moto.sendall(head.encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                         + handler.body)
            with moto.makefile("rb") as stream:
                whole = stream.read()
        head, _, body = whole.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        kept = {name: headers[name] for name in headers
                if name.lower() in ("content-type", "x-amzn-requestid", "x-amzn-errortype")}
        handler.reply(int(lines[0].split()[1]), body, **kept)

    def set_fault(self, fault):
        """None: none. Requests that hang on the former one are let go."""
        self.released.set()
        self.released = threading.Event()
        self.fault = fault

    def count(self, operation="GetParameter"):
        return self.calls.count(operation)


# -- faults: what stands in the store's place ----------------------------------------------------


def refusal(status, code, message="no", **headers):
    """AWS says no, in JSON."""
    def answer(handler):
        handler.reply(status, json.dumps({"__type": f"com.amazonaws.ssm#{code}",
                                          "message": message}),
                      x_amzn_RequestId="11111111-2222-3333-4444-555555555555", **headers)
    return answer


def text(body, status=200):
    return lambda handler: handler.reply(status, body)


def parameter(**fields):
    """A GetParameter answer with these fields in the place of good ones; None: left out."""
    whole = {"Name": PARAMETER, "Type": "String", "Value": "accept", "Version": 1} | fields
    return text(json.dumps({"Parameter": {k: v for k, v in whole.items() if v is not None}}))


def hang_up(handler):
    """Closes without a word."""
    handler.close_connection = True


def silence(proxy):
    """Takes the request and says nothing."""
    def answer(handler):
        proxy.released.wait(60)
        handler.close_connection = True
    return answer


def drip(proxy):
    """One byte a second."""
    def answer(handler):
        released = proxy.released
        handler.close_connection = True
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"{" * 100:
            handler.wfile.write(bytes([byte]))
            if released.wait(1):
                return
    return answer


# -- who gives out credentials -----------------------------------------------------------------


class Metadata(httpd.Server):
    """The container endpoint (/credentials, with a token when `token` is set), the instance
    metadata service, version 2, and ECS's task metadata. keys: what it gives; left: for so many
    seconds. paths: what was asked, in order."""

    ROLE = "the-role"

    def __init__(self, keys, left=7200, token=None, **where):
        super().__init__(self._answer, **where)
        self.keys, self.left, self.token, self.paths = keys, left, token, []
        self.session = "imds-session-token"
        self.roles, self.region = self.ROLE, cloud.REGION

    def _answer(self, handler):
        self.paths.append(f"{handler.command} {handler.path}")
        status, body = self.answer(handler.command, handler.path, handler.headers)
        handler.reply(status, body)

    def answer(self, method, path, headers):
        if path == "/credentials":
            if self.token is not None and headers.get("Authorization") != self.token:
                return 401, json.dumps({"code": "NotAuthorized", "message": "no"})
            return 200, json.dumps(self.keys.document(left=self.left))
        if path == "/task":
            return 200, json.dumps({"TaskARN": f"arn:aws:ecs:{cloud.REGION}:1:task/c/x"})
        if path == "/latest/api/token":
            good = method == "PUT" and headers.get("X-aws-ec2-metadata-token-ttl-seconds")
            return (200, self.session) if good else (405, "")
        if headers.get("X-aws-ec2-metadata-token") != self.session:
            return 401, ""
        return self.instance(path)

    def instance(self, path):
        roles = "/latest/meta-data/iam/security-credentials/"
        return {roles: (200, self.roles),
                roles + self.ROLE: (200, json.dumps(self.keys.document(left=self.left))),
                "/latest/meta-data/placement/region": (200, self.region)}.get(path, (404, ""))
