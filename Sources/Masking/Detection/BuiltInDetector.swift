/// The detectors that come with the gateway; the raw value is the name by which a configuration says one.
public enum BuiltInDetector: String, CaseIterable, Sendable {
    case creditCard = "credit-card"
    case usSocialSecurity = "us-ssn"
    case usTaxpayer = "us-itin"
    case iban
    case usRoutingNumber = "us-aba"
    case usProviderIdentifier = "us-npi"
    case usMedicareIdentifier = "us-mbi"
    case usDrugRegistration = "us-dea"
    case ukHealthService = "uk-nhs"
    case ukNationalInsurance = "uk-nino"
    case canadaSocialInsurance = "ca-sin"
    case indiaAadhaar = "in-aadhaar"
    case indiaAccount = "in-pan"
    case polandPesel = "pl-pesel"
    /// A person's NIF, a foreigner's NIE, an organisation's NIF.
    case spainTax = "es-nif"
    case italyFiscalCode = "it-codice-fiscale"
    case germanyTax = "de-tax-id"
    case singaporeIdentity = "sg-nric"
    case brazilPerson = "br-cpf"
    case brazilCompany = "br-cnpj"
    case chinaResident = "cn-resident-id"
    case netherlandsCitizen = "nl-bsn"
    case franceRegistration = "fr-nir"
    case email
    case phone
    case ipv4
    case ipv6
    case mac
    case bitcoin = "btc"
    case dateOfBirth = "date-of-birth"
    case awsKey = "aws-key"
    case jwt
    /// A private key between its `BEGIN` and `END` lines (RFC 7468).
    case pem
    case githubToken = "github-token"
    case slackToken = "slack-token"
    case stripeKey = "stripe-key"
    /// What looks random and stands where a secret is announced.
    case secret
}

/// Built-in detectors as a set of bits.
struct DetectorBits: OptionSet, Sendable {
    var rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }
    init(_ detectors: [BuiltInDetector]) {
        self.init(rawValue: detectors.reduce(0) { $0 | 1 << UInt64($1.ordinal) })
    }

    @inline(__always)
    func has(_ detector: BuiltInDetector) -> Bool { rawValue >> UInt64(detector.ordinal) & 1 != 0 }
}

extension BuiltInDetector {
    /// Its place in the list above.
    @inline(__always)
    var ordinal: Int { Int(unsafe unsafeBitCast(self, to: UInt8.self)) }
}
