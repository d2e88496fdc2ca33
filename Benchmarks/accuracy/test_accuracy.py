"""The measure itself, with a stand-in for the gateway: python -m unittest discover -s Benchmarks/accuracy -t Benchmarks"""
import json
import os
import stat
import tempfile
import unittest

from harness.processes import Unavailable

from accuracy import check, documents, scoring, tables, texts, tidegate, world
from accuracy.negatives import NEGATIVES
from accuracy.sample import Decoy, Label, Sample


def samples(held_out, count=160):
    source = world.World(7, held_out)
    return [*texts.texts(source, count), *documents.documents(source, count)]


def perfect(sample):
    return [scoring.Finding(x.path, x.entity, frozenset([x.entity]), x.start, x.end, 99) for x in sample.labels]


STAND_IN = """#!/usr/bin/env python3
import json, sys
answers = json.load(open(sys.argv[0] + ".answers"))
for number, line in enumerate(sys.stdin.buffer.read().decode().removesuffix("\\n").split("\\n"), 1):
    print(json.dumps({"line": number, "findings": answers[line]}) if "--explain" in sys.argv else "x")
"""


class Generating(unittest.TestCase):
    def test_both_splits_are_sound_and_have_every_entity_and_hard_negative(self):
        for held_out in (False, True):
            made = samples(held_out, 700)
            self.assertGreater(check.check(made), 1000)
            self.assertEqual({x.entity for s in made for x in s.labels}, set(world.ENTITIES))
            self.assertEqual({x.kind for s in made for x in s.decoys}, set(NEGATIVES))

    def test_the_same_seed_makes_the_same_samples_however_many_come_before(self):
        first, again = samples(True), samples(True)
        self.assertEqual([s.line for s in first], [s.line for s in again])
        fewer = list(texts.texts(world.World(7, True), 40))
        self.assertEqual([s.line for s in fewer], [s.line for s in first[:40]])

    def test_the_splits_share_no_template_and_held_out_names_are_kept_from_tuning(self):
        self.assertFalse({t for _, t in texts.TUNING} & {t for _, t in texts.HELD_OUT})
        self.assertFalse(set(documents.TUNING) & set(documents.HELD_OUT))
        self.assertEqual(world.words.allowed(["a", "~b"], False), ["a"])

    def test_a_wrong_digit_or_a_shifted_span_is_noticed(self):
        good = Sample("text", "t", "card 4111111111111111", {"": "card 4111111111111111"},
                      [Label("credit-card", "", 5, 21, "4111111111111111")])
        self.assertEqual(check.check([good]), 1)
        for text, start in ("4111111111111112", 5), ("4111111111111111", 4):
            bad = Sample("text", "t", f"card {text}", {"": f"card {text}"}, [Label("credit-card", "", start, start + 16, text)])
            with self.assertRaises(check.Unsound):
                check.check([bad])

    def test_spans_count_utf8_bytes(self):
        behind = [(s, x) for s in samples(True) for x in s.labels if s.format == "text" and s.line.find(x.text) != x.start]
        self.assertGreater(len(behind), 5)
        for sample, label in behind:
            self.assertEqual(sample.line.encode()[label.start:label.end], label.text.encode())


class Scoring(unittest.TestCase):
    sample = Sample("text", "t", "card 4111111111111111 order 123456789", {"": "card 4111111111111111 order 123456789"},
                    [Label("credit-card", "", 5, 21, "4111111111111111")], [Decoy("order-number", "", 28, 37, "123456789")])

    def scored(self, *findings):
        found = [scoring.Finding("", name, frozenset([name]), start, end, 90) for name, start, end in findings]
        return scoring.score([self.sample], scoring.Run("", [found], {}, set(world.ENTITIES)))

    def test_half_of_the_label_is_a_hit_and_less_is_none(self):
        self.assertEqual(self.scored(("credit-card", 5, 13)).hits["credit-card"], 1)
        less = self.scored(("credit-card", 5, 12))
        self.assertEqual((less.hits["credit-card"], less.alarms_by_kind["part of its value"]), (0, 1))

    def test_another_name_for_it_is_a_confusion_and_no_false_alarm(self):
        score = self.scored(("phone", 5, 21))
        self.assertEqual((score.recall(["credit-card"]), score.covered(["credit-card"]), sum(score.false.values())), (0, 1, 0))
        self.assertEqual(score.confusions["phone", "credit-card"], 1)

    def test_what_is_found_in_a_hard_negative_counts_under_its_kind_and_once(self):
        score = self.scored(("credit-card", 5, 21), ("us-aba", 28, 37), ("us-aba", 28, 36))
        self.assertEqual(score.alarms_by_kind, {"order-number": 1})
        self.assertEqual(score.precision(world.ENTITIES), 0.5)

    def test_everything_found_meets_every_goal_and_nothing_found_misses_recall(self):
        made = samples(True, 400)
        full = scoring.score(made, scoring.Run("", [perfect(s) for s in made], {}, set(world.ENTITIES)))
        self.assertTrue(all(met for *_, met in tables.goals(full)))
        none = scoring.score(made, scoring.Run("", [[] for _ in made], {}, set(world.ENTITIES)))
        self.assertFalse(any(met for *_, met in tables.goals(none)))


class Runner(unittest.TestCase):
    def test_paths_have_one_notation(self):
        for written in ("items[0].card.number", "/items/0/card/number", "$.items[0].card.number", "items.0.card.number",
                        '"items"[0].card."number"'):
            self.assertEqual(tidegate.normal_path(written), "items[0].card.number")
        self.assertEqual([tidegate.normal_path(p) for p in ("", "[0].a", "0.a", "card2.x")], ["", "[0].a", "[0].a", "card2.x"])

    def test_a_binary_that_keeps_the_contract_is_measured_whole(self):
        made = samples(True, 60)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "tidegate")
            with open(path, "w") as out:
                out.write(STAND_IN)
            with open(path + ".answers", "w") as out:
                json.dump({s.line: [{"path": f.path, "detector": f.detector, "rule": 1, "start": f.start, "end": f.end,
                                     "confidence": 92, "action": "redact"}
                                    for f in perfect(s)] for s in made}, out)
            os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
            os.environ["TIDEGATE"] = path
            try:
                run = tidegate.run(made, folder, 60)
            finally:
                del os.environ["TIDEGATE"]
        score = scoring.score(made, run)
        self.assertEqual((score.recall(world.ENTITIES), score.precision(world.ENTITIES)), (1, 1))
        self.assertEqual(set(run.rates), {"text", "json"})

    def test_another_output_is_said_and_not_taken_for_nothing_found(self):
        for line in '{"email":"[redacted]"}', "", '{"line": 1, "findings": [{"path": "", "detector": "iban"}]}', "[]":
            with self.assertRaises(Unavailable):
                tidegate.read(line)


if __name__ == "__main__":
    unittest.main()
