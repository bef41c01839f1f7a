"""Prints THIRD_PARTY.md: what others wrote of the program that is shipped, and under which licence.

    python3 tests/tools/third_party.py > THIRD_PARTY.md
    python3 tests/tools/third_party.py --texts > THIRD_PARTY_LICENSES.txt   # the licences word for word

`cargo tree` says what is in the program, `cargo metadata` where the sources of it lie.
"""

import json
import subprocess
import sys
from pathlib import Path

TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]
FORMAT = ["--edges=normal,no-proc-macro", "--prefix=none", "--format={p}|{l}|"]
NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE")
MISSING = "No text of a licence is in the crate."
HEAD = """# What others wrote

{count} crates are in the program that is shipped for Linux on amd64 and arm64, besides the exporter itself. Procedural macros, build scripts and what only tests use are not in it. `tests/tools/third_party.py` prints this list, and with `--texts` the licences word for word; a test holds the list to `Cargo.lock`, and another which licences are allowed.

Besides crates: `zstd-sys` brings the C library Zstandard, BSD-3-Clause or GPL-2.0-only at your choice. Rust's standard library is MIT or Apache-2.0. The static binaries of the image and of releases hold the GNU C library too, LGPL-2.1-or-later; from the sources here they can be built with another one. A release has a bill of materials with versions beside each archive, and the licences word for word in it.

| crate | licence |
|---|---|"""


def cargo(*arguments: str) -> str:
    done = subprocess.run(["cargo", *arguments], check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout


def shipped() -> dict[tuple[str, str], str]:
    """By name and version: the licence as the crate states it."""
    targets = [f"--target={target}" for target in TARGETS]
    tree = cargo("tree", "--locked", *FORMAT, *targets)
    found = {}
    for line in filter(str.strip, tree.splitlines()):
        package, licence, _ = line.split("|")
        name, version = package.split(" ")[:2]
        found[name, version.removeprefix("v")] = licence
    found.pop(next(key for key in found if key[0] == "cometchat-exporter"))
    return dict(sorted(found.items()))


def texts(crates: dict[tuple[str, str], str]) -> None:
    """Each text once, below the crates that it belongs to."""
    packages = json.loads(cargo("metadata", "--locked", "--format-version=1"))["packages"]
    users: dict[str, list[str]] = {}
    for package in packages:
        if (package["name"], package["version"]) not in crates:
            continue
        files = Path(package["manifest_path"]).parent.rglob("*")
        files = [path for path in files if path.is_file() and path.name.upper().startswith(NAMES)]
        about = f"{package['name']} {package['version']} ({package['license']})"
        for text in {path.read_text(errors="replace").strip() for path in files} or {MISSING}:
            users.setdefault(text, []).append(about)
    for text, names in sorted(users.items(), key=lambda item: item[1]):
        print("=" * 80, *names, "-" * 80, text, "", sep="\n")


def main() -> None:
    crates = shipped()
    if "--texts" in sys.argv[1:]:
        texts(crates)
        return
    rows = dict.fromkeys(f"| `{name}` | {licence} |" for (name, _), licence in crates.items())
    print(HEAD.format(count=len(rows)), *rows, sep="\n")


if __name__ == "__main__":
    main()
