"""The interface tables of a pretend router, for snmpd's pass_persist.

Counters are a function of the time since the file of the first argument was changed. The octets go over their end
after two seconds, unless the file says `restarted`.
"""

import os
import sys
import time

FILE = sys.argv[1]
WIDE, NARROW = 2**64, 2**32


def counters(start, rate, seconds, end):
    return int(start + rate * seconds) % end


def table():
    """The rows by their OIDs: eth0, ppp7, one without a name, and one that is called eth0 again."""
    seconds = time.time() - os.stat(FILE).st_mtime
    fresh = open(FILE, encoding="utf8").read() == "restarted"
    octets = 0 if fresh else WIDE - 250_000
    errors = 0 if fresh else NARROW - 20
    rows = {}
    names = {1: "eth0", 2: "ppp7", 3: "", 4: "eth0"}
    aliases = {1: "uplink \x1b[2J of the site", 2: "", 3: "", 4: ""}
    for index, name in names.items():
        base = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
        rows[base + (1, index)] = ("string", name)
        rows[base + (18, index)] = ("string", aliases[index])
        rows[base + (6, index)] = ("counter64", counters(octets, 125_000, seconds, WIDE) if index == 1 else 7)
        rows[base + (10, index)] = ("counter64", counters(octets, 250_000, seconds, WIDE) if index == 1 else 7)
        rows[base + (19, index)] = ("timeticks", 0)
        base = (1, 3, 6, 1, 2, 1, 2, 2, 1)
        rows[base + (8, index)] = ("integer", 1 if index == 1 else 2)
        rows[base + (13, index)] = ("counter", 3)
        rows[base + (19, index)] = ("counter", 3)
        rows[base + (14, index)] = ("counter", counters(errors, 10, seconds, NARROW))
        rows[base + (20, index)] = ("counter", 0)
    return rows


def main():
    while True:
        command = sys.stdin.readline().strip()
        if command == "":
            return
        if command == "PING":
            print("PONG", flush=True)
            continue
        oid = tuple(int(arc) for arc in sys.stdin.readline().strip().strip(".").split("."))
        rows = table()
        if command == "getnext":
            oid = min((row for row in rows if row > oid), default=None)
        if oid not in rows:
            print("NONE", flush=True)
            continue
        kind, value = rows[oid]
        print("." + ".".join(map(str, oid)), kind, value, sep="\n", flush=True)


main()
