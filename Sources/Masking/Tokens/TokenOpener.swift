import TidegateWire

/// Opens tokens where only keys and domains are known (`TokenForm.opensByItself`): for `tidegate unmask`.
public final class TokenOpener: Sendable {
    /// What opened a token; evidence of an opening names it.
    public struct Opened: Sendable, Equatable {
        public var key: String
        public var domain: String
        public var version: Int

        public init(key: String, domain: String, version: Int) {
            self.key = key
            self.domain = domain
            self.version = version
        }
    }

    private let reversible: [Tokenizer]
    private let sealed: [Tokenizer]

    /// - Throws: what `Tokenizer` says of a domain.
    public init(keys: [MaskingKey], domains: [String]) throws(TokenSettingsError) {
        var reversible: [Tokenizer] = []
        var sealed: [Tokenizer] = []
        for key in keys {
            for domain in domains {
                reversible.append(try Tokenizer(key: key, domain: domain, form: .reversible))
                sealed.append(try Tokenizer(key: key, domain: domain, form: .sealed))
            }
        }
        self.reversible = reversible
        self.sealed = sealed
    }

    /// True where a text begins as a token of one of the marked forms does; whether it is one shows only `open`.
    public static func looksLikeToken(_ text: RawSpan) -> Bool {
        [TokenText.opaque, TokenText.reversible, TokenText.sealed].contains { TokenText.parse(text, mark: $0) != nil }
    }

    /// Appends the value of a reversible or sealed token, of whichever key and domain made it.
    ///
    /// - Returns: what opened it, or why nothing did; nothing is appended then.
    public func open(_ token: RawSpan, to output: inout [UInt8]) -> Result<Opened, TokenRefusal> {
        let candidates: [Tokenizer]
        if TokenText.parse(token, mark: TokenText.reversible) != nil {
            candidates = reversible
        } else if TokenText.parse(token, mark: TokenText.sealed) != nil {
            candidates = sealed
        } else {
            let isOpaque = TokenText.parse(token, mark: TokenText.opaque) != nil
            return .failure(isOpaque ? .oneWay : .notAToken)
        }
        // A version that one key lacks another may have.
        var refusal = TokenRefusal.unknownVersion
        for candidate in candidates {
            switch candidate.open(token, to: &output) {
            case .opened(let version):
                return .success(Opened(key: candidate.keyName, domain: candidate.domain, version: version))
            case .refused(.notAuthentic): refusal = .notAuthentic
            case .refused: break
            }
        }
        return .failure(refusal)
    }
}
