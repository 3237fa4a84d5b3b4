"""moto as AWS, for tests: a server on a free port of this machine."""

import os
import shutil
import socket
import subprocess
import time

REGION = "us-east-1"
ACCOUNT = "123456789012"


def missing():
    """Why there can be no AWS here; None when there can."""
    if not shutil.which("moto_server"):
        return "moto_server is not installed (pip install 'moto[server]')"
    return None


def free_port(host="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


class Moto:
    """One moto server; a context manager. url is its endpoint."""

    def __init__(self, host="127.0.0.1", log=subprocess.DEVNULL):
        self.host, self.port = host, free_port(host)
        self.url = f"http://{host}:{self.port}"
        self._log, self._process = log, None

    def __enter__(self):
        self._process = subprocess.Popen(
            ["moto_server", "-H", self.host, "-p", str(self.port)],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        self._wait()
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()

    def _wait(self, bound=60):
        until = time.monotonic() + bound
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise RuntimeError(f"moto_server ended with {self._process.returncode}")
            with socket.socket() as probe:
                if probe.connect_ex((self.host, self.port)) == 0:
                    return
            time.sleep(0.1)
        raise RuntimeError(f"moto_server does not listen after {bound} s")

    def environ(self):
        """Variables that send any AWS client here, with keys that are not real."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | {
            "AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "",
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, service):
        """A boto3 client of this server (moto brings boto3 along)."""
        import boto3  # pylint: disable=import-outside-toplevel
        return boto3.client(service, endpoint_url=self.url, region_name=REGION,
                            aws_access_key_id="testing", aws_secret_access_key="testing")

    def aws(self, *args, check=True):
        """The AWS CLI, as an operator types it; returns its output."""
        done = subprocess.run(["aws", *args], env=self.environ(), text=True, check=False,
                              capture_output=True, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise RuntimeError(f"aws {' '.join(args)}: {done.stderr}")
        return done.stdout.strip()
