"""The drill's own little AWS: a network with no way out, a resolver, moto for the mode, the
sinkhole, and smtp-out tasks that share one queue.

A Lab is found again by its name, so one process may build it and another use it: all that it
knows is in its directory and in podman.
"""

import ipaddress
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import cloud
import image
import podman
import ssm
import tier

HERE = os.path.dirname(os.path.realpath(__file__))
SINKHOLE = "sinkhole.cabal.internal"
PATIENCE = 60  # seconds that a condition may take on a busy machine
TASK_FLAGS = (
    # test_route.py shows that each of the two capabilities is needed, and no other.
    "--init", "--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--cap-add=NET_BIND_SERVICE", "--cap-add=SETGID",
    "--tmpfs=/run/cabal:rw,nosuid,nodev,noexec,mode=0755",
    "--tmpfs=/tmp:rw,nosuid,nodev,noexec")
SINKHOLE_FLAGS = ("--init", *tier.POSTURE, f"--sysctl={tier.UNPRIVILEGED_PORTS}")


def wait_for(condition, what, patience=PATIENCE):
    """Waits until condition() is true and returns what it gave."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {patience} s in vain: {what}")
        time.sleep(0.1)


class Lab:
    def __init__(self, name):
        self.name = name
        self.prefix = f"drill-{name}"
        self.dir = os.path.join(image.BUILD, "drill", name)
        self.queue = os.path.join(self.dir, "queue")
        self.state = {}
        if os.path.exists(self._path("state.json")):
            with open(self._path("state.json"), encoding="utf-8") as file:
                self.state = json.load(file)

    def _path(self, name):
        return os.path.join(self.dir, name)

    def save(self, **values):
        """Keeps these values in the lab's state, for whoever finds it by its name."""
        self.state.update(values)
        with open(self._path("state.json"), "w", encoding="utf-8") as file:
            json.dump(self.state, file)

    def container(self, name):
        return f"{self.prefix}-{name}"

    # ---- the network and its names ----

    def up(self):
        """The network, the resolver and the queue volume; no task yet."""
        image.smtp_out()
        os.makedirs(self.dir)
        os.mkdir(self.queue, 0o700)
        os.chown(self.queue, 0, 8)  # as the access point of the queue has it
        podman.podman("network", "create", "--internal", "--disable-dns", self.prefix)
        subnet, bridge = podman.podman(
            "network", "inspect", "--format",
            "{{(index .Subnets 0).Subnet}} {{.NetworkInterface}}", self.prefix).stdout.split()
        gateway = subnet.replace(".0/24", ".1")
        self.save(gateway=gateway, last=gateway, children=[])
        self.set_zone({})
        # It keeps the bridge there, whatever becomes of the others.
        podman.run("--detach", "--name", self.container("anchor"), *self._attach(),
                   "--entrypoint", "sleep", image.built(), "infinity")
        # An internal network gives this machine no address of its own; and a bridge changes its
        # hardware address with its ports, on which the tasks would lose it for seconds.
        octets = [int(octet) for octet in gateway.split(".")]
        hardware = ":".join(f"{octet:02x}" for octet in (2, 0, *octets))
        for words in (["link", "set", "dev", bridge, "address", hardware],
                      ["address", "replace", f"{gateway}/24", "dev", bridge]):
            subprocess.run(["ip", *words], check=True)
        self._spawn("resolver", [sys.executable, os.path.join(HERE, "resolver.py"), gateway,
                                 self._path("zone")], ready="ready")

    def fresh(self):
        """As after up(): no task, an empty queue, and a log that begins now. What serves the mode
        goes on."""
        podman.remove(*map(self.container, self.tasks()))
        for name in os.listdir(self.queue):
            os.unlink(os.path.join(self.queue, name))
        if os.path.exists(self._path("submitted")):
            os.unlink(self._path("submitted"))
        self.save(log_from=len(self._whole_log()))

    def down(self):
        """Takes everything away; a lab that is half there is no error."""
        for child in self.state.get("children", []):
            try:
                os.kill(child, signal.SIGTERM)
            except ProcessLookupError:
                pass
        podman.remove(*self.containers())
        podman.podman("network", "rm", "--force", self.prefix, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)
        self.state = {}

    def _attach(self):
        """podman's flags for the next container on the network."""
        last = str(ipaddress.ip_address(self.state["last"]) + 1)
        self.save(last=last)
        return ["--network", self.prefix, "--ip", last, "--dns", self.state["gateway"],
                "--dns-search", "."]

    def containers(self):
        return podman.podman("ps", "--all", "--format", "{{.Names}}", "--filter",
                             f"name=^{self.prefix}-").stdout.split()

    def _spawn(self, name, command, ready):
        """A helper in the background; returns when its output has the word `ready`."""
        log = self._path(f"{name}.log")
        with open(log, "w", encoding="utf-8") as out:
            child = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                     start_new_session=True)
        self.save(children=self.state["children"] + [child.pid])

        def is_ready():
            with open(log, encoding="utf-8") as file:
                text = file.read()
            if child.poll() is not None:
                raise RuntimeError(f"{name} ended at once: {text}")
            return ready in text
        wait_for(is_ready, f"{name} to be ready")

    def set_zone(self, zone):
        """{name: address, or None for a name without one}; any other name is NXDOMAIN."""
        new = self._path("zone.new")
        with open(new, "w", encoding="ascii") as file:
            file.writelines(f"{name} {address or '-'}\n" for name, address in zone.items())
        os.rename(new, self._path("zone"))
        self.save(zone=zone)

    def point(self, name, address):
        self.set_zone({**self.state["zone"], name: address})

    def forget(self, name):
        self.set_zone({k: v for k, v in self.state["zone"].items() if k != name})

    # ---- smtp-out ----

    def start_task(self, task, **env):
        """Starts an smtp-out task; returns when it serves."""
        env = {"SINKHOLE_ENABLED": "true", "SINKHOLE_ENVIRONMENT": "development", **env}
        flags = [f"--env={key}={value}" for key, value in env.items() if value is not None]
        name = self.container(task)
        podman.run("--detach", "--name", name, "--hostname", f"smtp-out-{task}.drill.test",
                   *self._attach(), "--volume",
                   f"{self.queue}:/var/spool/mqueue:rw,nosuid,nodev,noexec",
                   *TASK_FLAGS, *flags, image.built())
        wait_for(lambda: self._serves(name), f"task {task} to serve")

    @staticmethod
    def _serves(name):
        if podman.inspect(name, "{{.State.Running}}") != "true":
            raise RuntimeError(f"{name} ended\n{''.join(podman.logs(name))}")
        return podman.execute(name, "smtp-out", "healthy", check=False).returncode == 0

    def kill_task(self, task, how="KILL"):
        """Ends a task: KILL at once, TERM with its drain. Returns its exit code."""
        name = self.container(task)
        if how == "KILL":
            podman.podman("kill", "--signal", "KILL", name)
            podman.podman("wait", name)
        else:
            podman.podman("stop", "--time", "120", name)
        with open(self._path(f"{task}.log"), "w", encoding="utf-8") as file:
            file.write("".join(podman.logs(name)))
        code = int(podman.inspect(name, "{{.State.ExitCode}}"))
        podman.remove(name)
        return code

    def execute(self, task, *command, check=True):
        """A command in a task, as `aws ecs execute-command` runs it."""
        return podman.execute(self.container(task), *command, check=check).stdout

    def exec_command(self, task):
        """The words that run what follows them in a task, for those who start it themselves."""
        return podman.command("exec", self.container(task))

    def submit(self, task, count, tag, to="parked-{}@sinkhole.test", size=100):
        """Submits by the task's own loopback; returns {queue id: Message-ID}."""
        done = subprocess.run(
            ["nsenter", "--net", "--target", str(podman.pid(self.container(task))),
             sys.executable, os.path.join(HERE, "submit.py"), str(count), tag, to, str(size)],
            text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"submitting to {task}: {done.stderr}")
        with open(self._path("submitted"), "a", encoding="ascii") as file:
            file.write(done.stdout)
        return dict(line.split() for line in done.stdout.splitlines())

    def submitted(self):
        """The Message-IDs of all that was submitted."""
        with open(self._path("submitted"), encoding="ascii") as file:
            return [line.split()[1] for line in file]

    def mailq(self, task):
        """{queue id: the reason it waits for} as the task's mailq prints it."""
        found, last = {}, None
        for line in self.execute(task, "mailq").splitlines():
            start = re.match(r"^(\w{14})[ *X-]", line)
            reason = re.match(r"^\s+\((.*)\)$", line)
            if start:
                last = start.group(1)
                found[last] = None
            elif reason and last and found[last] is None:
                found[last] = reason.group(1)
        return found

    def age(self, queue_id):
        """Makes a queued message one that was last tried long ago."""
        path = os.path.join(self.queue, f"qf{queue_id}")
        with open(path, "rb+") as file:
            text = re.sub(rb"^K\d+$", b"K1000000000", file.read(), flags=re.MULTILINE)
            file.seek(0)
            file.write(text)
            file.truncate()

    def idle(self, task):
        """Whether no process of any task works on a message of the queue now."""
        return not re.search(r"^\w{14}\*", self.execute(task, "mailq"), re.MULTILINE)

    def tasks(self):
        """The running smtp-out tasks."""
        others = (self.container("anchor"), self.container("sinkhole"))
        return [name[len(self.prefix) + 1:] for name in self.containers() if name not in others]

    def next_number(self):
        """1, 2, ...: so that no two submissions share a Message-ID."""
        self.save(number=self.state.get("number", 0) + 1)
        return self.state["number"]

    def run_queue(self, task, *options):
        """One run of the queue for sinkhole.test, whatever the age of its messages."""
        self.execute(task, "sendmail", *options, "-qRsinkhole.test")

    def task_log(self, task):
        """The task's log, also after its end."""
        path = self._path(f"{task}.log")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return file.read()
        return "".join(podman.logs(self.container(task)))

    # ---- where bounces go ----

    def start_inbox(self):
        """A host on the bridge's address that takes mail for drill.test."""
        self._spawn("inbox", [sys.executable, os.path.join(HERE, "inbox.py"),
                              self.state["gateway"], self._path("inbox")], ready="ready")
        self.point("drill.test", self.state["gateway"])

    def inbox(self):
        """The messages that it took."""
        if not os.path.exists(self._path("inbox")):
            return ""
        with open(self._path("inbox"), encoding="utf-8") as file:
            return file.read()

    # ---- the mode and the sinkhole ----

    def start_ssm(self, by_terraform=False):
        """moto on the bridge's address, with the parameter in "defer", made by infra/ itself where
        that is wanted. Returns who made it."""
        ssm.need()
        gateway = self.state["gateway"]
        port = cloud.free_port(gateway)
        self.save(endpoint=f"http://{gateway}:{port}")
        self._spawn("moto", ["moto_server", "-H", gateway, "-p", str(port)], ready="Running on")
        if by_terraform and ssm.make_by_terraform(self.env()):
            return "Terraform"
        self.aws("ssm", "put-parameter", "--name", ssm.PARAMETER, "--type", "String",
                 "--value", "defer")
        return "the AWS CLI"

    def env(self):
        """What makes an AWS SDK or CLI talk to the lab's SSM."""
        return {"AWS_ENDPOINT_URL": self.state["endpoint"], "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "drill",
                "AWS_SECRET_ACCESS_KEY": "drill", "AWS_PAGER": ""}

    def aws(self, *arguments):
        """The AWS CLI, as the operator uses it."""
        done = subprocess.run(["aws", *arguments], env={**os.environ, **self.env()}, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"aws {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def start_sinkhole(self):
        """The sinkhole from its image, at the name that the route has."""
        env = {**self.env(), "SINKHOLE_MODE_PARAM": ssm.PARAMETER, "SINKHOLE_CACHE_TTL": "2",
               "SINKHOLE_ENVIRONMENT": "development"}
        name = self.container("sinkhole")
        if name not in self.containers():
            podman.run("--detach", "--name", name, *self._attach(), *SINKHOLE_FLAGS,
                       *[f"--env={key}={value}" for key, value in env.items()], tier.image())
        self.point(SINKHOLE, podman.address(name))
        wait_for(lambda: podman.execute(name, "sinkholectl", "check", check=False).returncode == 0,
                 "the sinkhole to serve")

    def silent_host(self):
        """The address of a host that refuses connections."""
        return podman.address(self.container("anchor"))

    def stop_sinkhole(self):
        """No instance is left, as when the tier is quiesced: its name goes too."""
        name = self.container("sinkhole")
        self.keep_sinkhole_log()
        podman.remove(name)
        self.forget(SINKHOLE)

    def set_mode(self, mode):
        """Flips the parameter by the AWS CLI; returns when the sinkhole serves that mode."""
        self.aws("ssm", "put-parameter", "--name", ssm.PARAMETER, "--value", mode, "--overwrite")
        name = self.container("sinkhole")
        podman.execute(name, "sinkholectl", "refresh", check=False)  # else at the next turn

        def served():
            found = json.loads(podman.execute(name, "sinkholectl", "mode", "--json").stdout)
            return found["mode"] == mode
        wait_for(served, f"the sinkhole to serve {mode}")

    def version(self):
        """The parameter's version, as SSM counts it."""
        return json.loads(self.aws("ssm", "get-parameter", "--name", ssm.PARAMETER, "--output",
                                   "json"))["Parameter"]["Version"]

    def keep_sinkhole_log(self):
        """Appends what the sinkhole wrote to the log that outlives its container."""
        with open(self._path("sinkhole.log"), "a", encoding="utf-8") as file:
            file.write(podman.logs(self.container("sinkhole"))[0])

    def sinkhole_log(self):
        """The log lines of the lab's sinkholes so far, oldest first."""
        return self._whole_log()[self.state.get("log_from", 0):]

    def _whole_log(self):
        text = ""
        if os.path.exists(self._path("sinkhole.log")):
            with open(self._path("sinkhole.log"), encoding="utf-8") as file:
                text = file.read()
        if self.container("sinkhole") in self.containers():
            text += podman.logs(self.container("sinkhole"))[0]
        return text

    def report(self, *options):
        """sinkholectl report of the log so far, against all that was submitted."""
        return subprocess.run([os.path.join(image.BUILD, "sinkholectl"), "report",
                               "--expect", self._path("submitted"), *options],
                              input=self.sinkhole_log(), text=True, capture_output=True,
                              check=False)

    def events(self, kind=None):
        """The sinkhole's log as dictionaries, of one kind of event or of all."""
        lines = [json.loads(line) for line in self.sinkhole_log().splitlines()]
        return [line for line in lines if kind in (None, line["event"])]
