"""Texts: templates of our own, tuning and held-out apart, filled by a World.

`<v1>` is a value of an entity by quota, `<w1>` a word that names it and `<f1>` a field name for it; without either the value is
of a kind and form that is recognisable alone. `<n1>` is a hard negative, `<k1>` and `<g1>` its word and field name. `<email>`
is a value of that entity (the template's words name it), `<email:alone>` of a form recognisable alone, `<!price>` a hard
negative of that kind; anything else a filler.
"""
import re

from . import words
from .negatives import NEGATIVES
from .sample import Sample, Text
from .world import ENTITIES, word_of

TUNING = [
    ("en", "Hi <name>, we could not verify the <w1> <v1> on your profile. Please reply before <!date>."),
    ("en", "<name> called about <k1> <n1> and gave the <w1> as <v1>."),
    ("en", "<w1>: <v1>, <w2>: <v2>"),
    ("en", "Customer wrote: my <w1> is <v1>, please update it."),
    ("en", "Ticket <!order-number>: <sentence> <w1> <v1> was rejected, see <k1> <n1>."),
    ("en", "<!timestamp> <level> [<service>] <f1>=<v1> <g1>=<n1> status=ok"),
    ("en", "<f1>=<v1>"),
    ("en", "<f1>=<v1>; <f2>=<v2>; <g1>=<n1>"),
    ("en", "<g1>=<n1> <g2>=<n2> <g3>=<n3>"),
    ("en", "<!timestamp> <level> <service>: <k1> <n1>, <k2> <n2>, took <n>ms"),
    ("en", "<v1>"),
    ("en", "<sentence> <v1> <sentence>"),
    ("en", "<!uuid>,<name>,<email:alone>,<city>,<credit-card:alone>,<!price>"),
    ("en", "<n>,<last>,<first>,<!date>,<ipv4:alone>,<!version>"),
    ("en", "<ipv4> - <user> [<!timestamp>] \"GET <path> HTTP/1.1\" 200 <!count>"),
    ("en", "From: <name> <email> Subject: <sentence>"),
    ("en", "Please charge <!price> to my <w1> <v1> and send the receipt to <email>."),
    ("en", "Order <!order-number> shipped to <street>, <city>. Tracking <!tracking>. Questions? Call <phone>."),
    ("en", "deploy <!git-sha> of <service> at <!epoch-ms>: <!version> -> <!version>"),
    ("en", "<user>: hey, <w1>? <first>: sure, it's <v1>"),
    ("en", "Patient <name>, DOB <date-of-birth>, <w1> <v1>, seen on <!date>."),
    ("en", "Employee <name> (<w1> <v1>) joined <company> on <!date>."),
    ("en", "curl -H 'X-Request-Id: <!uuid>' https://api.example.com/v1/items?t=<!epoch-ms> failed for <ipv4>"),
    ("en", "span <!hex-trace> parent <!hex-trace> duration <!count>us svc=<service>"),
    ("en", "Book <!isbn> (<!price>), EAN <!ean>, is back in stock in <city>."),
    ("en", "export <f1>=<v1>"),
    ("en", "<name>|<w1>|<v1>|<company>"),
    ("en", "Wire <!price> to <company>, <w1> <v1>, reference <!invoice>."),
    ("de", "Guten Tag <name>, <w1> <v1> konnte nicht geprüft werden. Rechnung <!invoice>."),
    ("de", "Kunde <name>, <street>, <city>. <w1>: <v1>"),
    ("de", "Bitte rufen Sie zurück: <phone>. Bestellung <!order-number> vom <!date> über <!price>."),
    ("de", "Mein Name ist <name>, <w1> <v1>, und ich habe <product> am <!date> bestellt."),
    ("fr", "Bonjour, mon <w1> est <v1>. Cordialement, <name>"),
    ("fr", "<name>, <street>, <city> — <w1> : <v1>, facture <!invoice>, total <!price>"),
    ("es", "Hola, soy <name>. <w1>: <v1>. Pedido <!order-number>, <!price>."),
    ("es", "El cliente <name> de <city> indica <w1> <v1> (factura <!invoice>)."),
    ("it", "Buongiorno, <w1> <v1>. Ordine <!order-number> del <!date>. Saluti, <name>"),
    ("it", "<name>, <street>, <city>, <w1>: <v1>"),
    ("en", "<sentence> (<k1> <n1>)"),
    ("en", "<k1>: <n1>"),
    ("en", "retry <n> of job <!luhn-no-issuer>: offset <!count> at <!epoch-us>"),
    ("en", "voucher <!luhn-wrong> is not valid, see <!code>"),
]

