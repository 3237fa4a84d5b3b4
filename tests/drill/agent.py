#!/usr/bin/env python3
"""The AWS CLI for the runbook's AWS form: moto is AWS, and the lab's containers are the tasks.

usage: agent.py ARGUMENT...        as `aws` has them; LAB names the lab

Every command goes to the AWS CLI and to moto. What moto does not do is done here, as ECS would:
its agent runs a command in a task; a task that is stopped stops and is replaced; and what the
containers have written by now is in CloudWatch Logs.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.realpath(__file__)),
                os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib")]
import lab  # noqa: E402

CLUSTER, SERVICE, CONTAINER = "cabal-mail", "cabal-smtp-out", "smtp-out"
DEFINITION = [{"name": CONTAINER, "image": "example.org/cabal-smtp-out:drill", "memory": 512}]
LOGS = {"cabal-sinkhole": "sinkhole", SERVICE: "smtp-out"}


class Agent:
    def __init__(self, it):
        self.lab = it

    # ---- what is there before the operator comes ----

    def prepare(self, tasks):
        """The service with these tasks, and the log groups."""
        aws = self.lab.aws
        aws("ecs", "create-cluster", "--cluster-name", CLUSTER)
        aws("ecs", "register-task-definition", "--family", SERVICE,
            "--container-definitions", json.dumps(DEFINITION))
        aws("ecs", "create-service", "--cluster", CLUSTER, "--service-name", SERVICE,
            "--task-definition", SERVICE, "--desired-count", str(len(tasks)))
        for group, stream in LOGS.items():
            aws("logs", "create-log-group", "--log-group-name", f"/ecs/{group}")
            aws("logs", "create-log-stream", "--log-group-name", f"/ecs/{group}",
                "--log-stream-name", stream)
        self.lab.save(task_of={}, shipped={})
        for task in tasks:
            self.register(task)

    def register(self, task):
        """Lets moto know of a task that runs."""
        made = json.loads(self.lab.aws("ecs", "run-task", "--cluster", CLUSTER,
                                       "--task-definition", SERVICE, "--launch-type", "FARGATE",
                                       "--output", "json"))
        arn = made["tasks"][0]["taskArn"]
        self.lab.save(task_of={**self.lab.state["task_of"], arn.split("/")[-1]: task})

    # ---- what the operator asks for ----

    def pass_on(self, words, **options):
        """The AWS CLI itself, against moto; its exit code."""
        return subprocess.run(["aws", *words], check=False,
                              env={**os.environ, **self.lab.env()}, **options).returncode

    def task(self, words):
        """(the lab's name of the task that --task names, its id)"""
        parser = argparse.ArgumentParser()
        parser.add_argument("--task")
        name = parser.parse_known_args(words)[0].task.split("/")[-1]
        return self.lab.state["task_of"][name], name

    def execute_command(self, words):
        """The CLI only checks its arguments: beyond them it wants a plugin, and ECS."""
        wrong = self.pass_on([*words, "--generate-cli-skeleton", "output"],
                             stdout=subprocess.DEVNULL)
        parser = argparse.ArgumentParser()
        parser.add_argument("--container")
        parser.add_argument("--command")
        asked = parser.parse_known_args(words)[0]
        if wrong or asked.container != CONTAINER:
            print(f"agent: no task has a container {asked.container}", file=sys.stderr)
            return wrong or 255
        return subprocess.run([*self.lab.exec_command(self.task(words)[0]),
                               *shlex.split(asked.command)], check=False).returncode

    def stop_task(self, words):
        """The service starts another one."""
        status = self.pass_on(words)
        if status == 0:
            task = self.task(words)[0]
            self.lab.kill_task(task, "TERM")
            successor = chr(ord(max(self.lab.state["task_of"].values())) + 1)
            self.lab.start_task(successor)
            self.register(successor)
        return status

    def list_tasks(self, words):
        """ECS lists running tasks where nothing else is said; moto lists all."""
        return self.pass_on([*words, "--desired-status", "RUNNING"])

    def logs(self, words):
        """What the log driver has brought to CloudWatch meanwhile."""
        self.ship("cabal-sinkhole", "sinkhole", self.lab.sinkhole_log())
        for task in self.lab.state["task_of"].values():
            self.ship(SERVICE, task, self.lab.task_log(task))
        return self.pass_on(words)

    def ship(self, group, source, text):
        lines = text.splitlines()
        shipped = self.lab.state["shipped"].get(source, 0)
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines[shipped:]]
        if events:
            self.lab.aws("logs", "put-log-events", "--log-group-name", f"/ecs/{group}",
                         "--log-stream-name", LOGS[group], "--log-events", json.dumps(events))
            self.lab.save(shipped={**self.lab.state["shipped"], source: len(lines)})


def main(words):
    agent = Agent(lab.Lab(os.environ["LAB"]))
    own = {("ecs", "execute-command"): agent.execute_command,
           ("ecs", "stop-task"): agent.stop_task,
           ("ecs", "list-tasks"): agent.list_tasks,
           ("logs", "filter-log-events"): agent.logs}
    return own.get(tuple(words[:2]), agent.pass_on)(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
