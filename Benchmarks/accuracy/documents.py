"""JSON documents: orders, users, payments, health, HR, logs and more, in many naming styles, with labels by path.

A domain lists sections; a section is an object (`[]` behind its name: a list of them) with entities, hard negatives and
fillers. `*` is an entity by quota, `?` a hard negative by chance. Every value of an entity has a field that names it, but in
lists of name and value pairs and in free text, where only what is recognisable alone stands.
"""
import json

from . import texts, words
from .negatives import NEGATIVES
from .sample import Decoy, Label, Sample

# name: (language, [(section, entities, hard negatives, fillers)])
TUNING = {
    "order": ("en", [("", [], ["order-number", "epoch-ms", "price"], []),
                     ("customer", ["email", "phone", "*"], ["uuid"], ["name"]),
                     ("payment", ["credit-card"], ["masked-card", "price", "?"], []),
                     ("items[]", [], ["ean", "price"], ["product"]),
                     ("shipping address", [], ["tracking"], ["street", "city", "zip"])]),
    "user": ("en", [("", ["email", "phone", "date-of-birth", "*"], ["uuid", "timestamp"], ["name", "user"]),
                    ("last login", ["ipv4"], ["timestamp", "version"], []),
                    ("preferences", [], ["?", "?"], ["country"])]),
    "payment": ("de", [("", [], ["uuid", "epoch-s", "luhn-no-issuer"], []), ("debtor", ["iban", "*"], [], ["name", "city"]),
                       ("creditor", ["iban"], ["invoice"], ["company"]), ("meta", [], ["hex-trace", "?"], [])]),
    "patient": ("en", [("patient", ["us-mbi", "date-of-birth", "phone", "*"], ["serial"], ["name"]),
                       ("provider", ["us-npi", "us-dea"], [], ["name"]),
                       ("encounters[]", [], ["timestamp", "?"], ["sentence"])]),
    "employee": ("en", [("employee", ["us-ssn", "date-of-birth", "email"], ["count"], ["name", "job"]),
                        ("bank", ["us-aba", "*"], ["price"], []),
                        ("emergency contacts[]", ["phone"], [], ["name"])]),
    "event": ("en", [("", [], ["timestamp", "hex-trace", "uuid", "version"], ["level", "service"]),
                     ("http", ["ipv4"], ["count", "?"], ["path"]),
                     ("attributes", ["*"], ["?", "git-sha"], [])]),
    "free text": ("en", [("", [], ["order-number", "date"], ["user"]), ("ticket", ["!"], ["?"], ["sentence"])]),
    "plain": ("en", [("", ["*", "*", "*"], ["?", "?", "?"], ["word"])]),
    "config": ("en", [("database", ["secret"], ["placeholder"], ["user"]), ("cloud", ["aws-key", "*"], ["?"], []),
                      ("build", [], ["git-sha", "hash", "version"], [])]),
}
HELD_OUT = {
    "claim": ("en", [("", [], ["invoice", "timestamp"], []),
                     ("policyholder", ["*", "date-of-birth", "phone"], ["order-number"], ["name"]),
                     ("loss", [], ["coordinates", "price", "date"], ["sentence"]), ("payee", ["iban", "*"], [], ["company"])]),
    "kyc": ("en", [("applicant", ["*", "*", "*", "date-of-birth"], ["uuid"], ["name", "country"]),
                   ("documents[]", [], ["hash", "date", "?"], ["word"]),
                   ("risk", ["ipv4"], ["count", "epoch-ms"], [])]),
    "telecom": ("en", [("", ["phone"], ["imei", "iccid", "epoch-ms"], []), ("subscriber", ["phone", "*", "email"], [], ["name"]),
                       ("cell", [], ["coordinates", "oid", "?"], [])]),
    "device": ("en", [("device", ["mac", "ipv6"], ["serial", "version", "epoch-ns"], []), ("owner", ["*"], ["uuid"], ["first"]),
                      ("readings[]", [], ["epoch-us", "count"], [])]),
    "card auth": ("en", [("authorization request", ["credit-card"], ["count", "epoch-s", "luhn-wrong", "price"], []),
                         ("merchant", [], ["serial", "identifier"], ["company", "city"]),
                         ("cardholder", ["*"], ["masked-card"], ["name"])]),
    "prescription": ("en", [("", [], ["order-number", "date"], []), ("prescriber", ["us-npi", "us-dea", "phone"], [], ["name"]),
                            ("member", ["us-mbi", "*", "date-of-birth"], ["?"], ["name"])]),
    "registration": ("pt", [("cliente", ["br-cpf", "email", "phone", "*"], ["uuid"], ["name"]),
                            ("empresa", ["br-cnpj"], ["invoice"], ["company"]),
                            ("pedido", ["credit-card"], ["price", "date"], ["product"])]),
    "payroll": ("en", [("run", [], ["date", "count"], []), ("workers[]", ["*", "iban"], ["price"], ["name"]),
                       ("filed by", ["email"], ["timestamp"], ["name"])]),
    "resident": ("zh", [("", ["cn-resident-id", "phone", "*"], ["order-number"], ["name"]),
                        ("delivery", [], ["tracking", "coordinates"], ["street", "city"])]),
    "werkgever": ("nl", [("werknemer", ["nl-bsn", "iban", "phone", "*"], ["date"], ["name"]),
                         ("contract", [], ["invoice", "price"], ["company"])]),
    "pacjent": ("pl", [("pacjent", ["pl-pesel", "email", "*"], ["uuid"], ["name"]),
                       ("wizyta", [], ["timestamp", "?"], ["city"])]),
    "conversation": ("en", [("", [], ["uuid", "timestamp"], []), ("messages[]", ["!"], ["epoch-ms"], ["user"]),
                            ("summary", [], ["?"], ["sentence"])]),
    "pairs": ("en", [("", [], ["uuid"], []), ("attributes[]", ["="], [], [])]),
    "contacts": ("en", [("people[]", ["email", "phone", "*"], ["identifier"], ["name", "company"])]),
    "secrets": ("en", [("vault", ["*", "secret", "github-token"], ["placeholder", "hash", "base64"], []),
                       ("pipeline", ["slack-token"], ["git-sha", "uuid", "?"], [])]),
    "telemetry": ("en", [("resource", [], ["identifier", "version", "code"], ["service"]),
                         ("spans[]", [], ["hex-trace", "epoch-ns", "?"], []), ("client", ["*"], ["?"], [])]),
    "catalogue": ("en", [("books[]", [], ["isbn", "price", "ean"], ["word"]),
                         ("supplier", ["*"], ["serial", "never-ssn"], ["company"])]),
    "flat": ("en", [("", ["*", "*", "*", "*"], ["?", "?", "?", "?"], ["word", "city"])]),
}


