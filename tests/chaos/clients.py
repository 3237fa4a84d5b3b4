"""Fifty clients that talk SMTP without a pause, and tell the oracle all that they see."""

import random
import socket
import threading
import time

import procfs

PATIENCE = 30


class Lost(Exception):
    """The session ended without a farewell."""


class Session:
    """One connection, from an address that no other client uses at the time."""

    def __init__(self, port, address, oracle):
        self.address, self.oracle = address, oracle
        self.greeted = False
        self.stage, self.opened = "", time.monotonic()
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE,
                                               source_address=(address, 0))
        self.socket.settimeout(PATIENCE)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def explain(self):
        """Where it stands, and what has become of the server's end."""
        end = procfs.far_end(self.socket.getsockname(), self.socket.getpeername())
        return (f"{self.address}, open for {time.monotonic() - self.opened:.1f} s: no reply "
                f"within {PATIENCE} s to {self.stage}; the server's end: {end}")

    def reply(self):
        while True:
            line = self.file.readline()
            if not line.endswith(b"\r\n"):
                raise Lost
            if line[3:4] != b"-":
                return int(line[:3]), line[4:-2].decode()

    def step(self, stage, text):
        """Sends a command, if any, and judges its reply. Returns the code, or None when the
        session is over."""
        sent, self.stage = time.monotonic(), stage
        if text:
            self.socket.sendall(text.encode())
        code, words = self.reply()
        self.greeted = True
        self.oracle.peak("slowest reply, s", round(time.monotonic() - sent, 2))
        return code if self.oracle.judge(stage, self.address, self.opened, sent, code,
                                         words) else None


def transaction(session, dice):
    """One message to some recipients. Returns False when the session is over."""
    if session.step("MAIL", "MAIL FROM:<from@example.test>\r\n") is None:
        return False
    codes = []
    for number in range(dice.randint(1, 3)):
        codes.append(session.step("RCPT", f"RCPT TO:<to{number}@sinkhole.test>\r\n"))
        if codes[-1] is None:
            return False
    if 250 not in codes or dice.random() < 0.1:
        return session.step("RSET", "RSET\r\n") is not None
    if session.step("DATA", "DATA\r\n") is None:
        return False
    body = f"Message-ID: <{dice.random()}@example.test>\r\n\r\n" + "x" * dice.randint(0, 9000)
    return session.step("message", body + "\r\n.\r\n") is not None


def one_session(port, address, oracle, dice):
    try:
        session = Session(port, address, oracle)
    except OSError:
        time.sleep(0.05)  # nobody listens: the master is being replaced
        return
    try:
        alive = session.step("greeting", "") and session.step("EHLO", "EHLO client.test\r\n")
        for _ in range(dice.randint(1, 3)):
            alive = alive and transaction(session, dice)
        if alive:
            session.step("QUIT", "QUIT\r\n")
        oracle.session_over()
    except TimeoutError:
        oracle.fail(session.explain())
    except (Lost, OSError):
        oracle.session_lost(session.greeted)
    finally:
        session.close()


def keep_busy(number, port, oracle, seed, stop):
    """One client after the other until told to stop. Addresses come back, for greylist mode."""
    dice = random.Random(f"{seed}/{number}")
    while not stop.is_set():
        one_session(port, f"127.7.{number}.{dice.randint(1, 250)}", oracle, dice)


def start(count, port, oracle, seed):
    """Returns what stops them all."""
    stop = threading.Event()
    threads = [threading.Thread(target=keep_busy, args=(n, port, oracle, seed, stop))
               for n in range(count)]
    for thread in threads:
        thread.start()

    def end():
        stop.set()
        for thread in threads:
            thread.join(3 * PATIENCE)
            if thread.is_alive():
                oracle.fail("a client hangs")
    return end
