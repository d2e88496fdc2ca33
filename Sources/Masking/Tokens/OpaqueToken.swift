import TidegateCrypto
import TidegateWire

/// Tokens that cannot be opened: a keyed hash, and a check by which they are known.
///
/// The check is a MAC of the hash under a second key. Without it anybody could write a clear value in the shape of a token
/// and have it passed on as masked; with it a forgery succeeds once in 2^61 tries.
final class OpaqueToken: Sendable {
    private let prefix: [UInt8]
    private let hash: MessageAuthenticator
    private let check: BlockCipher
    private let letters = OpaqueToken.letters
    private let symbols = OpaqueToken.symbols
    /// Letters and digits of a token behind its prefix: 21 pairs of nine bits each.
    static let pairs = 21

    init?(_ key: MaskingKey, domain: String, version: Int) {
        prefix = TokenText.prefix(TokenText.opaque, version: version)
        hash = MessageAuthenticator(key: key.derive(.opaque, domain: domain, version: version, count: 32))
        guard let check = BlockCipher(key: key.derive(.opaqueCheck, domain: domain, version: version, count: 32)) else {
            return nil
        }
        self.check = check
    }

    /// Replaces the value from `start` to the end by its token.
    func make(_ bytes: inout [UInt8], from start: Int) {
        let code = unsafe hash.authenticate(bytes.span.bytes.extracting(start..<bytes.count))
        var tag: UInt128 = 0
        for index in 0..<16 { tag = tag &<< 8 | UInt128(code[index]) }
        var rest = OpaqueToken.upper(check.encrypt(tag))
        bytes.removeSubrange(start...)
        bytes.append(contentsOf: prefix)
        for _ in 0..<OpaqueToken.pairs {
            let bits = Int(truncatingIfNeeded: tag &>> 119)
            bytes.append(letters[bits &>> 5])
            bytes.append(symbols[bits & 31])
            tag = tag &<< 9 | UInt128(rest &>> 55)
            rest &<<= 9
        }
    }

    /// True where the text behind a token's prefix was made with these keys.
    func knows(_ body: RawSpan) -> Bool {
        guard body.byteCount == 2 * OpaqueToken.pairs else { return false }
        var tag: UInt128 = 0
        var rest: UInt64 = 0
        for pair in 0..<OpaqueToken.pairs {
            guard let first = body.byte(at: 2 &* pair), let second = body.byte(at: 2 &* pair &+ 1) else { return false }
            let (letter, symbol) = (OpaqueToken.letterValues[Int(first)], OpaqueToken.symbolValues[Int(second)])
            guard letter < 16, symbol < 32 else { return false }
            tag = tag &<< 9 | UInt128(rest &>> 55)
            rest = rest &<< 9 | UInt64(letter) &<< 5 | UInt64(symbol)
        }
        // 189 bits have come in at the lower end, of 192.
        tag = tag &<< 3 | UInt128(rest &>> 61)
        rest &<<= 3
        return OpaqueToken.upper(check.encrypt(tag)) ^ rest == 0
    }

    /// The 61 bits of a check that a token has room for.
    private static func upper(_ code: UInt128) -> UInt64 { UInt64(truncatingIfNeeded: code &>> 64) & ~7 }

    /// Sixteen letters stand at every other place, so that no two digits are neighbours.
    private static let letters = Array("bcdfghjkmnpqrstv".utf8)
    /// As base32 (RFC 4648) in lower case.
    private static let symbols = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
    private static let letterValues = values(letters)
    private static let symbolValues = values(symbols)

    private static func values(_ alphabet: [UInt8]) -> [UInt8] {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, symbol) in alphabet.enumerated() { values[Int(symbol)] = UInt8(value) }
        return values
    }
}