HELD_OUT = [
    ("en", "Dear <name>, thank you for your patience. Our records show <w1> <v1>; is that still right? Kind regards, <company>"),
    ("en", "re: <product> return -- label <!tracking>, <w1> <v1>, refund <!price> within <n> days"),
    ("en", "Note to file: <first> confirmed <w1> (<v1>) by telephone, <k1> <n1>."),
    ("en", "[<!timestamp>] <service>.<level> user=<user> <f1>=\"<v1>\" <g1>=\"<n1>\""),
    ("en", "<level> <service> - validation failed: <f1>: '<v1>' does not match record <!uuid>"),
    ("en", "{<f1>: <v1>, <g1>: <n1>, attempt: <n>}"),
    ("en", "<f1>: <v1>"),
    ("en", "<w1> = <v1>"),
    ("en", "<w1> <v1> / <w2> <v2>"),
    ("en", "Applicant: <name>. <w1>: <v1>. <w2>: <v2>. Occupation: <job>."),
    ("en", "agent> may I have your <w1> please? customer> yes it is <v1> agent> thank you"),
    ("en", "lol ok so my <w1> is <v1> dont share it"),
    ("en", "<v1> is the <w1> that <name> gave us on <!date>."),
    ("en", "Can you check <v1>? <sentence>"),
    ("en", "\"<v1>\""),
    ("en", "<v1>; <v2>; <v3>"),
    ("en", "<!uuid>\t<v1>\t<!timestamp>\t<!price>"),
    ("en", "\"<last>\";\"<first>\";\"<email:alone>\";\"<iban:alone>\";\"<!invoice>\";\"<!price>\""),
    ("en", "<!epoch-s> <v1> <!count> <!uuid> OK"),
    ("en", "http_request{client=\"<ipv4>\",path=\"<path>\",id=\"<!uuid>\"} <!count> <!epoch-ms>"),
    ("en", "sshd[<n>]: Accepted publickey for <user> from <ipv4> port 5<n>22 ssh2: RSA SHA256:<!base64>"),
    ("en", "dhcpd: DHCPACK on <ipv4> to <mac> (<user>-laptop) via eth0"),
    ("en", "nginx: <ipv6> \"POST <path>\" 502 upstream=<ipv4>:8443 rt=0.<n>"),
    ("en", "To: <email>, Cc: <email>; Re: <sentence>"),
    ("en", "Reach me on <phone> or <email> after <n>:00."),
    ("en", "Ring <first> back on <phone> re order <!order-number>."),
    ("en", "fax <phone>, tel <phone>, <company>, <street>, <zip> <city>"),
    ("en", "sms to <phone:alone>: your code is <n>42<n>, valid until <!timestamp>"),
    ("en", "Prescriber <name>, DEA <us-dea>, NPI <us-npi>, Rx <!order-number>, patient born <date-of-birth>."),
    ("en", "Claim <!invoice>: member <name>, Medicare <us-mbi>, provider NPI <us-npi>, billed <!price> on <!date>."),
    ("en", "Direct deposit: routing <us-aba>, acct of <name>, first payment <!date>."),
    ("en", "W-7 applicant <name>, ITIN <us-itin>, filed <!date>; W-2 employee SSN <us-ssn>."),
    ("en", "Hotel guest <name>, card <credit-card>, room <n>, folio <!invoice>, total <!price>."),
    ("en", "auth declined pan=<credit-card> rrn=<!count> stan=<n> ts=<!epoch-ms> terminal=<!serial>"),
    ("en", "Payment by card <!masked-card> was refunded, <!price>, see <!uuid>."),
    ("en", "payout to <btc> confirmed in block <!count>, txid <!hash>"),
    ("en", "GP referral: <name>, NHS number <uk-nhs>, born <date-of-birth>, <street>, <city>"),
    ("en", "Payroll import <!date>: NI number <uk-nino>, <name>, net <!price>"),
    ("en", "KYC <country>: Aadhaar <in-aadhaar>, PAN <in-pan>, <name>, <city>"),
    ("en", "kubectl create secret generic <service> --from-literal=<f1>='<v1>'"),
    ("en", "git clone failed: remote rejected token <github-token> for commit <!git-sha>"),
    ("en", "- name: <service> env: <f1>: \"<v1>\" image: <!at-sign>"),
    ("en", "authorization: Bearer <jwt> x-request-id: <!uuid> traceparent: <!hex-trace>"),
    ("en", "PRIVATE_KEY=\"<pem>\" # rotate before <!date>"),
    ("en", "panic at <!code> (<!version>) addr 0x<!git-sha> goroutine <n>"),
    ("en", "checksum <!hash> matches, build <!version>, <!timestamp>"),
    ("en", "sensor <!serial> at <!coordinates> reported <n>.<n> at <!epoch-ns>"),
    ("en", "SIM <!iccid> in handset <!imei> activated <!timestamp>"),
    ("en", "snmpget <!oid> timed out after <n>s; cert <!fingerprint>"),
    ("en", "<k1> <n1>; <k2> <n2>; <k3> <n3>"),
    ("en", "see <k1> <n1> for details, <sentence>"),
    ("en", "<g1>: <n1>, <g2>: <n2>, <g3>: <n3>, <g4>: <n4>"),
    ("en", "login with <f1>=<!placeholder> failed, <g1> <n1>"),
    ("en", "part <!never-ssn> replaces <!serial>, <!price>, min. order <n>"),
    ("en", "<!order-number>,<!date>,<!ean>,<n>,<!price>,<!tracking>"),
    ("de", "Sehr geehrte Damen und Herren, anbei meine Daten: <name>, <w1> <v1>, <w2> <v2>. Mit freundlichen Grüßen"),
    ("de", "Vertrag <!invoice> vom <!date>: <name>, wohnhaft <street>, <zip> <city>, <w1>: <v1>."),
    ("de", "Notiz: Rückruf erbeten unter <phone>, Kundin <name>, Sendung <!tracking>."),
    ("fr", "Objet : dossier <!invoice>. Madame <last>, votre <w1> (<v1>) a bien été enregistré le <!date>."),
    ("fr", "Le client <name> est joignable au <phone> ou par courriel <email>."),
    ("es", "Estimado <name>: su <w1> <v1> figura en nuestro sistema desde el <!date>."),
    ("es", "Llámame al <phone>, o escribe a <email>. Albarán <!order-number>."),
    ("it", "Gentile <name>, confermiamo <w1> <v1> per la fattura <!invoice> di <!price>."),
    ("pt", "Prezado <name>, o seu <w1> <v1> foi confirmado. Pedido <!order-number>, total <!price>."),
    ("pt", "Nota fiscal <!invoice>: <company>, CNPJ <br-cnpj>, comprador CPF <br-cpf>, <city>."),
    ("pt", "Olá! <w1>: <v1>. Obrigado, <name>"),
    ("nl", "Geachte <name>, uw <w1> <v1> is gewijzigd op <!date>."),
    ("nl", "Werknemer <name>, BSN <nl-bsn>, <street>, <city>, factuur <!invoice>."),
    ("pl", "Dzień dobry, nazywam się <name>, <w1>: <v1>, zamówienie <!order-number>."),
    ("pl", "Pacjent <name>, PESEL <pl-pesel>, wizyta <!timestamp>, <city>"),
    ("sv", "Hej <name>, <w1> <v1> är nu registrerat. Order <!order-number>."),
    ("tr", "Sayın <name>, <w1> <v1> güncellendi. Sipariş <!order-number>, <!price>."),
    ("ja", "<name>様、<w1>：<v1> を確認しました。注文番号 <!order-number>"),
    ("zh", "客户 <name>，身份证号 <cn-resident-id>，订单 <!order-number>，金额 <!price>"),
    ("ru", "Уважаемый <name>, <w1> <v1> подтверждён. Заказ <!order-number> от <!date>."),
    ("el", "Αγαπητέ <name>, <w1> <v1>, παραγγελία <!order-number>."),
    ("cs", "Dobrý den, <name>, <w1> <v1>, objednávka <!order-number>, částka <!price>."),
    ("ko", "<name> 고객님, <w1> <v1>, 주문 <!order-number>"),
]

