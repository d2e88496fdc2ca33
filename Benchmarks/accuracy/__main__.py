#!/usr/bin/env python3
"""Recall and precision of the detectors on labelled texts and JSON documents, beside Presidio's on the same ones.

Everything is generated from a seed: values are valid by independent oracles, hard negatives are named as such, and the templates,
names of fields and countries of the held-out split are never looked at while detectors are tuned (that is what `--split tuning
--misses 3` is for).
Exits 1 where a goal is missed or Tidegate could not be measured. See ../README.md.
"""
import argparse
import os
import shutil
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True
# The package's own folder must not shadow what Python brings.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
from harness import report  # noqa: E402
from harness.gateway import ROOT  # noqa: E402
from harness.processes import Unavailable, say, warn  # noqa: E402

try:
    from accuracy import check, documents, phones, presidio, scoring, tables, texts, tidegate, world  # noqa: E402
except ModuleNotFoundError as missing:
    sys.exit(f"{missing.name} is not installed: scripts/setup accuracy, then .build-accuracy/bin/python Benchmarks/accuracy")


def generated(options):
    held_out = options.split == "held-out"
    source = world.World(options.seed, held_out)
    return [*texts.texts(source, options.samples), *documents.documents(source, options.samples * 2 // 5)]


def measure(name, run, samples):
    """(run, score), or (None, why not)."""
    try:
        made = run()
    except Unavailable as why:
        warn(f"NOT MEASURED: {name}: {why}")
        return None, str(why)
    return made, scoring.score(samples, made)


def summary(run, score):
    groups = {**{e: [e] for e in world.ENTITIES}, **tables.GROUPS, "everything": world.ENTITIES}
    return {"name": run.name, "megabytes_a_second": run.rates, "by_entity": {
        name: {"n": sum(score.positives[e] for e in entities), **tables.figures(score, run, entities)} for name,
                                                                             entities in groups.items()},
        "false_alarms": dict(score.alarms_by_kind), "confusions": {f"{real} as {found}": n for (found, real),
                                                                   n in score.confusions.items()}}


def main():
    parser = argparse.ArgumentParser(prog="accuracy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=["held-out", "tuning"], default="held-out")
    parser.add_argument("--samples", type=int, default=4000, help="texts; documents are two fifths as many (default: 4000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--misses", type=int, default=0, metavar="N",
                        help="list up to N misses an entity and N false alarms a detector and kind")
    parser.add_argument("--no-gate", action="store_true", help="only print: exit 0 whatever the figures")
    parser.add_argument("--no-presidio", action="store_true")
    parser.add_argument("--presidio-threshold", type=int, default=40, metavar="PERCENT",
                        help="its scores from here count (default: 40, what its phone numbers have)")
    parser.add_argument("--presidio-regions", choices=["own", "all"], default="own",
                        help="countries of its phone recogniser: its own eight, or those of the samples")
    parser.add_argument("--timeout", type=int, default=170, help="seconds that each tool may take (default: 170)")
    parser.add_argument("--print-samples", action="store_true", help="the labelled samples as JSON lines instead of measuring")
    parser.add_argument("--json", default=os.path.join(ROOT, ".build", "benchmarks", "accuracy.json"))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if options.misses and options.split == "held-out":
        warn("misses of the held-out split are for the report: whoever tunes by them has no held-out split any more")

    samples = generated(options)
    labels = check.check(samples)
    if options.print_samples:
        return print_samples(samples)
    size = sum(len(sample.line.encode()) for sample in samples)
    forms = [sample.format for sample in samples]
    say(f"{options.split}: {len(samples):,} samples ({forms.count('text'):,} texts, {forms.count('json'):,} documents, "
        f"{size / 1e6:.2f} MB), {labels:,} labels, {sum(len(s.decoys) for s in samples):,} hard negatives; "
        "every label is valid by its oracle")

    folder = tempfile.mkdtemp(prefix="tidegate-accuracy-")
    try:
        measured = {"tidegate": measure("Tidegate", lambda: tidegate.run(samples, folder, options.timeout), samples)}
        if not options.no_presidio:
            regions = phones.REGIONS if options.presidio_regions == "all" else []
            measured["presidio"] = measure(
                "Presidio", lambda: presidio.run(samples, folder, regions, options.presidio_threshold, options.timeout), samples)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return show(options, samples, measured)


def print_samples(samples):
    import json
    from dataclasses import asdict
    for sample in samples:
        print(json.dumps({"format": sample.format, "template": sample.template, "line": sample.line,
                          "labels": [asdict(x) for x in sample.labels],
                          "decoys": [asdict(x) for x in sample.decoys]}, ensure_ascii=False))
    return 0


def show(options, samples, measured):
    positives = scoring.score(samples, scoring.Run("", [[] for _ in samples], {}, set())).positives
    say()
    say(tables.by_entity(measured, positives))
    for name, (run, score) in measured.items():
        say(f"{name}: NOT MEASURED: {score}" if run is None else
            f"{name}: {run.name}, " + ", ".join(f"{form} {rate:,.3g} MB/s" for form,
                                                rate in run.rates.items()) + f"; taken for another: {tables.confusions(score)}")
    if measured.get("presidio", (None,))[0]:
        countries = "its own eight countries" if options.presidio_regions == "own" else "all countries of the samples"
        say("presidio: all its recognisers for these entities, no language model (PyPI has none; those by pattern need none),\n"
            f"  scores from {options.presidio_threshold} %, phone numbers of {countries}; - means that it has no recogniser")
    if any(run for run, _ in measured.values()):
        say("MB/s: 10^6 bytes of the same lines for a second of CPU, without the start; texts are short: a call's own cost shows")
        say(f"\n{tables.by_form(samples, measured)}\n\n{tables.by_kind(measured)}")
    for name, (run, score) in measured.items():
        if run and options.misses:
            say(f"\n{name}:\n{tables.misses(score, options.misses)}")
    run, score = measured["tidegate"]
    goals = tables.goals(score) if run else []
    if goals:
        say("\n" + report.table(["goal", "Tidegate", "at least", ""], [[name, tables.share(value), goal,
                                                                        "met" if met else "MISSED"] for name, value, goal,
                                                                       met in goals]))
    for name, value, goal, met in goals:
        if not met:
            warn(f"GOAL MISSED: {name}: {tables.share(value)} instead of {goal}")
    report.write(options.json, {
        "benchmark": "accuracy", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": report.machine(),
                                "options": vars(options),
        "samples": len(samples), "measured": {name: summary(run, score) for name, (run, score) in measured.items() if run},
        "not_measured": {name: why for name, (run, why) in measured.items() if run is None},
                                "goals": [dict(zip(("goal", "value", "least", "met"), g)) for g in goals]})
    say(f"written: {options.json}")
    return 0 if options.no_gate or (goals and all(met for *_, met in goals)) else 1


if __name__ == "__main__":
    sys.exit(main())
