"""What people call each entity, in prose by language and as the name of a field.

A leading `~` keeps a name for the held-out split.
"""

# entity: language: words that stand beside it in prose
PROSE = {
    "credit-card": {
        "en": ["card", "credit card", "card number", "Visa card", "PAN", "~debit card", "~card no.", "~payment card"],
        "de": ["Kreditkarte", "Kartennummer", "~Kreditkartennummer"],
        "fr": ["carte bancaire", "numéro de carte", "~carte de crédit"],
        "es": ["tarjeta", "número de tarjeta", "~tarjeta de crédito"], "it": ["carta di credito", "numero carta"],
        "pt": ["~cartão de crédito", "~número do cartão"], "nl": ["~creditcard", "~kaartnummer"],
        "pl": ["~karta kredytowa", "~numer karty"], "sv": ["~kortnummer"], "tr": ["~kart numarası"], "ja": ["~カード番号"],
    },
    "us-ssn": {"en": ["SSN", "social security number", "SSN#", "~Social Security No.", "~soc sec number"]},
    "us-itin": {"en": ["ITIN", "taxpayer identification number", "~individual taxpayer number", "~tax ID (ITIN)"]},
    "iban": {
        "en": ["IBAN", "bank account", "account", "~beneficiary IBAN"], "de": ["IBAN", "Bankverbindung", "Konto"],
        "fr": ["IBAN", "compte bancaire"], "es": ["IBAN", "cuenta bancaria"], "it": ["IBAN", "conto corrente"], "pt": ["~IBAN"],
        "nl": ["~IBAN", "~rekeningnummer"], "pl": ["~IBAN", "~numer konta"], "sv": ["~IBAN"], "tr": ["~IBAN"], "ja": ["~IBAN"],
    },
    "us-aba": {"en": ["routing number", "ABA number", "ABA routing", "bank routing", "~ABA RTN", "~routing no."]},
    "us-npi": {"en": ["NPI", "provider NPI", "national provider identifier", "~NPI number", "~rendering NPI"]},
    "us-mbi": {"en": ["MBI", "Medicare number", "Medicare beneficiary identifier", "~Medicare ID"]},
    "us-dea": {"en": ["DEA", "DEA number", "prescriber DEA", "~DEA registration", "~DEA no."]},
    "uk-nhs": {"en": ["NHS number", "NHS no", "NHS", "~NHS No.", "~patient NHS number"]},
    "uk-nino": {"en": ["NINO", "national insurance number", "NI number", "~NI no.", "~National Insurance no"]},
    "ca-sin": {
        "en": ["SIN", "social insurance number", "~S.I.N.", "~Social Insurance No."],
        "fr": ["NAS", "numéro d'assurance sociale"],
    },
    "in-aadhaar": {"en": ["Aadhaar", "Aadhaar number", "UIDAI", "~Aadhaar no.", "~aadhar card"]},
    "in-pan": {"en": ["PAN", "PAN card", "permanent account number", "~income tax PAN"]},
    "pl-pesel": {"en": ["PESEL", "~PESEL number"], "pl": ["~PESEL", "~numer PESEL"]},
    "es-nif": {
        "en": ["NIF", "DNI", "NIE", "~Spanish tax ID (NIF)"], "es": ["NIF", "DNI", "NIE", "documento de identidad", "~DNI/NIE"],
    },
    "it-codice-fiscale": {
        "en": ["codice fiscale", "Italian fiscal code", "~fiscal code"], "it": ["codice fiscale", "C.F.", "~cod. fiscale"],
    },
    "de-tax-id": {
        "en": ["German tax ID", "Steuer-ID", "~tax identification number (DE)"],
        "de": ["Steuer-ID", "Steueridentifikationsnummer", "IdNr", "~Steuer-IdNr.", "~Steuerliche Identifikationsnummer"],
    },
    "sg-nric": {"en": ["NRIC", "FIN", "NRIC/FIN", "~NRIC no."]},
    "br-cpf": {"en": ["CPF", "~CPF number"], "pt": ["~CPF", "~CPF do titular"]},
    "br-cnpj": {"en": ["CNPJ", "~company CNPJ"], "pt": ["~CNPJ", "~CNPJ da empresa"]},
    "cn-resident-id": {
        "en": ["Chinese ID", "resident identity card", "ID card number", "~PRC ID number"], "zh": ["~身份证号", "~身份证"],
    },
    "nl-bsn": {"en": ["BSN", "~Dutch BSN"], "nl": ["~BSN", "~burgerservicenummer", "~sofinummer"]},
    "fr-nir": {
        "en": ["NIR", "French social security number", "~INSEE number"],
        "fr": ["NIR", "numéro de sécurité sociale", "n° de sécu", "~numéro INSEE"],
    },
    "email": {
        "en": ["email", "e-mail", "mail", "contact", "~email address"], "de": ["E-Mail", "Mail"],
        "fr": ["courriel", "adresse e-mail"], "es": ["correo", "correo electrónico"], "it": ["e-mail", "posta elettronica"],
        "pt": ["~e-mail"], "nl": ["~e-mailadres"], "pl": ["~adres e-mail"], "sv": ["~e-post"], "tr": ["~e-posta"],
        "ja": ["~メール"],
    },
    "phone": {
        "en": ["phone", "phone number", "mobile", "tel", "cell", "call", "~telephone", "~contact number", "~mob.", "~WhatsApp"],
        "de": ["Telefon", "Tel.", "Handy", "Rufnummer", "~Mobil", "~Telefonnummer"],
        "fr": ["téléphone", "tél.", "portable", "~mobile"], "es": ["teléfono", "móvil", "tel.", "~celular"],
        "it": ["telefono", "cellulare", "tel."], "pt": ["~telefone", "~celular"], "nl": ["~telefoon", "~mobiel"],
        "pl": ["~telefon", "~tel."], "sv": ["~telefon", "~mobil"], "tr": ["~telefon", "~cep"], "ja": ["~電話番号", "~電話"],
    },
    "ipv4": {"en": ["IP", "IP address", "host", "from", "client", "~source address"]},
    "ipv6": {"en": ["IPv6", "IP address", "host", "from", "~source address"]},
    "mac": {"en": ["MAC", "MAC address", "device", "~hardware address"]},
    "btc": {"en": ["BTC address", "bitcoin wallet", "wallet", "~bitcoin address"]},
    "date-of-birth": {
        "en": ["date of birth", "DOB", "born", "born on", "birth date", "birthday", "~D.O.B.", "~birthdate"],
        "de": ["geboren am", "Geburtsdatum", "geb.", "~Geburtstag"], "fr": ["né le", "date de naissance", "~née le"],
        "es": ["fecha de nacimiento", "nacido el", "~F. nacimiento"], "it": ["data di nascita", "nato il", "~nata il"],
        "pt": ["~data de nascimento"], "nl": ["~geboortedatum"], "pl": ["~data urodzenia"], "sv": ["~födelsedatum"],
        "tr": ["~doğum tarihi"], "ja": ["~生年月日"],
    },
    "aws-key": {"en": ["AWS key", "access key", "AWS_ACCESS_KEY_ID", "~aws access key id"]},
    "jwt": {"en": ["token", "Authorization: Bearer", "JWT", "~id_token"]},
    "pem": {"en": ["private key", "key", "~signing key"]},
    "github-token": {"en": ["GitHub token", "token", "GITHUB_TOKEN", "~PAT"]},
    "slack-token": {"en": ["Slack token", "bot token", "SLACK_BOT_TOKEN"]},
    "stripe-key": {"en": ["Stripe key", "STRIPE_SECRET_KEY", "api key"]},
    "secret": {
        "en": ["password", "secret", "api key", "api_key", "DB_PASSWORD", "client secret", "access token", "~passwd",
               "~auth token", "~AWS_SECRET_ACCESS_KEY"],
        "de": ["Passwort", "Kennwort"], "fr": ["mot de passe"], "es": ["contraseña", "clave secreta"], "it": ["password"],
        "pt": ["~senha"], "nl": ["~wachtwoord"], "pl": ["~hasło"],
    },
}

