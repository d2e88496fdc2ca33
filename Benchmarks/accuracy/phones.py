"""Phone numbers of many countries as people write them, drawn from the numbering plans that python-phonenumbers carries."""
import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

TUNING = ["US", "GB", "DE", "FR", "ES", "IT", "IN", "BR", "CA", "NL", "PL", "AU"]
HELD_OUT = ["MX", "JP", "CN", "SE", "CH", "AT", "BE", "PT", "ZA", "KR", "TR", "SG", "IE", "NO", "DK", "FI", "CZ", "GR", "AR",
            "NZ"]
REGIONS = TUNING + HELD_OUT


def draw(r, region):
    """A valid fixed-line or mobile number of the region: the example's last digits are drawn again until it is one."""
    kind = r.choice([PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE])
    example = phonenumbers.example_number_for_type(region, kind) or phonenumbers.example_number(region)
    national = phonenumbers.national_significant_number(example)
    for _ in range(200):
        kept = len(national) - r.randrange(4, 8)
        text = national[:kept] + "".join(r.choices("0123456789", k=len(national) - kept))
        # By the plan's own notation, so that Italy's leading zeros stay.
        number = phonenumbers.parse(f"+{example.country_code}{text}", None)
        if phonenumbers.is_valid_number_for_region(number, region):
            return number
    return example


def phone(r, region):
    """(text, alone): alone where it names its country."""
    number = draw(r, region)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    form = r.choices(["e164", "international", "dashed", "dotted", "zeros", "bracketed", "national", "national-dots",
                      "national-dashes", "national-bare"],
                     [18, 20, 4, 3, 4, 3, 26, 6, 6, 10])[0]
    if form == "e164":
        return e164, True
    if form == "international":
        return international, True
    if form in ("dashed", "dotted"):
        return international.replace(" ", "-" if form == "dashed" else "."), True
    if form == "zeros":
        # As dialled from there: 00 in most countries, 011 in North America; where it is neither, with the plus.
        dialled = ("011 " if region in ("US", "CA") else "00") + international[1:]
        return (dialled, False) if valid(dialled, region) else (international, True)
    if form == "bracketed" and region in ("GB", "DE", "FR", "AT", "CH", "SE", "ZA", "AU", "NL"):
        code, rest = international.split(" ", 1)
        return f"{code} (0){rest}" if r.random() < 0.5 else f"{code} (0) {rest}", True
    if form == "national-dots":
        return national.replace("(", "").replace(")", "").replace(" ", ".").replace("-", "."), False
    if form == "national-dashes":
        return national.replace("(", "").replace(")", "").replace(" ", "-"), False
    if form == "national-bare":
        return "".join(c for c in national if c.isdigit()), False
    return national, False


def valid(text, region):
    """Whether libphonenumber reads the text as a number of that country."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False
