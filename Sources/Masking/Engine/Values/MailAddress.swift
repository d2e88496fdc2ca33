import TidegateWire

/// One part of an e-mail address (RFC 5321, `local@domain`).
enum MailAddress {
    private static let stars = Array("****".utf8)

    /// Appends the address with one part left, and stars for the rest; stars alone for what is no address.
    static func append(_ text: RawSpan, keeping part: MaskingAction.EmailPart, to output: inout [UInt8]) {
        guard let at = separator(text) else {
            output.append(contentsOf: stars)
            return
        }
        switch part {
        case .domain:
            output.append(contentsOf: stars)
            output.append(bytes: text.extracting(at..<text.byteCount))
        case .local:
            output.append(bytes: text.extracting(0...at))
            output.append(contentsOf: stars)
        case .initial:
            // An address of one letter would be shown whole.
            let end = Characters.end(of: 1, in: text, isJSON: false)
            if end < at { output.append(bytes: text.extracting(0..<end)) }
            output.append(contentsOf: stars)
            output.append(bytes: text.extracting(at..<text.byteCount))
        }
    }

    /// The offset of the only `@`, with something on both sides and no white space anywhere.
    private static func separator(_ text: RawSpan) -> Int? {
        var found: Int?
        var at = 0
        while let byte = text.byte(at: at) {
            if byte <= 0x20 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") { return nil }
            if byte == UInt8(ascii: "@") {
                if found != nil { return nil }
                found = at
            }
            at += 1
        }
        guard let found, found > 0, found < text.byteCount - 1 else { return nil }
        return found
    }
}
