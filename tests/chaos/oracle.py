"""Judges every reply by the modes that may have been in force between its command and its answer.

Modes change one after the other: a change is written at one time and seen on the board at a later
one, and the daemon may serve the new mode from any moment between the two.
"""

import threading
import time

SHUTDOWN = "4.3.2 Server is shutting down"
RECIPIENT = {
    "defer": {(421, "4.3.2 Service temporarily unavailable")},
    "bounce": {(550, "5.1.1 User unknown")},
    "accept": {(250, "2.1.5 Recipient ok")},
    "accept-log": {(250, "2.1.5 Recipient ok")},
    "greylist": {(250, "2.1.5 Recipient ok"), (421, "4.7.1 Greylisted; try again later")},
}
PLAIN = {"greeting": 220, "EHLO": 250, "MAIL": 250, "DATA": 354, "message": 250, "RSET": 250,
         "NOOP": 250, "QUIT": 221}

# So long after a kill may a client notice that its session is gone.
NOTICE = 10

# Seconds that an address stays known to greylist mode. A worker of the master before may live
# behind by a jump of the clocks, so that within so much of the end either answer is right.
GREYLIST_WINDOW = 86400
BEHIND = 6 * 3600


class Oracle:
    """Shared by all threads; every method takes the lock."""

    def __init__(self, mode):
        self.lock = threading.Lock()
        self.changes = [[mode, 0.0, 0.0]]  # mode, written, seen (None: not yet)
        self.worker_kills, self.master_kills = [], []
        self.wrong, self.lost, self.ungreeted = [], [], []
        self.replies = self.sessions = self.farewells = 0
        self.known = {}  # address: when greylist mode turned it away, by the daemon's clock
        self.ahead = 0  # seconds that the daemon's clock has jumped
        self.peaks = {}

    # -- what happens --------------------------------------------------------------------------

    def written(self, mode):
        with self.lock:
            self.changes.append([mode, time.monotonic(), None])

    def seen(self):
        with self.lock:
            self.changes[-1][2] = time.monotonic()

    def killed(self, kind, count=1):
        with self.lock:
            (self.master_kills if kind == "master" else self.worker_kills).extend(
                [time.monotonic()] * count)

    def jumped(self, seconds):
        with self.lock:
            self.ahead += seconds

    def fail(self, text):
        with self.lock:
            self.wrong.append(text)

    def peak(self, name, value):
        with self.lock:
            self.peaks[name] = max(value, self.peaks.get(name, 0))

    def session_over(self):
        with self.lock:
            self.sessions += 1

    def session_lost(self, greeted):
        with self.lock:
            (self.lost if greeted else self.ungreeted).append(time.monotonic())

    # -- judging -------------------------------------------------------------------------------

    def modes(self, sent, answered):
        """The modes that may have been in force at any moment of the interval."""
        for number, (mode, written, _) in enumerate(self.changes):
            following = self.changes[number + 1:number + 2]
            replaced = following[0][2] if following else None
            if written <= answered and (replaced is None or replaced >= sent):
                yield mode

    def is_known(self, address, when):
        """Has it been turned away, so lately that nothing can have forgotten it?"""
        return when + self.ahead - self.known.get(address, -GREYLIST_WINDOW) \
            < GREYLIST_WINDOW - BEHIND

    def allowed(self, stage, address, sent, answered):
        if stage != "RCPT":
            return {(PLAIN[stage], None)}
        known = self.is_known(address, answered)
        answers = set()
        for mode in self.modes(sent, answered):
            answers |= {a for a in RECIPIENT[mode]
                        if not (known and mode == "greylist" and a[0] == 421)}
        return answers

    def is_farewell(self, code, text, since):
        """A stop may be announced to sessions that were open when a master went, or came after
        to a worker that had not noticed."""
        return code == 421 and text == SHUTDOWN and any(
            since - NOTICE < kill for kill in self.master_kills)

    def judge(self, stage, address, opened, sent, code, text):
        """Takes note of one reply. Returns False when it ends the session."""
        answered = time.monotonic()
        with self.lock:
            self.replies += 1
            if self.is_farewell(code, text, opened):
                self.farewells += 1
                return False
            allowed = self.allowed(stage, address, sent, answered)
            if not {(code, text), (code, None)} & allowed:
                self.wrong.append(f"{stage} of {address}: {code} {text}; allowed: {allowed}")
            if code == 421 and text.startswith("4.7.1"):
                self.known[address] = answered + self.ahead
            return code != 421

    # -- the sum -------------------------------------------------------------------------------

    def unexplained(self):
        """Lost sessions that no kill explains: each takes one worker that was killed before it."""
        with self.lock:
            kills, orphans = sorted(self.worker_kills), []
            for when in sorted(self.lost):
                near = [k for k in kills if k <= when <= k + NOTICE]
                if near:
                    kills.remove(near[0])
                else:
                    orphans.append(when)
            strangers = [when for when in self.ungreeted
                         if not any(k <= when <= k + NOTICE for k in self.master_kills +
                                    self.worker_kills)]
            return orphans, strangers
