"""Release builds that the scripts measure."""
import os
import subprocess

from .gateway import ROOT
from .processes import Unavailable, say

PACKAGE = os.path.join(ROOT, "Benchmarks")


def product(name):
    """Builds an executable of the Benchmarks package (release) and returns its path; BENCH_BIN names a folder of built ones."""
    given = os.environ.get("BENCH_BIN")
    if given:
        return os.path.join(given, name)
    say(f"building {name} ...")
    return build(PACKAGE, name, os.path.join(ROOT, ".build"))


def build(package, name, scratch):
    command = ["swift", "build", "-c", "release", "--package-path", package, "--scratch-path", scratch]
    done = subprocess.run([*command, "--product", name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=1200)
    if done.returncode != 0:
        raise Unavailable(f"{name} does not build:\n{done.stdout[-3000:]}")
    return os.path.join(scratch, "release", name)
