#!/usr/bin/env python3
"""Checks who includes whom below src/, how includes are written, and how long files are.

Every build runs it (cmake/ElbModule.cmake), so it reads each file once and nothing else. A finding is
printed as `file:line: message`, and the exit status is 1.
"""

import re
import sys
from pathlib import Path

OPEN_TO_ALL = {"base", "telemetry"}

# The modules that each module may include besides itself and OPEN_TO_ALL. A new edge needs a file in
# docs/decisions/.
ALLOWED = {
    "base": set(),
    "telemetry": set(),
    "model": set(),
    "net": set(),
    "http": set(),
    "crypto": set(),
    "contract": {"model"},
    "store": {"model", "crypto"},
    "tls": {"net", "crypto"},
    "balancer": {"contract", "crypto"},
    "health": {"contract", "net", "tls", "http"},
    "control": {"model", "contract", "store", "crypto"},
    "server": {"net", "tls", "http"},
    "proxy": {"contract", "server", "net", "tls", "http", "balancer", "health"},
    "rest": {"model", "control", "server", "http", "crypto"},
    "daemon": None,  # The composition root: includes everything, included by nobody.
}

# What does not follow the rules yet, and why it stays. Entries without a finding are named in the
# output, so that they go away with their reason.
KNOWN = {
    ("src/rest/rest_handler.h", "'rest' may not include 'net'"):
        "docs/decisions/0001-rest-handler-sees-net.md",
}

HEADER_LINES_MAX = 200
SOURCE_LINES_MAX = 500
REASONED_SOURCE_LINES_MAX = 800
REASON = re.compile(r"//.*\blonger than 500 lines\b.*\b(because|since)\b", re.IGNORECASE)

QUOTED = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
ANY_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"][^>"]+[>"])')
TODO = re.compile(r"\bTODO\b(?!\(#\d+\))")
DEPENDS = re.compile(r"\bDEPENDS\b((?:\s+(?!LINK\b|TEST_LINK\b|DEPENDS\b)[a-z0-9_]+)*)")


def may_include(module, other):
    """Whether files of `module` may include headers of `other`."""
    if module == other or other in OPEN_TO_ALL and module != "base":
        return True
    if module in OPEN_TO_ALL and module != "base":
        return other == "base"
    allowed = ALLOWED[module]
    return other != "daemon" if allowed is None else other in allowed


class Checker:
    def __init__(self, root):
        self.src = root / "src"
        self.root = root
        self.findings = []
        self.unused = set(KNOWN)

    def report(self, path, line, message, detail=""):
        place = path.relative_to(self.root).as_posix()
        if (place, message) in KNOWN:
            self.unused.discard((place, message))
        else:
            self.findings.append(f"{place}:{line}: {message}{detail}")

    def check_all(self):
        for path in sorted(self.src.rglob("*")):
            if path.suffix in (".h", ".cc"):
                self.check_file(path)
        for path in sorted(self.src.glob("*/CMakeLists.txt")):
            self.check_depends(path)
        return self.findings

    def check_file(self, path):
        relative = path.relative_to(self.src)
        if len(relative.parts) < 2 or relative.parts[0] not in ALLOWED:
            self.report(path, 1, f"'{relative.parts[0]}' is no module that tools/check_includes.py knows")
            return
        lines = path.read_text(encoding="utf-8").splitlines()
        self.check_length(path, lines)
        self.check_includes(path, relative, lines)
        for number, line in enumerate(lines, 1):
            if TODO.search(line):
                self.report(path, number, "a TODO names its issue: TODO(#123)")

    def check_length(self, path, lines):
        if path.suffix == ".h":
            limit = HEADER_LINES_MAX
        elif REASON.search(" ".join(lines[:3])):
            limit = REASONED_SOURCE_LINES_MAX
        else:
            limit = SOURCE_LINES_MAX
        if len(lines) > limit:
            self.report(path, len(lines), "too long", f": {len(lines)} lines, at most {limit}")

    def check_includes(self, path, relative, lines):
        module = relative.parts[0]
        seen = []
        for number, line in enumerate(lines, 1):
            written = ANY_INCLUDE.match(line)
            if not written:
                continue
            seen.append((number, written.group(1)))
            quoted = QUOTED.match(line)
            if quoted:
                self.check_edge(path, number, module, quoted.group(1))
        self.check_own_header_first(path, relative, seen)

    def check_edge(self, path, number, module, name):
        other = name.split("/")[0]
        if not (self.src / name).is_file():
            self.report(path, number, f'"{name}" is not a file below src/')
        elif not may_include(module, other):
            self.report(path, number, f"'{module}' may not include '{other}'")
        elif "/testing/" in name and not is_test(path.relative_to(self.src)):
            self.report(path, number, f'only tests include "{name}"')

    def check_own_header_first(self, path, relative, seen):
        if path.suffix != ".cc" or not seen:
            return
        stem = relative.with_name(relative.stem.removesuffix("_test"))
        own = f'"{stem.as_posix()}.h"'
        if (self.src / own.strip('"')).is_file() and seen[0][1] != own:
            self.report(path, seen[0][0], f"{own} comes first")

    def check_depends(self, path):
        """What a module links follows the same table, since linking hands on the include path."""
        module = path.parent.name
        text = path.read_text(encoding="utf-8")
        for match in DEPENDS.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            for other in match.group(1).split():
                if not may_include(module, other):
                    self.report(path, line, f"'{module}' may not depend on '{other}'")


def is_test(relative):
    return relative.stem.endswith("_test") or "testing" in relative.parts


def main():
    root = Path(__file__).resolve().parent.parent
    checker = Checker(root)
    findings = checker.check_all()
    for place, message in sorted(checker.unused):
        print(f"check_includes: KNOWN names {place} ({message}) without need")
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
