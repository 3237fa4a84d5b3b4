#!/usr/bin/env python3
"""What a one-shot session costs: sinkholed --inetd beside a fork and exec of /bin/true.

The rounds alternate, so that a busy machine disturbs both alike. Each starts a process on a socket,
lets the client say QUIT at once, and ends when the process is reaped; /bin/true gets a socket too.
Printed are the medians in microseconds, and the ratio of the two: at most 2 is wanted, a session
included.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD") or os.path.join(REPO, "build")
ROUNDS = 500


def one(command, farewell):
    """Microseconds from before the fork to after the wait."""
    ours, theirs = socket.socketpair()
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[
        (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0), (os.POSIX_SPAWN_DUP2, theirs.fileno(), 1)])
    theirs.close()
    if farewell:
        ours.sendall(b"QUIT\r\n")
        while ours.recv(4096):
            pass
    _, status = os.waitpid(pid, 0)
    spent = (time.perf_counter() - start) * 1e6
    ours.close()
    if status != 0:
        sys.exit(f"{command[0]} ended with status {status}")
    return spent


def measure(rounds):
    """{name: median microseconds}; both kinds in turns."""
    with tempfile.TemporaryDirectory(prefix="sinkhole-test-") as directory:
        os.chmod(directory, 0o755)
        mode = os.path.join(directory, "mode")
        with open(mode, "w", encoding="utf-8") as file:
            file.write("defer\n")
        session = [os.path.join(BUILD, "sinkholed"), "--inetd", "--log",
                   os.path.join(directory, "log"), "--mode-source", f"file:{mode}",
                   "--run-dir", os.path.join(directory, "run")]
        # The first makes the board.
        subprocess.run(session, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        times = {"true": [], "session": []}
        for _ in range(rounds):
            times["true"].append(one(["/bin/true"], False))
            times["session"].append(one(session, True))
    return {name: statistics.median(values) for name, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", type=int, nargs="?", default=ROUNDS)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    args = parser.parse_args()
    result = measure(args.rounds)
    result["ratio"] = result["session"] / result["true"]
    if args.json:
        print(json.dumps({"rounds": args.rounds, "true_us": round(result["true"]),
                          "session_us": round(result["session"]),
                          "ratio": round(result["ratio"], 2)}))
    else:
        print(f"/bin/true            {result['true']:7.0f} us\n"
              f"sinkholed --inetd    {result['session']:7.0f} us, a session included\n"
              f"ratio                {result['ratio']:7.2f}")


if __name__ == "__main__":
    main()