class Value:
    """A leaf with what it holds: labels and decoys whose spans are within `text`. `bare` ones are JSON numbers."""

    def __init__(self, text, labels=(), decoys=(), bare=False):
        self.text, self.labels, self.decoys, self.bare = text, labels, decoys, bare


def number_like(text):
    return text.isdecimal() and text.isascii() and text[0] != "0"


class Builder:
    def __init__(self, world):
        self.world, self.r = world, world.r
        self.style = self.r.choice(words.HELD_OUT_STYLES if world.held_out else words.TUNING_STYLES)

    def put(self, into, key, value):
        """Under the key; where it is taken, under the key with a number behind it."""
        name, count = key, 2
        while name in into:
            name, count = f"{key}{count}", count + 1
        into[name] = value

    def positive(self, into, name):
        world, r = self.world, self.r
        if name == "!":
            language, template = r.choice([t for t in (texts.HELD_OUT if world.held_out else texts.TUNING) if t[0] == "en"
                                           and "<pem>" not in t[1]])
            made = texts.fill(world, template)
            return self.put(into, words.styled(self.style, r.choice(["message", "note", "body", "comment"])),
                            Value(made.text(), made.labels, made.decoys))
        if name == "=":
            entity = world.entity(alone=True)
            text, _, region = world.value(entity, alone=True)
            into[words.styled(self.style, "name")] = Value(words.field(r, entity, self.style, world.held_out))
            into[words.styled(self.style, "value")] = self.labelled(entity, text, True, region)
            return None
        entity = world.entity() if name == "*" else name
        text, by_itself, region = world.value(entity)
        if entity in ("phone", "email") and r.random() < 0.1:
            more, _, where = world.value(entity)
            both = [self.labelled(entity, text, False, region), self.labelled(entity, more, False, where)]
            return self.put(into, words.styled(self.style, r.choice({"phone": ["phones", "phone numbers"],
                                                                     "email": ["emails", "email addresses"]}[entity])), both)
        return self.put(into, words.field(r, entity, self.style, world.held_out), self.labelled(entity, text, False, region))

    def labelled(self, entity, text, alone, region):
        if entity == "pem":
            text = text.replace("\\n", "\n")
        bare = number_like(text) and self.r.random() < 0.25 and len(text) < 20
        return Value(text, [Label(entity, "", 0, len(text.encode()), text, alone, region)], bare=bare)

    def negative(self, into, name):
        kind = self.world.negative() if name == "?" else name
        make, _, fields = NEGATIVES[kind]
        text = make(self.r)
        key = words.styled(self.style, words_of(self.r.choice(fields))) if self.r.random() < 0.7 else self.r.choice(fields)
        bare = number_like(text) and self.r.random() < 0.6 and len(text) < 20
        self.put(into, key, Value(text, decoys=[Decoy(kind, "", 0, len(text.encode()), text)], bare=bare))

    def section(self, entities, negatives, fillers):
        made, todo = {}, [(self.positive, e) for e in entities] + [(self.negative, n) for n in negatives]
        todo += [(lambda into, f: self.put(into, words.styled(self.style, f), Value(self.world.filler(f))), f) for f in fillers]
        self.r.shuffle(todo)
        for put, name in todo:
            put(made, name)
        return made

    def document(self, sections):
        made, r = {}, self.r
        for name, *parts in sections:
            if not name:
                made.update(self.section(*parts))
                continue
            key = words.styled(self.style, name.removesuffix("[]"))
            self.put(made, key, [self.section(*parts) for _ in range(r.randrange(1, 4))] if name.endswith("[]")
                     else self.section(*parts))
        if r.random() < 0.15:
            return [made]
        return {words.styled(self.style, r.choice(["data", "payload", "record"])): made} if r.random() < 0.2 else made


