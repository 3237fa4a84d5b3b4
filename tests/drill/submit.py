#!/usr/bin/env python3
"""Hands messages to the sendmail on 127.0.0.1, all in one SMTP session.

usage: submit.py COUNT TAG RECIPIENT[,RECIPIENT...] [BYTES]

Message number N has the Message-ID <TAG-N@drill.test> and a body of BYTES bytes
(100); "{}" in a recipient stands for N. Prints one line a message: its queue id
and its Message-ID.
"""

import re
import smtplib
import sys

SENDER = "operator@drill.test"
LINE = "It waits in the queue and says nothing about it.\r\n"


def message(message_id, recipients, size):
    head = (f"From: {SENDER}\r\nTo: {', '.join(recipients)}\r\nSubject: drill\r\n"
            f"Message-ID: {message_id}\r\n\r\n")
    return head + LINE * max(1, size // len(LINE))


def main(count, tag, recipients, size="100"):
    with smtplib.SMTP("127.0.0.1", 25, local_hostname="submit.drill.test", timeout=120) as smtp:
        smtp.ehlo()
        for number in range(1, int(count) + 1):
            message_id = f"<{tag}-{number}@drill.test>"
            names = recipients.replace("{}", str(number)).split(",")
            smtp.mail(SENDER)
            for name in names:
                smtp.rcpt(name)
            code, text = smtp.data(message(message_id, names, int(size)))
            found = re.match(rb"2\.0\.0 (\w+) ", text)
            if code != 250 or not found:
                sys.exit(f"{message_id}: {code} {text.decode()}")
            print(found.group(1).decode(), message_id)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
