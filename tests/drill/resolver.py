#!/usr/bin/env python3
"""A name server for one drill: what Cloud Map and Route 53 are to the tasks.

usage: resolver.py ADDRESS ZONE-FILE

Serves UDP on ADDRESS:53 from a file that may be renamed over at any time, one
record a line: "NAME ADDRESS", or "NAME -" for a name that exists and has no address.
A name with records gets its A records (TTL 10, as Cloud Map has it) or an empty
answer for other types; any other name is NXDOMAIN. Nothing is ever forwarded.
"""

import os
import socket
import struct
import sys

IP_FREEBIND = 15  # ip(7): the address may come later, with the first container
SO_RCVBUFFORCE = 33  # socket(7): five hundred deliveries ask at once
TYPE_A, CLASS_IN, TTL = 1, 1, 10
NOERROR, NXDOMAIN = 0, 3


class Zone:
    """The file's records; read again when it is another file."""

    def __init__(self, path):
        self.path, self.inode, self.records = path, None, {}

    def look_up(self, name):
        """The name's addresses; an empty list for a name without one, None for no name."""
        inode = os.stat(self.path).st_ino
        if inode != self.inode:
            self.inode, self.records = inode, self._read()
        return self.records.get(name)

    def _read(self):
        records = {}
        with open(self.path, encoding="ascii") as file:
            for line in file:
                name, address = line.split()
                records.setdefault(name.lower(), []).extend([address] if address != "-" else [])
        return records


def read_question(packet):
    """(name, type, the question's bytes) of a query."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii", "replace"))
        at += 1 + packet[at]
    kind, = struct.unpack_from("!H", packet, at + 1)
    return ".".join(labels).lower(), kind, packet[12:at + 5]


def answer(packet, zone):
    """The reply to one query."""
    name, kind, question = read_question(packet)
    found = zone.look_up(name)
    addresses = found if found and kind == TYPE_A else []
    code = NXDOMAIN if found is None else NOERROR
    ident, flags = struct.unpack_from("!HH", packet)
    flags = 0x8480 | (flags & 0x0100) | code  # a response, authoritative, recursion offered
    records = b"".join(
        struct.pack("!HHHIH", 0xC00C, TYPE_A, CLASS_IN, TTL, 4) + socket.inet_aton(address)
        for address in addresses)
    return struct.pack("!HHHHHH", ident, flags, 1, len(addresses), 0, 0) + question + records


def main(address, path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
        sock.bind((address, 53))
        zone = Zone(path)
        print("ready", flush=True)
        while True:
            packet, client = sock.recvfrom(4096)
            try:
                sock.sendto(answer(packet, zone), client)
            except (IndexError, struct.error):
                pass  # not a question


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
