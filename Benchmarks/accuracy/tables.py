"""What is printed: recall and precision by entity and by group, false alarms by kind, and the goals."""
from harness.report import shown, table

from .negatives import NEGATIVES
from .world import CHECKSUMMED, ENTITIES

GROUPS = {"cards": ["credit-card"], "checksummed ids": CHECKSUMMED, "phone": ["phone"],
          "other ids": ["us-ssn", "us-itin", "us-mbi", "uk-nino", "in-pan", "date-of-birth"],
          "addresses": ["email", "ipv4", "ipv6", "mac"],
          "secrets": ["aws-key", "jwt", "pem", "github-token", "slack-token", "stripe-key", "secret"]}
# ../../../shared/masking.md: recall of a group, precision of everything.
RECALL_GOALS = {"cards": 0.99, "checksummed ids": 0.99, "phone": 0.85}
PRECISION_GOAL = 0.98


def share(value):
    return shown(value, "{:.3f}")


def figures(score, run, entities):
    """Recall, share found by any name, precision; for what the tool has detectors for."""
    known = [e for e in entities if e in run.known]
    if not known:
        return {"recall": None, "any_name": score.covered(entities), "precision": None}
    return {"recall": score.recall(entities), "any_name": score.covered(entities), "precision": score.precision(entities)}


def by_entity(measured, positives):
    """`measured`: (run, score) or (name, reason why not) by column."""
    head = ["entity", "n"]
    for name in measured:
        head += [f"{name} recall", "any name", "precision"]
    rows = []

    def row(title, entities):
        n = sum(positives[e] for e in entities)
        if not n:
            return
        cells = [title, n]
        for run, score in measured.values():
            cells += ["-"] * 3 if run is None else [share(x) for x in figures(score, run, entities).values()]
        rows.append(cells)

    for entity in ENTITIES:
        row(entity, [entity])
    rows.append(["-"] * len(head))
    for group, entities in GROUPS.items():
        row(group, entities)
    row("everything", ENTITIES)
    known = next((run.known for name, (run, _) in measured.items() if name == "presidio" and run), None)
    if known:
        row("what Presidio knows", [e for e in ENTITIES if e in known])
    return table(head, rows)


def by_kind(measured):
    scores = {name: score for name, (run, score) in measured.items() if run}
    decoys = next(iter(scores.values())).decoys
    rows = [[kind, decoys[kind] or "", *[score.alarms_by_kind[kind] or "." for score in scores.values()]]
            for kind in [*NEGATIVES, "part of its value", "other text"]
            if decoys[kind] or any(score.alarms_by_kind[kind] for score in scores.values())]
    rows.append(["all", sum(decoys.values()), *[sum(score.alarms_by_kind.values()) for score in scores.values()]])
    return table(["hard negative", "n", *[f"{name} false alarms" for name in scores]], rows)


def by_form(samples, measured):
    """Recall where values are named and where they stand alone, in texts and in documents."""
    rows = []
    for title, want in (("text, named", ("text", False)), ("text, alone", ("text", True)), ("json, named", ("json", False)),
                        ("json, alone", ("json", True))):
        total = sum((s.format, x.alone) == want for s in samples for x in s.labels)
        cells = [title, total]
        for run, score in measured.values():
            missed = sum((s.format, x.alone) == want for s, x in score.misses) if run else 0
            cells.append(share(1 - missed / total) if run and total else "-")
        rows.append(cells)
    return table(["where", "n", *[f"{name} recall" for name in measured]], rows)


def confusions(score, most=12):
    return ", ".join(f"{real} as {found} {count}" for (found, real), count in score.confusions.most_common(most)) or "none"


def goals(score):
    """(name, value, goal, met) of every goal."""
    made = [(f"recall of {group}", score.recall(GROUPS[group]), goal) for group, goal in RECALL_GOALS.items()]
    made.append(("precision of everything", score.precision(ENTITIES), PRECISION_GOAL))
    return [(name, value, goal, value is not None and value >= goal) for name, value, goal in made]


def misses(score, count):
    """The first so many of each, spread over the entities; synthetic values only."""
    lines, seen = [], {}
    for sample, label in score.misses:
        if seen.setdefault(label.entity, 0) < count:
            seen[label.entity] += 1
            where = f"{label.path or label.start} ({'alone' if label.alone else 'named'}, {sample.format} {sample.template})"
            lines.append(f"missed {label.entity} {label.text!r} at {where}: {sample.line[:240]}")
    seen = {}
    for sample, finding, kind in score.alarms:
        name = finding.detector
        if seen.setdefault((name, kind), 0) < count:
            seen[name, kind] += 1
            text = sample.values.get(finding.path, "").encode()[finding.start:finding.end].decode(errors="replace")
            where = f"{finding.path or finding.start} ({finding.confidence} %, {sample.format} {sample.template})"
            lines.append(f"false alarm {name} on {kind} {text!r} at {where}: {sample.line[:240]}")
    return "\n".join(lines)
