#!/usr/bin/env python3
"""A mail host that takes every message: where the bounces of a drill arrive.

usage: inbox.py ADDRESS FILE

Serves ADDRESS:25, one client after another, and appends each message to FILE.
"""

import socketserver
import sys

REPLIES = {b"EHLO": b"250 inbox", b"HELO": b"250 inbox", b"DATA": b"354 go on", b"QUIT": b"221 bye"}


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line + b"\r\n")

    def handle(self):
        self.say(b"220 inbox.drill.test ESMTP")
        for line in self.rfile:
            verb = line[:4].upper()
            self.say(REPLIES.get(verb, b"250 OK"))
            if verb == b"DATA":
                self.take()
            elif verb == b"QUIT":
                return

    def take(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        with open(self.server.file, "ab") as file:
            file.write(b"".join(lines).replace(b"\r\n", b"\n"))
        self.say(b"250 OK")


def main(address, path):
    socketserver.TCPServer.allow_reuse_address = True
    with socketserver.TCPServer((address, 25), Session) as server:
        server.file = path
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