# entity: names of fields, as words that a style joins
FIELDS = {
    "credit-card": [
        "card number", "pan", "credit card", "cc number", "card no", "credit card number", "primary account number", "~ccnum",
        "~debit card", "~card pan", "~payment card number",
    ],
    "us-ssn": ["ssn", "social security number", "us ssn", "~ssn no", "~social security", "~soc sec no"],
    "us-itin": ["itin", "taxpayer itin", "~itin number"],
    "iban": ["iban", "bank account iban", "account iban", "account number", "~creditor iban", "~payee account"],
    "us-aba": ["routing number", "aba", "aba number", "bank routing", "~aba rtn", "~routing no", "~routing transit number"],
    "us-npi": ["npi", "provider npi", "npi number", "~rendering provider npi", "~prescriber npi"],
    "us-mbi": ["mbi", "medicare id", "medicare beneficiary id", "~medicare number"],
    "us-dea": ["dea", "dea number", "prescriber dea", "~dea no", "~dea registration"],
    "uk-nhs": ["nhs number", "nhs no", "nhs", "~patient nhs number", "~nhs id"],
    "uk-nino": ["nino", "national insurance number", "ni number", "~national insurance no"],
    "ca-sin": ["sin", "social insurance number", "sin number", "~ca sin"],
    "in-aadhaar": ["aadhaar", "aadhaar number", "aadhaar no", "~aadhar", "~uidai number"],
    "in-pan": ["pan", "pan card", "pan number", "~income tax pan"],
    "pl-pesel": ["pesel", "pesel number", "~nr pesel", "~numer pesel"],
    "es-nif": ["nif", "dni", "nie", "nif number", "~dni nie", "~documento identidad"],
    "it-codice-fiscale": ["codice fiscale", "fiscal code", "~cod fiscale", "~cf"],
    "de-tax-id": [
        "steuer id", "steuer identifikationsnummer", "german tax id", "~steuer idnr", "~steuerliche identifikationsnummer",
    ],
    "sg-nric": ["nric", "nric fin", "fin", "~nric no"],
    "br-cpf": ["cpf", "cpf number", "~numero cpf", "~cpf titular"],
    "br-cnpj": ["cnpj", "company cnpj", "~numero cnpj", "~cnpj empresa"],
    "cn-resident-id": ["id card number", "resident id", "id card", "~shenfenzheng", "~sfz"],
    "nl-bsn": ["bsn", "bsn number", "~burgerservicenummer", "~bsn nummer"],
    "fr-nir": ["nir", "numero secu", "numero securite sociale", "~insee number", "~num secu"],
    "email": ["email", "email address", "mail", "contact email", "e mail", "~work email", "~recipient", "~reply to"],
    "phone": [
        "phone", "phone number", "mobile", "tel", "telephone", "mobile phone", "contact phone", "~msisdn", "~cell phone",
        "~home phone", "~fax",
    ],
    "ipv4": ["ip", "client ip", "ip address", "remote addr", "~source ip", "~x forwarded for"],
    "ipv6": ["ip", "client ip", "ipv6", "ip address", "~source ip", "~peer"],
    "mac": ["mac", "mac address", "device mac", "~hw addr", "~bssid"],
    "btc": ["btc address", "wallet", "bitcoin address", "~payout address"],
    "date-of-birth": ["date of birth", "dob", "birth date", "birthday", "birthdate", "~born on", "~birth day"],
    "aws-key": ["access key id", "aws access key id", "~aws key"],
    "jwt": ["token", "id token", "authorization", "~jwt", "~bearer"],
    "pem": ["private key", "key", "tls key", "~signing key pem"],
    "github-token": ["github token", "token", "~gh token"],
    "slack-token": ["slack token", "bot token", "~slack bot token"],
    "stripe-key": ["stripe key", "api key", "~stripe secret"],
    "secret": [
        "password", "secret", "api key", "client secret", "access token", "db password", "~passwd", "~auth token",
        "~secret access key", "~webhook secret",
    ],
}

