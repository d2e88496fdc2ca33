"""Presidio over the lines of a file; runs in Presidio's own environment, of which nothing else here knows.

usage: presidio_worker.py FILE REGIONS. Each line of FILE is [format, text]; each line of the output is what `tidegate mask
--explain --json` prints for it, with Presidio's names and scores in per cent. The last line says what it took without the
start, in seconds of CPU. REGIONS: countries of phone numbers, or `own`.

Every recogniser that Presidio has for the entities is on, for all texts, with its own words of context. No language model:
spaCy's are not on PyPI, and recognisers by pattern need tokens only (a blank English pipeline; the words of context are
compared as written, not by lemma). Documents are taken as its BatchAnalyzerEngine takes them: each value alone, the names of
its fields as context.
"""
import json
import logging
import re
import sys
import time

logging.disable(logging.CRITICAL)
import spacy  # noqa: E402
import tldextract  # noqa: E402
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # noqa: E402
from presidio_analyzer import predefined_recognizers as known  # noqa: E402
from presidio_analyzer.nlp_engine import SpacyNlpEngine  # noqa: E402

RECOGNISERS = ["CreditCard", "UsSsn", "UsItin", "Iban", "AbaRouting", "UsNpi", "UsMbi", "MedicalLicense", "Nhs", "UkNino",
               "CaSin", "InAadhaar", "InPan", "PlPesel",
               "EsNif", "EsNie", "ItFiscalCode", "DeTaxId", "SgFin", "Email", "Phone", "Ip", "MacAddress", "Crypto"]


@spacy.Language.component("words_as_lemmas")
def words_as_lemmas(doc):
    for token in doc:
        token.lemma_ = token.lower_
    return doc


class Tokens(SpacyNlpEngine):
    """No model: tokens, and each as its own lemma, since words of context are looked for among lemmas."""

    def load(self):
        blank = spacy.blank("en")
        blank.add_pipe("words_as_lemmas")
        self.nlp = {"en": blank}


def engine(regions):
    # The list of public suffixes that came with the package: no look at the network.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    registry = RecognizerRegistry(supported_languages=["en"])
    for name in RECOGNISERS:
        options = {"supported_regions": regions} if name == "Phone" and regions else {}
        registry.add_recognizer(getattr(known, f"{name}Recognizer")(supported_language="en", **options))
    nlp = Tokens()
    nlp.load()
    made = AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=["en"])
    return made, sorted({entity for recogniser in registry.recognizers for entity in recogniser.supported_entities})


def leaves(node, path="", names=()):
    if isinstance(node, dict):
        for key, child in node.items():
            yield from leaves(child, f"{path}.{key}" if path else key, (*names, key))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from leaves(child, f"{path}[{index}]", names)
    else:
        yield path, node if isinstance(node, str) else json.dumps(node), names[-2:]


def words(names):
    """The names of fields, and their words: Presidio compares words."""
    return [w.lower() for name in names for w in [name, *re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+", name)]]


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        inputs = [json.loads(line) for line in lines]
    analyzer, entities = engine(None if sys.argv[2] == "own" else sys.argv[2].split(","))
    analyzer.analyze("warm up 4111 1111 1111 1111 a@b.com +1 202 555 0143", language="en", entities=entities)
    seconds = {"text": 0.0, "json": 0.0}
    for number, (form, line) in enumerate(inputs, 1):
        begun = time.process_time()
        values = [("", line, ())] if form == "text" else leaves(json.loads(line, parse_int=str, parse_float=str))
        findings = []
        for path, text, names in values:
            for found in analyzer.analyze(text, language="en", entities=entities, context=words(names) or None):
                findings.append({"path": path, "detector": found.entity_type, "start": len(text[:found.start].encode()),
                                 "end": len(text[:found.end].encode()),
                                 "confidence": round(100 * found.score)})
        seconds[form] += time.process_time() - begun
        print(json.dumps({"line": number, "findings": findings}))
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
