"""Tidegate's runner: `tidegate mask --explain --json` for what is found, the same without for how fast."""
import json
import os
import re
import resource
import subprocess

from harness.gateway import ROOT
from harness.processes import Unavailable

from .scoring import Finding, Run
from .world import ENTITIES

CANDIDATES = [os.path.join(ROOT, ".build", "release", "tidegate"), os.path.join(ROOT, ".build-dist", "tidegate")]
PROFILE = "accuracy"
REPEATED = 8_000_000  # bytes that the rate is measured on: the samples over and over, so that the start does not count


def binary():
    given = os.environ.get("TIDEGATE")
    found = [path for path in ([given] if given else CANDIDATES) if os.access(path, os.X_OK)]
    if not found:
        raise Unavailable(f"no tidegate at {given or ' or '.join(CANDIDATES)} (make build)")
    return found[0]


def cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def normal_path(path):
    """One notation for paths: `items[0].sku`, without quotes; JSON Pointers and `$.` are understood too."""
    if path.startswith("/"):
        path = ".".join(part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/"))
    path = path.removeprefix("$").replace('"', "").replace("'", "")
    return re.sub(r"(?:^|\.)(\d+)(?=\.|\[|$)", r"[\1]", path).lstrip(".")


def read(line):
    """Line number and findings of one line of `--explain --json`; what a rule without a detector did is no finding."""
    try:
        said = json.loads(line)
        return said["line"], [Finding(normal_path(f["path"]), f["detector"], frozenset([f["detector"]]), f["start"], f["end"],
                                      f["confidence"])
                              for f in said["findings"] if f.get("detector")]
    except (ValueError, KeyError, TypeError, AttributeError) as why:
        raise Unavailable(f"--explain --json does not print what was agreed ({type(why).__name__}: {why})") from None


class Tidegate:
    def __init__(self, folder, seconds):
        self.path, self.folder, self.seconds = binary(), folder, seconds
        self.config = os.path.join(folder, "tidegate.yaml")
        with open(self.config, "w") as out:
            out.write(f"masking:\n  profiles:\n    {PROFILE}:\n      rules:\n")
            out.write(f"        - {{ detect: [{', '.join(ENTITIES)}], action: redact }}\n")

    def mask(self, form, lines, *more):
        """Output lines and seconds of CPU of one run: others on the machine do not count."""
        command = [self.path, "mask", "--config", self.config, "--profile", PROFILE, "--format", form, *more]
        begun = cpu_of_children()
        try:
            done = subprocess.run(command, input="".join(f"{line}\n" for line in lines).encode(), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=self.seconds)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"{' '.join(command)} takes longer than {self.seconds} s") from None
        except BrokenPipeError:
            raise Unavailable(f"{' '.join(command)} does not read its input") from None
        if done.returncode != 0:
            raise Unavailable(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-800:]}")
        return done.stdout.decode("utf-8", errors="replace").removesuffix("\n").split("\n"), cpu_of_children() - begun

    def run(self, samples):
        found, rates = [[] for _ in samples], {}
        for form in "text", "json":
            numbers = [i for i, sample in enumerate(samples) if sample.format == form]
            if not numbers:
                continue
            lines = [samples[i].line for i in numbers]
            explained, _ = self.mask(form, lines, "--explain", "--json")
            if len(explained) != len(lines):
                raise Unavailable(f"{len(explained)} lines explained of {len(lines)}")
            for line in explained:
                number, findings = read(line)
                if not 1 <= number <= len(lines):
                    raise Unavailable(f"line {number} of {len(lines)} is explained")
                found[numbers[number - 1]] = findings
            size = sum(len(line.encode()) + 1 for line in lines)
            times = max(1, REPEATED // size)
            _, start = self.mask(form, lines[:1])
            _, took = self.mask(form, lines * times)
            rates[form] = size * times / 1e6 / max(took - start, 1e-6)
        return Run("Tidegate", found, rates, set(ENTITIES))


def run(samples, folder, seconds):
    """All findings, and megabytes a second by format. Throws Unavailable where there is no binary, or another contract."""
    return Tidegate(folder, seconds).run(samples)
