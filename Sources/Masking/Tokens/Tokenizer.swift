import TidegateWire

/// Makes values into tokens of one form for one domain, and knows and opens them again. The same key, domain, form and
/// normalisation give the same token wherever a value comes from: topics, streams and tables can be joined by it.
///
/// Any thread may use it. Nothing is allocated a value beyond what the output grows by, except to normalise what is not
/// ASCII.
public final class Tokenizer: Sendable {
    public static let domainBytes = 1...255

    public let keyName: String
    public let domain: String
    public let form: TokenForm
    public let normalisation: Normalisation

    private enum Machine {
        case opaque(OpaqueToken)
        case envelope(EnvelopeToken)
        case preserving(PreservingToken)
    }

    private struct Version {
        var number: Int
        var machine: Machine
    }

    private let newest: Machine
    /// The newest first.
    private let versions: [Version]
    /// The letter behind `tg`; zero where tokens have no mark.
    private let mark: UInt8

    /// Derives the keys of all versions.
    ///
    /// - Throws: a domain that is empty or too long; what `PreservingSettings.refusal` says.
    public init(
        key: MaskingKey, domain: String, form: TokenForm, normalisation: Normalisation = .none
    ) throws(TokenSettingsError) {
        try Tokenizer.check(domain: domain)
        if case .preserving(let settings) = form, let refusal = settings.refusal { throw refusal }
        self.keyName = key.name
        self.domain = domain
        self.form = form
        self.normalisation = normalisation
        mark =
            switch form {
            case .opaque: TokenText.opaque
            case .reversible: TokenText.reversible
            case .sealed: TokenText.sealed
            case .preserving: 0
            }
        versions = key.versions.map { number in
            let machine: Machine? =
                switch form {
                case .opaque: OpaqueToken(key, domain: domain, version: number).map { .opaque($0) }
                case .reversible, .sealed:
                    EnvelopeToken(key, domain: domain, version: number, isDeterministic: form == .reversible)
                        .map { .envelope($0) }
                case .preserving(let settings):
                    PreservingToken(key, domain: domain, version: number, settings).map { .preserving($0) }
                }
            // invariant: a derived key has the length that is asked for, and an alphabet a radix of FF1's
            guard let machine else { preconditionFailure("a derived key does not fit its cipher") }
            return Version(number: number, machine: machine)
        }
        // invariant: a masking key has a version
        guard let newest = versions.first else { preconditionFailure("a masking key without a version") }
        self.newest = newest.machine
    }

    static func check(domain: String) throws(TokenSettingsError) {
        guard domainBytes.contains(domain.utf8.count) else {
            throw TokenSettingsError(
                "a domain of tokens has \(domain.utf8.count) bytes",
                suggestion: "a short name for what is the same everywhere, such as customer-email")
        }
    }

    /// Equal values have equal tokens.
    public var isDeterministic: Bool { form != .sealed }

    /// Different values have different tokens: always, or with the certainty of a hash of 128 bits. False with a
    /// normalisation, which makes different spellings one value.
    public var isInjective: Bool { isDeterministic && normalisation == .none }

    /// `open` can give values back.
    public var isReversible: Bool { form != .opaque }

    /// `isToken` can tell tokens from values.
    public var isMarked: Bool { mark != 0 }

    /// Appends the token of a value, or the value itself where it is a token of this tokenizer already: masking twice is
    /// masking once.
    ///
    /// - Parameter value: the value's text, without a format's escapes.
    /// - Returns: false, and nothing is appended, where the value has no such token: of the preserving form many
    ///   (too short, other characters, a card number that Luhn's check finds wrong), of others none under a gibibyte.
    public func append(_ value: RawSpan, to output: inout [UInt8]) -> Bool {
        let start = output.count
        if mark != 0, isToken(value, scratch: &output) {
            output.append(bytes: value)
            return true
        }
        normalisation.append(value, to: &output)
        let isMade: Bool
        switch newest {
        case .opaque(let token):
            token.make(&output, from: start)
            isMade = true
        case .envelope(let token): isMade = token.make(&output, from: start)
        case .preserving(let token): isMade = token.make(&output, from: start, isNumber: false)
        }
        if !isMade { output.removeSubrange(start...) }
        return isMade
    }

    /// Appends the token of a whole number as a number of as many digits, without a leading zero.
    ///
    /// A number's token is in its number's range: what fitted 32 or 64 bits, or a double without loss (2^53), still does.
    /// It is the token of the same digits as text: a number in a document joins with the text of a table.
    ///
    /// - Parameter number: digits only, the first of them not zero.
    /// - Returns: false, and nothing is appended, where it is no such number, or the form is not preserving.
    public func append(number: RawSpan, to output: inout [UInt8]) -> Bool {
        guard case .preserving(let token) = newest else { return false }
        let start = output.count
        output.append(bytes: number)
        if token.make(&output, from: start, isNumber: true) { return true }
        output.removeSubrange(start...)
        return false
    }

    /// True where the text is a token of this form, domain and key, in any version: it was made by one that has the key.
    /// Opaque tokens carry a check, the other two are authenticated as a whole. Who writes a clear value with a token's
    /// prefix does not get it passed on as masked.
    ///
    /// Always false for the preserving form, whose tokens have no mark (`isMarked`).
    public func isToken(_ text: RawSpan) -> Bool {
        guard mark != 0, TokenText.parse(text, mark: mark) != nil else { return false }
        var scratch: [UInt8] = []
        return isToken(text, scratch: &scratch)
    }

    @inline(__always)
    private func isToken(_ text: RawSpan, scratch: inout [UInt8]) -> Bool {
        guard let (version, body) = TokenText.parse(text, mark: mark), let machine = machine(version) else {
            return false
        }
        let rest = text.extracting(body..<text.byteCount)
        switch machine {
        case .opaque(let token): return token.knows(rest)
        case .preserving: return false
        case .envelope(let token):
            let start = scratch.count
            guard token.open(rest, to: &scratch) else { return false }
            scratch.removeSubrange(start...)
            return true
        }
    }

    private func machine(_ version: Int) -> Machine? {
        for candidate in versions where candidate.number == version { return candidate.machine }
        return nil
    }

    /// Appends the value of a token.
    ///
    /// - Parameter version: of the key, where the token does not tell: a preserving token is opened with the newest
    ///   version without it. FF1 does not authenticate: with another version, or for a text that is no token, it gives
    ///   some other value, and only Luhn's rule may notice.
    public func open(_ token: RawSpan, version: Int? = nil, to output: inout [UInt8]) -> TokenOpening {
        if mark == 0 { return openPreserving(token, version, to: &output) }
        guard let (named, body) = TokenText.parse(token, mark: mark), version == nil || version == named else {
            return .refused(.notAToken)
        }
        guard let machine = machine(named) else { return .refused(.unknownVersion) }
        guard case .envelope(let envelope) = machine else { return .refused(.oneWay) }
        let isOpen = envelope.open(token.extracting(body..<token.byteCount), to: &output)
        return isOpen ? .opened(version: named) : .refused(.notAuthentic)
    }

    private func openPreserving(_ token: RawSpan, _ version: Int?, to output: inout [UInt8]) -> TokenOpening {
        let number = version ?? versions[0].number
        guard let machine = machine(number) else { return .refused(.unknownVersion) }
        guard case .preserving(let preserving) = machine else { return .refused(.notAToken) }
        let start = output.count
        output.append(bytes: token)
        if preserving.open(&output, from: start) { return .opened(version: number) }
        output.removeSubrange(start...)
        return .refused(.notAToken)
    }
}
