"""Parameter Store on this machine, twice: moto, with its authentication switched on, and a small
stand-in for machines without it. Both check every signature.
"""

import hashlib
import hmac
import json
import urllib.request

import cloud
import httpd

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["ssm:*", "sts:*"], "Resource": "*"}]})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})


class Moto(cloud.Moto):
    """moto, where an operator and a role may do anything to parameters, and nobody else."""

    def __enter__(self):
        super().__enter__()
        self._keys = self._populate()
        self._lock()
        return self

    def _populate(self):
        iam, sts = self.client("iam"), self.client("sts")
        iam.create_user(UserName="operator")
        iam.put_user_policy(UserName="operator", PolicyName="all", PolicyDocument=POLICY)
        key = iam.create_access_key(UserName="operator")["AccessKey"]
        arn = iam.create_role(RoleName="task", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        iam.put_role_policy(RoleName="task", PolicyName="all", PolicyDocument=POLICY)
        got = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return ((key["AccessKeyId"], key["SecretAccessKey"]),
                (got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"]))

    def _lock(self):
        """From now on moto checks who calls."""
        request = urllib.request.Request(
            self.url + "/moto-api/reset-auth", data=b"0", method="POST",
            headers={"Content-Type": "application/octet-stream"})
        urllib.request.urlopen(request, timeout=30).close()

    def keys(self):
        return self._keys

    def _ssm(self):
        import boto3  # pylint: disable=import-outside-toplevel
        key, secret = self._keys[0]
        return boto3.client("ssm", endpoint_url=self.url, region_name=cloud.REGION,
                            aws_access_key_id=key, aws_secret_access_key=secret)

    def put(self, name, value, kind):
        return self._ssm().put_parameter(Name=name, Value=value, Type=kind,
                                         Overwrite=True)["Version"]

    def get(self, name):
        found = self._ssm().get_parameter(Name=name, WithDecryption=True)["Parameter"]
        return found["Value"], found["Version"]


def signature(request, secret, scope, signed):
    """Signature Version 4 of (method, path, headers with small names, body)."""
    method, path, headers, body = request
    canonical = "\n".join([method, path, "", *(f"{name}:{headers[name]}" for name in signed), "",
                           ";".join(signed), hashlib.sha256(body).hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], "/".join(scope),
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


class Refused(Exception):
    """An error of the service: its code."""


class Store(httpd.Server):
    """GetParameter and PutParameter, for two callers whose keys are made up."""

    KEYS = (("AKIAOPERATOR00000000", "secret-of-the-operator-0123456789abcdefgh"),
            ("ASIAROLE000000000000", "secret-of-the-role-0123456789abcdefghijkl", "token/" * 40))

    def __init__(self, port=0):
        super().__init__(self._answer, port=port)
        self.parameters = {}

    @property
    def port(self):
        return self.server_address[1]

    def keys(self):
        return self.KEYS

    def put(self, name, value, kind=None):
        """kind None: that of the parameter, which has to exist."""
        old = self.parameters.get(name)
        if old is None and kind is None:
            raise Refused("ValidationException")
        self.parameters[name] = (value, old[1] + 1 if old else 1, old[2] if old else kind)
        return self.parameters[name][1]

    def get(self, name):
        return self.parameters[name][:2]

    def _answer(self, handler):
        headers = {name.lower(): value for name, value in handler.headers.items()}
        try:
            self._check((handler.command, handler.path, headers, handler.body))
            asked = json.loads(handler.body)
            reply = self._do(headers["x-amz-target"], asked)
            handler.reply(200, json.dumps(reply), Content_Type="application/x-amz-json-1.1")
        except Refused as refused:
            handler.reply(400, json.dumps({"__type": str(refused), "message": "no"}))

    def _check(self, request):
        headers = request[2]
        fields = dict(part.split("=", 1) for part in
                      headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(", "))
        key, *scope = fields["Credential"].split("/")
        known = {one[0]: one[1:] for one in self.KEYS}
        secret, *token = known.get(key, ("", "unknown"))
        signed = fields["SignedHeaders"].split(";")
        if token != ([headers["x-amz-security-token"]] if "x-amz-security-token" in headers
                     else []) or (token and "x-amz-security-token" not in signed):
            raise Refused("InvalidClientTokenId")
        if scope[1:] != [cloud.REGION, "ssm", "aws4_request"] or not hmac.compare_digest(
                fields["Signature"], signature(request, secret, scope, signed)):
            raise Refused("SignatureDoesNotMatch")

    def _do(self, target, asked):
        name = asked["Name"]
        if target == "AmazonSSM.PutParameter":
            return {"Version": self.put(name, asked["Value"], asked.get("Type")),
                    "Tier": "Standard"}
        if name not in self.parameters:
            raise Refused("ParameterNotFound")
        value, version, kind = self.parameters[name]
        return {"Parameter": {"Name": name, "Type": kind, "Value": value, "Version": version}}