def words_of(name):
    """The words of a field name in any style."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).replace("_", " ").replace("@", "").strip()


def written(node, path, sample, separators):
    """JSON of the tree; labels and texts go into the sample by path."""
    item, colon = separators
    if isinstance(node, Value):
        sample.values[path] = node.text
        sample.labels += [Label(x.entity, path, x.start, x.end, x.text, x.alone, x.region) for x in node.labels]
        sample.decoys += [Decoy(x.kind, path, x.start, x.end, x.text) for x in node.decoys]
        return node.text if node.bare else json.dumps(node.text, ensure_ascii=False)
    if isinstance(node, list):
        return "[" + item.join(written(child, f"{path}[{i}]", sample, separators) for i, child in enumerate(node)) + "]"
    children = [json.dumps(key, ensure_ascii=False) + colon + written(child, f"{path}.{key}" if path else key, sample,
                                                                      separators) for key, child in node.items()]
    return "{" + item.join(children) + "}"


def documents(world, count):
    """`count` samples, the domains in turn."""
    domains = HELD_OUT if world.held_out else TUNING
    for number in range(count):
        name = list(domains)[number % len(domains)]
        language, sections = domains[name]
        world.begin(f"json/{name}/{number // len(domains)}", language if language in world.locales else "en")
        sample = Sample("json", name, "", {})
        sample.line = written(Builder(world).document(sections), "", sample, world.r.choice([(",", ":"), (", ", ": ")]))
        if world.r.random() < 0.1:  # as encoders write it that stay within ASCII
            sample.line = "".join(c if c.isascii() else json.dumps(c)[1:-1] for c in sample.line)
        yield sample