# Names of fields in other languages, with what no style changes (spaces, other scripts).
FOREIGN = {
    "credit-card": ["numero_tarjeta", "Kartennummer", "numeroCarte", "~numero_cartao", "~カード番号", "~Kreditkartennummer"],
    "phone": ["telefono", "Telefonnummer", "numeroTelephone", "~telefone", "~電話番号", "~телефон", "~Rufnummer"],
    "date-of-birth": [
        "Geburtsdatum", "fechaNacimiento", "date_naissance", "~data_nascimento", "~生年月日", "~geboortedatum", "~Date of Birth",
    ],
    "email": ["correo", "courriel", "EMailAdresse", "~メール", "~почта"],
    "iban": ["Bankverbindung", "cuenta_bancaria", "~rekeningnummer", "~IBAN Nummer"],
    "secret": ["contraseña", "Passwort", "motDePasse", "~senha", "~пароль"],
    "us-ssn": ["~Social Security Number"],
    "cn-resident-id": ["~身份证号"],
    "uk-nhs": ["~NHS Number"],
    "pl-pesel": ["~Numer PESEL"],
}


def allowed(names, held_out):
    """Names of the split, without their mark: tuning never sees marked ones, held-out often."""
    marked = [name[1:] for name in names if name.startswith("~")]
    plain = [name for name in names if not name.startswith("~")]
    if not held_out:
        return plain
    return plain + marked * (2 if len(marked) * 2 <= len(plain) else 1)


def prose(r, entity, language, held_out):
    """A word for the entity in the language, or in English, as it is in much foreign text."""
    words = PROSE[entity]
    return r.choice(allowed(words.get(language, []), held_out) or allowed(words.get("en"), held_out))


STYLES = {
    "camel": lambda w: w[0] + "".join(p.title() for p in w[1:]),
    "snake": "_".join,
    "pascal": lambda w: "".join(p.title() for p in w),
    "kebab": "-".join,
    "upper": lambda w: "_".join(w).upper(),
    "flat": "".join,
    "title": lambda w: " ".join(p.title() for p in w),
}
TUNING_STYLES, HELD_OUT_STYLES = ["camel", "snake", "pascal", "upper"], list(STYLES)


def styled(style, words):
    return STYLES[style](words.split())


def field(r, entity, style, held_out):
    if entity in FOREIGN and r.random() < 0.12:
        names = allowed(FOREIGN[entity], held_out)
        if names:
            return r.choice(names)
    return styled(style, r.choice(allowed(FIELDS[entity], held_out)))
