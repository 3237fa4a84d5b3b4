"""AWS for tests, on this machine: moto with its authentication on as Parameter Store, a proxy in
front of it that counts calls and fails as told, and stand-ins for the services that give out
credentials.
"""

import atexit
import functools
import http.server
import json
import os
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

import cloud
from sinkhole import clean_environment, program

PARAMETER = "/cabal/sinkhole_mode"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["ssm:*", "sts:*"], "Resource": "*"}]})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})


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
    """moto behind a Proxy. operator: long-lived keys; role: temporary ones. Both may do anything
    to parameters; whoever signs badly is refused."""

    def __init__(self):
        self.moto, self.proxy = cloud.Moto(), None
        self.operator = self.role = None

    def __enter__(self):
        self.moto.__enter__()
        try:
            self._populate()
            self._lock()
            self.proxy = Proxy(self.moto.port).start()
        except BaseException:
            self.moto.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.proxy.stop()
        self.moto.__exit__()

    def _populate(self):
        iam, sts, ssm = (self.moto.client(name) for name in ("iam", "sts", "ssm"))
        iam.create_user(UserName="operator")
        iam.put_user_policy(UserName="operator", PolicyName="all", PolicyDocument=POLICY)
        key = iam.create_access_key(UserName="operator")["AccessKey"]
        self.operator = Keys(key["AccessKeyId"], key["SecretAccessKey"])
        arn = iam.create_role(RoleName="task", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        iam.put_role_policy(RoleName="task", PolicyName="all", PolicyDocument=POLICY)
        got = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        self.role = Keys(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])
        ssm.put_parameter(Name=PARAMETER, Value="defer", Type="String")

    def _lock(self):
        """From now on moto checks who calls."""
        request = urllib.request.Request(
            self.moto.url + "/moto-api/reset-auth", data=b"0", method="POST",
            headers={"Content-Type": "application/octet-stream"})
        urllib.request.urlopen(request, timeout=30).close()

    def environ(self, keys=None, **more):
        """Variables for a program that is to call through the proxy."""
        return {"AWS_REGION": cloud.REGION, "AWS_ENDPOINT_URL_SSM": self.proxy.url,
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                **(keys or self.operator).environ(), **more}

    def cli(self, *words):
        """The operator's AWS CLI, past the proxy."""
        env = clean_environment(self.environ() | {"AWS_ENDPOINT_URL_SSM": self.moto.url,
                                                  "AWS_DEFAULT_REGION": cloud.REGION})
        return subprocess.run(["aws", "ssm", *words], env=env, check=True, capture_output=True,
                              text=True, timeout=60).stdout

    def client(self):
        """The operator's boto3 client, past the proxy."""
        import boto3  # pylint: disable=import-outside-toplevel
        return boto3.client("ssm", endpoint_url=self.moto.url, region_name=cloud.REGION,
                            aws_access_key_id=self.operator.key,
                            aws_secret_access_key=self.operator.secret)

    def put(self, value, name=PARAMETER, **more):
        """Stores; returns the version."""
        return self.client().put_parameter(Name=name, Value=value, Overwrite=True,
                                           **more)["Version"]


@functools.cache
def shared_cloud():
    """One for all tests of a suite: moto takes seconds to start."""
    if cloud.missing():
        raise unittest.SkipTest(cloud.missing())
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


class Server(http.server.ThreadingHTTPServer):
    """An HTTP server on this machine, in threads; answer(handler) does what a request asks for."""

    daemon_threads = True

    def __init__(self, answer, host="127.0.0.1", port=0):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_GET = do_POST = do_PUT = handle_one

            def reply(self, status, body, **headers):
                body = body if isinstance(body, bytes) else body.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__((host, port), Handler)
        self.connections = 0
        self.url = f"http://{host}:{self.server_address[1]}"

    def process_request(self, request, client_address):
        self.connections += 1
        super().process_request(request, client_address)

    def encrypt(self, certificate, key):
        """Speaks TLS from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")
        return self

    def handle_error(self, request, client_address):
        """A client that goes away is no error."""

    def start(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()
        return self

    def stop(self):
        self.shutdown()
        self.server_close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Proxy(Server):
    """Hands requests on to moto as they are (the Host header is signed), unless a fault is set: a
    function that answers in moto's place. calls: the operations asked for, in order."""

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


# -- faults: what stands in moto's place -------------------------------------------------------


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


class Metadata(Server):
    """The container endpoint (/credentials, with a token when `token` is set), the instance
    metadata service, version 2, and ECS's task metadata. keys: what it gives; left: for so many
    seconds. paths: what was asked, in order."""

    ROLE = "the-role"

    def __init__(self, keys, left=7200, token=None, **where):
        super().__init__(self._answer, **where)
        self.keys, self.left, self.token, self.paths = keys, left, token, []
        self.session = "imds-session-token"

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
        return {roles: (200, self.ROLE),
                roles + self.ROLE: (200, json.dumps(self.keys.document(left=self.left))),
                "/latest/meta-data/placement/region": (200, cloud.REGION)}.get(path, (404, ""))
