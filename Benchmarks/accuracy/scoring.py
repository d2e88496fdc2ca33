"""What counts as found.

A finding matches a label when it stands in the same value, names the label's entity, and covers at least half of the label's
bytes. A finding that covers half of a label, or is itself half covered by one, and names another entity is a confusion: the
value would be masked, under a wrong name. It is counted apart, neither as found nor as a false alarm. Every other finding is a
false alarm, under the hard negative it overlaps, else under `other text`, or `part of its value` where less than half of a
label was found. Several findings of one entity on one label count once.
"""
from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """`entities` are our names for what the detector means by its own; bytes of the value at `path`; confidence in per cent."""
    path: str
    detector: str
    entities: frozenset
    start: int
    end: int
    confidence: int


@dataclass
class Run:
    """What a tool found, sample by sample; megabytes a second by format; the entities that it has detectors for."""
    name: str
    found: list
    rates: dict
    known: set


def overlap(a, b):
    return max(0, min(a.end, b.end) - max(a.start, b.start)) if a.path == b.path else 0


@dataclass
class Score:
    """Counts by entity. `misses` and `alarms` are (sample, label) and (sample, finding, kind)."""
    positives: Counter = field(default_factory=Counter)
    hits: Counter = field(default_factory=Counter)
    masked: Counter = field(default_factory=Counter)
    false: Counter = field(default_factory=Counter)
    confusions: Counter = field(default_factory=Counter)
    alarms_by_kind: Counter = field(default_factory=Counter)
    decoys: Counter = field(default_factory=Counter)
    misses: list = field(default_factory=list)
    alarms: list = field(default_factory=list)

    def recall(self, entities):
        total = sum(self.positives[e] for e in entities)
        return sum(self.hits[e] for e in entities) / total if total else None

    def covered(self, entities):
        """The share that was found by any name."""
        total = sum(self.positives[e] for e in entities)
        return sum(self.masked[e] for e in entities) / total if total else None

    def precision(self, entities):
        hits, false = sum(self.hits[e] for e in entities), sum(self.false[e] for e in entities)
        return hits / (hits + false) if hits + false else None


def score(samples, run):
    result = Score()
    for sample, findings in zip(samples, run.found):
        taken = set()
        for decoy in sample.decoys:
            result.decoys[decoy.kind] += 1
        for label in sample.labels:
            result.positives[label.entity] += 1
            near = [f for f in findings if 2 * overlap(f, label) >= label.end - label.start]
            right = [f for f in near if label.entity in f.entities]
            taken.update(right)
            if near:
                result.masked[label.entity] += 1
            if right:
                result.hits[label.entity] += 1
            else:
                result.misses.append((sample, label))
        alarms = defaultdict(list)
        for finding in findings:
            if finding in taken:
                continue
            length = finding.end - finding.start
            touched = [x for x in sample.labels if 2 * overlap(finding, x) >= min(length, x.end - x.start)
                       and overlap(finding, x) > 0]
            name = next(iter(sorted(finding.entities)))
            if any(not finding.entities & {x.entity} for x in touched):
                result.confusions[name, next(x.entity for x in touched if x.entity not in finding.entities)] += 1
                continue
            alarms[name].append((finding, bool(touched)))
        for name, found in alarms.items():
            # Two findings of one entity on the same bytes are one false alarm.
            kept = [f for i, f in enumerate(found) if not any(overlap(f[0], g[0]) > 0 for g in found[:i])]
            for finding, partly in kept:
                other = "part of its value" if partly else "other text"
                kind = next((d.kind for d in sample.decoys if overlap(finding, d) > 0), other)
                result.false[name] += 1
                result.alarms_by_kind[kind] += 1
                result.alarms.append((sample, finding, kind))
    return result
