"""Prints the notices of all crates that are linked into the named packages of this workspace.

Owns which file of a crate is a notice; never judges a licence, which cargo-deny does.
"""

import json
import os
import re
import subprocess
import sys

NOTICE = re.compile(r"(?i)^(licen[cs]e|copying|copyright|notice|unlicense)([-_. ].*)?$")


def _cargo(*words):
    return subprocess.run(("cargo", *words), check=True, stdout=subprocess.PIPE).stdout.decode()


def _linked(packages):
    words = [word for package in packages for word in ("-p", package)]
    lines = _cargo("tree", "--locked", "-e", "normal", "--prefix", "none", "-f", "{p}", *words)
    return {tuple(line.split()[:2]) for line in lines.splitlines() if line}


def main():
    linked = _linked(sys.argv[1:])
    known = json.loads(_cargo("metadata", "--locked", "--format-version=1"))["packages"]
    for crate in sorted(known, key=lambda crate: (crate["name"], crate["version"])):
        is_ours = crate["source"] is None
        if is_ours or (crate["name"], "v" + crate["version"]) not in linked:
            continue
        folder = os.path.dirname(crate["manifest_path"])
        notices = sorted(name for name in os.listdir(folder) if NOTICE.match(name))
        print("== %s %s: %s" % (crate["name"], crate["version"], crate["license"]))
        if not notices:
            print("\nWithout a notice of its own; by %s." % (", ".join(crate["authors"]) or "its authors"))
        for name in notices:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    print("\n" + file.read().strip())
        print()


if __name__ == "__main__":
    main()
