/// A rule that tells an identifier from a run of characters that only looks like one.
///
/// The raw value is the name by which a configuration says it.
public enum Checksum: String, CaseIterable, Sendable {
    case luhn
    case iban
    case usRoutingNumber = "us-aba"
    case usProviderIdentifier = "us-npi"
    case usMedicareIdentifier = "us-mbi"
    case usDrugRegistration = "us-dea"
    case usSocialSecurity = "us-ssn"
    case usTaxpayer = "us-itin"
    case ukHealthService = "uk-nhs"
    case ukNationalInsurance = "uk-nino"
    case canadaSocialInsurance = "ca-sin"
    case indiaAadhaar = "in-aadhaar"
    case indiaAccount = "in-pan"
    case polandPesel = "pl-pesel"
    case spainTax = "es-nif"
    case italyFiscalCode = "it-codice-fiscale"
    case germanyTax = "de-tax-id"
    case singaporeIdentity = "sg-nric"
    case brazilPerson = "br-cpf"
    case brazilCompany = "br-cnpj"
    case chinaResident = "cn-resident-id"
    case netherlandsCitizen = "nl-bsn"
    case franceRegistration = "fr-nir"
    case bitcoinBase58 = "btc-base58"
    case bitcoinBech32 = "btc-bech32"

    /// True where the text is such an identifier, as far as its characters can tell.
    ///
    /// - Parameter text: ASCII digits and capitals with the separators taken out; Bitcoin's two as they were written.
    ///   Any other bytes are answered with false. Nothing is allocated (OpenSSL keeps a context during `btc-base58`).
    public func accepts(_ text: RawSpan) -> Bool {
        switch self {
        case .luhn: Checksum.passesLuhn(text)
        case .iban: Checksum.isIBAN(text)
        case .usRoutingNumber: Checksum.isRoutingNumber(text)
        case .usProviderIdentifier: Checksum.isProviderIdentifier(text)
        case .usMedicareIdentifier: Checksum.isMedicareIdentifier(text)
        case .usDrugRegistration: Checksum.isDrugRegistration(text)
        case .usSocialSecurity: Checksum.isSocialSecurityNumber(text)
        case .usTaxpayer: Checksum.isTaxpayerNumber(text)
        case .ukHealthService: Checksum.isHealthServiceNumber(text)
        case .ukNationalInsurance: Checksum.isNationalInsuranceNumber(text)
        case .canadaSocialInsurance: Checksum.isSocialInsuranceNumber(text)
        case .indiaAadhaar: Checksum.isAadhaar(text)
        case .indiaAccount: Checksum.isPermanentAccountNumber(text)
        case .polandPesel: Checksum.isPESEL(text)
        case .spainTax: Checksum.isNIF(text)
        case .italyFiscalCode: Checksum.isFiscalCode(text)
        case .germanyTax: Checksum.isGermanTaxNumber(text)
        case .singaporeIdentity: Checksum.isNRIC(text)
        case .brazilPerson: Checksum.isCPF(text)
        case .brazilCompany: Checksum.isCNPJ(text)
        case .chinaResident: Checksum.isResidentNumber(text)
        case .netherlandsCitizen: Checksum.isBSN(text)
        case .franceRegistration: Checksum.isNIR(text)
        case .bitcoinBase58: Checksum.isBase58Address(text)
        case .bitcoinBech32: Checksum.isBech32Address(text)
        }
    }
}
