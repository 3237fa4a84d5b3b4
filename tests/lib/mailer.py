"""SMTP clients: a plain one that shows every byte, and short ways to swaks and smtplib."""

import shutil
import smtplib
import socket
import unittest

import sinkhole

MESSAGE = ("From: <from@example.test>\r\nTo: <nobody@sinkhole.test>\r\n"
           "Subject: a test\r\nMessage-ID: <{}@example.test>\r\n\r\nHello.\r\n")


class Client:
    """A connection on which commands are sent and replies read, one by one."""

    def __init__(self, port, host="127.0.0.1", greeting=220, source=None):
        self.socket = socket.create_connection(
            (host, port), sinkhole.PATIENCE, source_address=(source, 0) if source else None)
        self.socket.settimeout(sinkhole.PATIENCE)
        self.file = self.socket.makefile("rb")
        if greeting:
            self.greeting = self.expect(greeting)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def reply(self):
        """One whole reply: its code and its lines; (None, []) when the channel is closed."""
        lines = []
        while True:
            raw = self.file.readline()
            if not raw:
                return None, lines
            assert raw.endswith(b"\r\n"), f"a reply line without CRLF: {raw}"
            line = raw[:-2].decode()
            lines.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), lines

    def expect(self, code):
        got, lines = self.reply()
        assert got == code, f"expected {code}, got {got} {lines}"
        return lines[0]

    def command(self, text, code):
        """Sends one command; returns the first line of its reply, which must have this code."""
        self.send(text + "\r\n")
        return self.expect(code)

    def hello(self):
        self.command("EHLO client.example.test", 250)
        return self

    def mail(self, recipient="nobody@sinkhole.test", code=250):
        """MAIL and RCPT; returns the answer to RCPT."""
        self.command("MAIL FROM:<from@example.test>", 250)
        return self.command(f"RCPT TO:<{recipient}>", code)

    def at_end(self):
        """Has the server closed the channel, with nothing left unread?"""
        return self.reply() == (None, [])


def swaks(daemon, *args):
    """One message by swaks; its exit status is 0 when it was delivered, 24 when no recipient was
    accepted."""
    if not shutil.which("swaks"):
        raise unittest.SkipTest("swaks is not installed")
    return sinkhole.run("swaks", "--server", f"127.0.0.1:{daemon.port}", "--from",
                        "from@example.test", "--to", "nobody@sinkhole.test", "--helo",
                        "swaks.example.test", *args)


def smtp(daemon, host="127.0.0.1"):
    return smtplib.SMTP(host, daemon.port, local_hostname="smtplib.example.test",
                        timeout=sinkhole.PATIENCE)
