"""One source of everything random: entities by quota, values, names, fillers; the same for the same seed, split and Faker."""
import random

from faker import Faker

from . import words
from .credentials import CREDENTIALS
from .identifiers import IDENTIFIERS
from .negatives import NEGATIVES
from .payments import PAYMENTS
from .phones import HELD_OUT, TUNING, phone, valid as phone_valid

MAKERS = {**PAYMENTS, **IDENTIFIERS, **CREDENTIALS}
ENTITIES = ["credit-card", "iban", "btc", *IDENTIFIERS, "phone", *CREDENTIALS]
# Groups of the goals; the others are secrets and identifiers without a checksum.
CHECKSUMMED = [name for name, (_, _, _, checksum) in MAKERS.items() if checksum and name != "credit-card"]
# What is recognisable by its own shape in at least some of its written forms.
ALONE = ["credit-card", "iban", "btc", "us-ssn", "us-itin", "us-mbi", "uk-nino", "in-pan", "it-codice-fiscale", "sg-nric",
         "br-cpf", "br-cnpj",
         "cn-resident-id", "fr-nir", "phone", "email", "ipv4", "ipv6", "mac", "aws-key", "jwt", "pem", "github-token",
         "slack-token", "stripe-key"]
WEIGHTS = {"credit-card": 4, "phone": 5, "email": 2, "iban": 1.5, "date-of-birth": 1.5, "ipv4": 1.5, "secret": 1.5}
LONG = {"pem", "jwt"}

TUNING_LOCALES = {"en": ["en_US", "en_GB", "en_CA"], "de": ["de_DE"], "fr": ["fr_FR"], "es": ["es_ES"], "it": ["it_IT"]}
HELD_OUT_LOCALES = {
    "en": ["en_US", "en_AU", "en_IN", "en_IE", "en_NZ"], "de": ["de_AT", "de_CH"], "fr": ["fr_CA", "fr_BE"],
                    "es": ["es_MX", "es_AR"], "it": ["it_IT"], "pt": ["pt_BR", "pt_PT"],
    "nl": ["nl_NL", "nl_BE"], "pl": ["pl_PL"], "sv": ["sv_SE"], "tr": ["tr_TR"], "ja": ["ja_JP"], "zh": ["zh_CN"],
                    "ru": ["ru_RU"], "el": ["el_GR"], "cs": ["cs_CZ"], "ko": ["ko_KR"]}


class World:
    def __init__(self, seed, held_out):
        self.seed, self.held_out = seed, held_out
        self.locales = HELD_OUT_LOCALES if held_out else TUNING_LOCALES
        self.regions = HELD_OUT + TUNING if held_out else TUNING
        self.fakers, self.r, self.fake, self.language = {}, None, None, "en"

    def begin(self, name, language):
        """What follows depends on the seed and this name alone, whatever was made before."""
        self.r = random.Random(f"{self.seed}/{self.held_out}/{name}")
        self.language = language
        locale = self.r.choice(self.locales.get(language) or self.locales["en"])
        if locale not in self.fakers:
            self.fakers[locale] = Faker(locale)
        self.fake = self.fakers[locale]
        self.fake.seed_instance(self.r.randrange(2**32))

    def entity(self, alone=False, short=False):
        names = [name for name in (ALONE if alone else ENTITIES) if not (short and name in LONG)]
        return self.r.choices(names, [WEIGHTS.get(name, 1) for name in names])[0]

    def value(self, entity, alone=False):
        """(text, alone, region); with `alone` only forms that nothing need name."""
        while True:
            region = None
            if entity == "phone":
                region = self.r.choice(self.regions)
                text, by_itself = phone(self.r, region)
            elif entity == "email":
                text, by_itself = CREDENTIALS["email"][0](self.r, self.fake)
            elif entity == "date-of-birth":
                text, by_itself = CREDENTIALS["date-of-birth"][0](self.r, self.language)
            else:
                text, by_itself = MAKERS[entity][0](self.r)
            if by_itself or not alone:
                return text, by_itself, region

    def negative(self):
        return self.r.choice(list(NEGATIVES))

    def filler(self, name):
        fake, r = self.fake, self.r
        made = {
            "name": fake.name, "first": fake.first_name, "last": fake.last_name, "company": fake.company, "city": fake.city,
            "street": fake.street_address, "word": fake.word, "sentence": lambda: fake.sentence(nb_words=7),
                "country": fake.country,
            "user": fake.user_name, "n": lambda: str(r.randrange(1, 60)), "zip": fake.postcode, "job": fake.job,
            "path": lambda: "/" + "/".join(r.choice(["api", "v2", "users", "orders", "carts", "login", "health", "items"])
                                           for _ in range(3)),
            "level": lambda: r.choice(["INFO", "WARN", "ERROR", "DEBUG"]),
                "service": lambda: r.choice(["billing", "auth", "checkout", "ingest", "crm-sync"]),
            "product": lambda: r.choice(["desk lamp", "running shoes", "USB cable", "coffee grinder", "backpack", "rain jacket"]),
        }[name]()
        return " ".join(made.split()).replace("<", "").replace("|", "")


def is_valid(entity, text, region):
    """Whether the bytes of a label are what its name says, by the oracle of that entity."""
    return phone_valid(text, region) if entity == "phone" else MAKERS[entity][1](text)


def word_of(world, entity):
    return words.prose(world.r, entity, world.language, world.held_out)
