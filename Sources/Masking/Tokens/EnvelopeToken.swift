import TidegateCrypto
import TidegateWire

/// Tokens that hold their value encrypted and authenticated: a prefix, and the envelope as base64url.
final class EnvelopeToken: Sendable {
    private enum Envelope {
        case reversible(SyntheticIV)
        case sealed(SealedEnvelope)
    }

    private let prefix: [UInt8]
    private let envelope: Envelope

    init?(_ key: MaskingKey, domain: String, version: Int, isDeterministic: Bool) {
        let associated = Array(domain.utf8)
        if isDeterministic {
            prefix = TokenText.prefix(TokenText.reversible, version: version)
            let derived = key.derive(.reversible, domain: domain, version: version, count: 64)
            guard let cipher = SyntheticIV(key: derived, associatedData: associated) else { return nil }
            envelope = .reversible(cipher)
        } else {
            prefix = TokenText.prefix(TokenText.sealed, version: version)
            let derived = key.derive(.sealed, domain: domain, version: version, count: 32)
            guard let cipher = SealedEnvelope(key: derived, associatedData: associated) else { return nil }
            envelope = .sealed(cipher)
        }
    }

    /// Replaces the value from `start` to the end by its token.
    ///
    /// - Returns: false, and nothing is changed, where the value is longer than a gibibyte.
    func make(_ bytes: inout [UInt8], from start: Int) -> Bool {
        guard bytes.count &- start <= SealedEnvelope.maximumTextCount else { return false }
        switch envelope {
        case .reversible(let cipher): cipher.seal(&bytes, from: start)
        case .sealed(let cipher): cipher.seal(&bytes, from: start)
        }
        Base64URL.encode(&bytes, from: start, behind: prefix)
        return true
    }

    /// Appends the value of what stands behind a token's prefix.
    ///
    /// - Returns: false, and nothing is appended, where it was not made with this key for this domain.
    func open(_ body: RawSpan, to output: inout [UInt8]) -> Bool {
        let start = output.count
        guard Base64URL.decode(body, to: &output) else { return false }
        return switch envelope {
        case .reversible(let cipher): cipher.open(&output, from: start)
        case .sealed(let cipher): cipher.open(&output, from: start)
        }
    }
}
