import TidegateWire

/// The beginning of a marked token: `tg`, the form's letter, the key's version, `_`.
enum TokenText {
    static let opaque = UInt8(ascii: "h")
    static let reversible = UInt8(ascii: "s")
    static let sealed = UInt8(ascii: "e")

    static func prefix(_ mark: UInt8, version: Int) -> [UInt8] {
        [UInt8(ascii: "t"), UInt8(ascii: "g"), mark] + Array("\(version)_".utf8)
    }

    /// The version that a token names, and where what follows begins; nil where the text does not begin as a token.
    @inline(__always)
    static func parse(_ text: RawSpan, mark: UInt8) -> (version: Int, body: Int)? {
        guard text.byte(at: 0) == UInt8(ascii: "t"), text.byte(at: 1) == UInt8(ascii: "g"), text.byte(at: 2) == mark
        else {
            return nil
        }
        var version = 0
        var at = 3
        while let byte = text.byte(at: at), at < 10 {
            if byte == UInt8(ascii: "_") { return version > 0 ? (version, at &+ 1) : nil }
            // A number is written in one way only.
            guard byte >= 48, byte <= 57, version > 0 || byte != 48 else { return nil }
            version = version &* 10 &+ Int(byte &- 48)
            at &+= 1
        }
        return nil
    }
}
