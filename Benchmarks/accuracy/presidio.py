"""Presidio's runner: the worker in its own environment (`.build-presidio`, or PRESIDIO_PYTHON), which may be missing."""
import json
import os
import subprocess

from harness.gateway import ROOT
from harness.processes import Unavailable

from .scoring import Finding, Run

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = os.environ.get("PRESIDIO_PYTHON") or os.path.join(ROOT, ".build-presidio", "bin", "python")
# Its names for ours; a name for several of ours counts for each. What is not here it has no recogniser for.
NAMES = {
    "CREDIT_CARD": {"credit-card"}, "US_SSN": {"us-ssn"}, "US_ITIN": {"us-itin"}, "IBAN_CODE": {"iban"},
         "ABA_ROUTING_NUMBER": {"us-aba"}, "US_NPI": {"us-npi"}, "US_MBI": {"us-mbi"},
    "MEDICAL_LICENSE": {"us-dea"}, "UK_NHS": {"uk-nhs"}, "UK_NINO": {"uk-nino"}, "CA_SIN": {"ca-sin"},
         "IN_AADHAAR": {"in-aadhaar"}, "IN_PAN": {"in-pan"}, "PL_PESEL": {"pl-pesel"},
    "ES_NIF": {"es-nif"}, "ES_NIE": {"es-nif"}, "IT_FISCAL_CODE": {"it-codice-fiscale"}, "DE_TAX_ID": {"de-tax-id"},
         "SG_NRIC_FIN": {"sg-nric"}, "EMAIL_ADDRESS": {"email"},
    "PHONE_NUMBER": {"phone"}, "IP_ADDRESS": {"ipv4", "ipv6"}, "MAC_ADDRESS": {"mac"}, "CRYPTO": {"btc"},
}
KNOWN = set().union(*NAMES.values())


def version():
    done = subprocess.run([PYTHON, "-c", "from importlib.metadata import version; print(version('presidio_analyzer'))"],
                          capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


def run(samples, folder, regions, least, seconds):
    """All findings of at least `least` per cent. Throws Unavailable where Presidio is not installed, fails, or takes too long."""
    if not os.path.exists(PYTHON):
        raise Unavailable("not installed (scripts/setup accuracy)")
    path = os.path.join(folder, "presidio.jsonl")
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps([sample.format, sample.line]) + "\n" for sample in samples)
    try:
        done = subprocess.run([PYTHON, os.path.join(HERE, "presidio_worker.py"), path, ",".join(regions) or "own"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=seconds,
                              env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    except subprocess.TimeoutExpired:
        raise Unavailable(f"takes longer than {seconds} s (--samples gives fewer)") from None
    if done.returncode != 0:
        raise Unavailable(f"ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    took = lines.pop()["seconds"]
    if len(lines) != len(samples):
        raise Unavailable(f"{len(lines)} answers to {len(samples)} lines")
    found = [[Finding(f["path"], f["detector"], frozenset(NAMES[f["detector"]]), f["start"], f["end"], f["confidence"])
              for f in line["findings"] if f["confidence"] >= least]
             for line in lines]
    rates = {form: sum(len(s.line.encode()) for s in samples if s.format == form) / 1e6 / took[form] for form in took
             if took[form] > 0}
    return Run(f"Presidio {version()}", found, rates, KNOWN)