SLOT = re.compile(r"<([!a-z0-9:-]+)>")


def fill(world, template):
    """A Text of the template; the World has begun."""
    held_out, r, text, at = world.held_out, world.r, Text(), 0
    style = r.choice(words.HELD_OUT_STYLES[:4] if held_out else ["snake", "camel", "upper"])
    slots = SLOT.findall(template)
    named = {slot[1:] for slot in slots if re.fullmatch(r"[wf]\d", slot)}
    chosen, kinds = {}, {}
    for match in SLOT.finditer(template):
        text.plain(template[at:match.start()])
        at = match.end()
        slot = match.group(1)
        if re.fullmatch(r"[wvf]\d", slot):
            number = slot[1]
            if number not in chosen:
                chosen[number] = world.entity(alone=number not in named)
            entity = chosen[number]
            if slot[0] == "w":
                text.plain(word_of(world, entity))
            elif slot[0] == "f":
                text.plain(words.field(r, entity, style, held_out))
            else:
                value, by_itself, region = world.value(entity, alone=number not in named)
                text.label(entity, value, number not in named and by_itself, region)
        elif re.fullmatch(r"[nkg]\d", slot):
            kind = kinds.setdefault(slot[1], world.negative())
            make, names, fields = NEGATIVES[kind]
            if slot[0] == "n":
                text.decoy(kind, make(r))
            else:
                text.plain(r.choice(names if slot[0] == "k" else fields))
        elif slot.startswith("!"):
            text.decoy(slot[1:], NEGATIVES[slot[1:]][0](r))
        elif slot.split(":")[0] in ENTITIES:
            entity, *alone = slot.split(":")
            value, _, region = world.value(entity, alone=bool(alone))
            text.label(entity, value, bool(alone), region)
        else:
            text.plain(world.filler(slot))
    return text.plain(template[at:])


def texts(world, count):
    """`count` samples, the templates in turn."""
    templates = HELD_OUT if world.held_out else TUNING
    for number in range(count):
        index = number % len(templates)
        language, template = templates[index]
        world.begin(f"text/{template}/{number // len(templates)}", language)
        made = fill(world, template)
        yield Sample("text", f"{language}-{index}", made.text(), {"": made.text()}, made.labels, made.decoys)
