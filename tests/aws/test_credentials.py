#!/usr/bin/env python3
"""Where credentials come from: each provider gives some that are accepted, in the SDKs' order, and
temporary ones are renewed before they expire. Nothing here asks a real metadata service."""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import aws  # noqa: E402
import cloud  # noqa: E402
import httpd  # noqa: E402
import paramstore  # noqa: E402
import sinkhole  # noqa: E402
import tap  # noqa: E402

STS_ANSWER = """<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
<AccessKeyId>{AccessKeyId}</AccessKeyId><SecretAccessKey>{SecretAccessKey}</SecretAccessKey>
<SessionToken>{Token}</SessionToken><Expiration>{Expiration}</Expiration>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


class Case(aws.Case):
    def setUp(self):
        super().setUp()
        self.dir = self.enterContext(tempfile.TemporaryDirectory())

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def environ(self, **more):
        """No keys but those that the test gives."""
        env = self.cloud.environ(**more)
        return {k: v for k, v in env.items() if k in more or k not in self.cloud.role.environ()}

    def print(self, **env):
        return aws.refresh("--print", env=self.environ(**env))

    def serves(self, keys, **env):
        """It works, by these keys."""
        result = self.print(**env)
        self.assertEqual(result.returncode, 0, result.stderr)
        used = self.proxy.requests[-1][2]["Authorization"]
        self.assertIn(f"Credential={keys.key}/", used)

    def fails(self, *words, **env):
        result = self.print(**env)
        self.assertEqual(result.returncode, 111, result.stdout)
        for word in words:
            self.assertIn(word, result.stderr)

    def metadata(self, keys=None, **more):
        return self.enterContext(aws.Metadata(keys or self.cloud.role, **more))


class Providers(Case):
    def test_none(self):
        self.fails("(NoCredentials)", "environment: AWS_ACCESS_KEY_ID is not set",
                   "profile: no profile [default]", "web identity: AWS_WEB_IDENTITY_TOKEN_FILE",
                   "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "instance: AWS_EC2_META")

    def test_environment(self):
        self.serves(self.cloud.role, **self.cloud.role.environ())

    def test_shared_file_and_profile(self):
        operator = self.cloud.operator
        path = self.write("keys", f"[stage]\naws_access_key_id = {operator.key}\n"
                                  f"aws_secret_access_key = {operator.secret}\n")
        self.serves(operator, AWS_SHARED_CREDENTIALS_FILE=path, AWS_PROFILE="stage")
        self.fails("no profile [other]", AWS_SHARED_CREDENTIALS_FILE=path, AWS_PROFILE="other")

    def test_region_and_endpoint_of_the_profile(self):
        role = self.cloud.role
        path = self.write("config", f"[profile p]\nregion = {cloud.REGION}\nendpoint_url = "
                                    f"{self.proxy.url}\n")
        self.serves(role, AWS_CONFIG_FILE=path, AWS_PROFILE="p", AWS_REGION="",
                    AWS_ENDPOINT_URL_SSM="", **role.environ())

    def test_process(self):
        answer = self.write("answer", json.dumps(self.cloud.role.document("SessionToken")))
        path = self.write("config", f"[default]\ncredential_process = cat {answer}\n")
        self.serves(self.cloud.role, AWS_CONFIG_FILE=path)
        path = self.write("config", "[default]\ncredential_process = echo hush-hush; exit 4\n")
        self.fails("(CredentialsFailed)", "status 4", AWS_CONFIG_FILE=path)
        self.assertNotIn("hush", self.print(AWS_CONFIG_FILE=path).stderr)

    def test_web_identity(self):
        forms = []

        def sts(handler):
            forms.append(handler.body.decode())
            handler.reply(200, STS_ANSWER.format(**self.cloud.role.document()))
        server = self.enterContext(httpd.Server(sts))
        env = {"AWS_ROLE_ARN": "arn:aws:iam::1:role/a+b", "AWS_ENDPOINT_URL_STS": server.url,
               "AWS_WEB_IDENTITY_TOKEN_FILE": self.write("token", "ey.J/w=t\n")}
        self.serves(self.cloud.role, **env)
        self.assertEqual(forms, [
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&"
            "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%2Bb&RoleSessionName=sinkhole&"
            "WebIdentityToken=ey.J%2Fw%3Dt"])
        self.serves(self.cloud.role, AWS_ROLE_SESSION_NAME="task-1", **env)
        self.assertIn("&RoleSessionName=task-1&", forms[1])

    def test_web_identity_refused(self):
        server = self.enterContext(httpd.Server(aws.text(
            "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>not ey.Jhush-hush"
            "</Message></Error><RequestId>r-9</RequestId></ErrorResponse>", 400)))
        env = {"AWS_ROLE_ARN": "arn:x", "AWS_ENDPOINT_URL_STS": server.url,
               "AWS_WEB_IDENTITY_TOKEN_FILE": self.write("token", "ey.Jhush-hush")}
        self.fails("web identity: InvalidIdentityToken", "r-9", **env)
        self.assertNotIn("hush", self.print(**env).stderr)

    def test_container(self):
        server = self.metadata(token="Basic abc")
        env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url + "/credentials"}
        self.serves(self.cloud.role, AWS_CONTAINER_AUTHORIZATION_TOKEN="Basic abc", **env)
        self.fails("container: the endpoint answers with HTTP status 401", **env)
        # The file wins over the variable.
        path = self.write("token", "Basic abc")
        self.serves(self.cloud.role, AWS_CONTAINER_AUTHORIZATION_TOKEN="old",
                    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=path, **env)

    def test_container_elsewhere(self):
        """Nobody else's machine by http, any by https. Here there is no way to either."""
        wrap = ("unshare", "--user", "--map-root-user", "--net")
        if subprocess.run([*wrap, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("unshare --net is not allowed here")
        for scheme, why in (("http", "http is allowed to"), ("https", "Failed to connect")):
            env = self.environ(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{scheme}://192.0.2.1/x")
            result = aws.refresh("--print", env=env, wrap=wrap)
            self.assertIn(f"credentials from container: {why}", result.stderr)

    def test_container_that_fails_is_the_end(self):
        """The instance's role is another identity: it must not take the place of the task's."""
        instance = self.metadata()
        self.fails("(CredentialsFailed)", "container",
                   AWS_CONTAINER_CREDENTIALS_FULL_URI=f"http://127.0.0.1:{cloud.free_port()}/x",
                   AWS_EC2_METADATA_DISABLED="", AWS_EC2_METADATA_SERVICE_ENDPOINT=instance.url)
        self.assertEqual(instance.paths, [])

    def test_instance(self):
        server = self.metadata()
        self.serves(self.cloud.role, AWS_EC2_METADATA_DISABLED="", AWS_REGION="",
                    AWS_EC2_METADATA_SERVICE_ENDPOINT=server.url + "/")
        self.assertEqual(server.paths[0], "PUT /latest/api/token")
        self.assertIn("GET /latest/meta-data/placement/region", server.paths)
        self.assertIn("GET /latest/meta-data/iam/security-credentials/the-role", server.paths)

    def test_instance_without_version_2(self):
        """No token, no question: never version 1."""
        server = self.metadata()
        server.session = ""
        server.answer = lambda *_: (404, "")
        self.fails("instance: HTTP status 404 for /latest/api/token", AWS_EC2_METADATA_DISABLED="",
                   AWS_EC2_METADATA_SERVICE_ENDPOINT=server.url)
        self.assertEqual(set(server.paths), {"PUT /latest/api/token"})

    def test_slow_instance_metadata(self):
        """A second is all it gets, unless the variable gives more."""
        server = self.metadata()
        quick = server.answer

        def slow(*asked):
            time.sleep(2)
            return quick(*asked)
        server.answer = slow
        env = {"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url}
        self.fails("instance: Operation timed out", **env)
        self.serves(self.cloud.role, AWS_METADATA_SERVICE_TIMEOUT="9", **env)

    def test_instance_metadata_are_read_with_suspicion(self):
        server = self.metadata()
        env = {"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url}
        for session in ("a\r\nb: c", "t" * 300):
            server.session = session
            self.fails("instance: its token is too long or has a line end in it", **env)
        server.session, server.roles = "good", ""
        self.fails("instance: the instance has no role", **env)
        server.roles, server.region = f"{server.ROLE}\r\nanother\r\n", cloud.REGION + "\r\n"
        self.serves(self.cloud.role, AWS_REGION="", **env)

    def test_a_role_is_not_taken_for_its_keys(self):
        """The keys of such a profile only sign the question for the role's."""
        role = self.cloud.role
        path = self.write("keys", f"[base]\naws_access_key_id = {role.key}\naws_secret_access_key "
                                  f"= {role.secret}\nrole_arn = arn:x\nsource_profile = base\n")
        self.fails("(CredentialsFailed)", "[base] uses role_arn", "credential_process",
                   AWS_SHARED_CREDENTIALS_FILE=path, AWS_PROFILE="base")
        self.assertEqual(self.proxy.calls, [])

    def test_services_of_the_profile(self):
        path = self.write("config", f"[default]\nregion = {cloud.REGION}\nservices = here\n"
                                    f"[services here]\nssm =\n  endpoint_url = {self.proxy.url}\n")
        self.serves(self.cloud.role, AWS_CONFIG_FILE=path, AWS_REGION="", AWS_ENDPOINT_URL_SSM="",
                    **self.cloud.role.environ())

    def test_order(self):
        server = self.metadata()
        path = self.write("keys", "[default]\naws_access_key_id = FROMFILE\n"
                                  "aws_secret_access_key = x\n")
        self.serves(self.cloud.operator, AWS_SHARED_CREDENTIALS_FILE=path,
                    AWS_CONTAINER_CREDENTIALS_FULL_URI=server.url + "/credentials",
                    **self.cloud.operator.environ())
        self.assertEqual(server.paths, [])


class LinkLocal(unittest.TestCase):
    """The fixed addresses of ECS and EC2, in a network namespace of its own."""

    WRAP = ("unshare", "--user", "--map-root-user", "--net", "--")

    def inside(self, address, *words):
        """Runs this file there, with stand-ins at the address; returns what it prints."""
        script = (f"ip link set lo up && ip addr add {address} dev lo && "
                  f"exec {sys.executable} {os.path.abspath(__file__)} --inside {address}")
        if subprocess.run([*self.WRAP, "ip", "link", "set", "lo", "up"], capture_output=True,
                          check=False).returncode != 0:
            self.skipTest("unshare --net and ip are not both usable here")
        result = subprocess.run([*self.WRAP, "sh", "-c", f'{script} "$@"', "sh", *words],
                                capture_output=True, text=True, timeout=60, check=False,
                                env=sinkhole.clean_environment())
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_relative_uri(self):
        told = self.inside("169.254.170.2",
                           "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/credentials",
                           "AWS_REGION=" + cloud.REGION)
        self.assertEqual(told["paths"], ["GET /credentials"])

    def test_relative_uri_wins(self):
        self.inside("169.254.170.2", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/credentials",
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/credentials",
                    "AWS_REGION=" + cloud.REGION)

    def test_full_uri_of_eks(self):
        for address, host in (("169.254.170.23", "169.254.170.23"),
                              ("fd00:ec2::23", "[fd00:ec2::23]")):
            told = self.inside(address, "AWS_CONTAINER_CREDENTIALS_FULL_URI="
                               f"http://{host}/credentials", "AWS_REGION=" + cloud.REGION)
            self.assertEqual(told["paths"], ["GET /credentials"])

    def test_instance(self):
        for address, *words in (("169.254.169.254",),
                                ("fd00:ec2::254", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6")):
            told = self.inside(address, *words)
            self.assertEqual(told["paths"][0], "PUT /latest/api/token")
            self.assertIn("GET /latest/meta-data/placement/region", told["paths"])


def inside(address, *words):
    """In the namespace: stand-ins for the metadata and for SSM, and one fetch that has to work."""
    store = paramstore.Store(port=80)  # the default port, which the signed Host header leaves out
    store.put(aws.PARAMETER, "accept", "String")
    keys = aws.Keys(*store.keys()[1])
    with aws.Metadata(keys, host=address, port=80) as metadata, store:
        env = {"AWS_ENDPOINT_URL_SSM": "http://127.0.0.1"}
        result = aws.refresh("--print", env=env | dict(word.split("=", 1) for word in words))
        print(json.dumps({"paths": metadata.paths}))
    sys.stderr.write(result.stderr)
    return result.returncode


class Renewal(Case):
    """A refresher that lives through changes of its credentials."""

    def daemon(self, metadata):
        env = self.environ(
            AWS_CONTAINER_CREDENTIALS_FULL_URI=metadata.url + "/credentials")
        return self.enterContext(sinkhole.Daemon(source="ssm:" + aws.PARAMETER, env=env,
                                                 args=["--cache-ttl", "0.3"]))

    def fetches(self, daemon, n):
        """Waits for n more fetches that worked."""
        before = daemon.status()["mode"]["fetches"]
        daemon.wait_status(lambda s: s["mode"]["fetches"] >= before + n, f"{n} fetches")

    def test_long_lived_ones_are_asked_for_once(self):
        metadata = self.metadata(left=7200)
        self.fetches(self.daemon(metadata), 4)
        self.assertEqual(len(metadata.paths), 1)

    def test_short_lived_ones_are_renewed(self):
        metadata = self.metadata(left=120)
        daemon = self.daemon(metadata)
        self.fetches(daemon, 3)
        self.assertGreaterEqual(len(metadata.paths), 3)
        # While no new ones come, the old ones serve.
        metadata.answer = lambda *_: (500, "")
        self.fetches(daemon, 3)
        self.assertEqual(daemon.find("source_failed"), [])

    def test_revoked_ones_are_replaced_at_once(self):
        metadata = self.metadata(left=7200)
        daemon = self.daemon(metadata)
        old = self.cloud.role.key
        metadata.keys = self.cloud.operator

        def revoked(handler):
            if old in handler.headers["Authorization"]:
                aws.refusal(400, "ExpiredTokenException")(handler)
            else:
                aws.parameter(Value="greylist", Version=12345)(handler)
        self.proxy.set_fault(revoked)
        daemon.wait_event("mode", mode="greylist", version=12345)
        self.assertEqual(len(metadata.paths), 2)
        self.assertEqual(daemon.find("source_failed"), [])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        sys.exit(inside(*sys.argv[2:]))
    tap.main()
