/// The hash chain: every line ends in `,"digest":"<64 hex>"}`, the SHA-256 of the digest before it followed by the line
/// without that member.
///
/// Digests run over segment borders; the first of all follows 32 zero bytes.
struct EvidenceChain: Equatable, Sendable {
    static let start = EvidenceChain(last: [UInt8](repeating: 0, count: 32))
    private static let opening = Array(",\"digest\":\"".utf8)
    /// Bytes of the member with the closing brace.
    private static let suffix = opening.count + 64 + 2
    private static let digits = Array("0123456789abcdef".utf8)

    /// 32 bytes.
    private(set) var last: [UInt8]

    /// - Returns: nil where the text is not 64 lower-case hexadecimal digits.
    init?(hexadecimal text: some Sequence<UInt8>) {
        last = []
        last.reserveCapacity(32)
        var high: UInt8?
        for digit in text {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high {
                last.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
            if last.count > 32 { return nil }
        }
        if last.count != 32 || high != nil { return nil }
    }

    private init(last: [UInt8]) { self.last = last }

    var hexadecimal: String {
        var text: [UInt8] = []
        EvidenceChain.append(hexadecimal: last, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private static func append(hexadecimal bytes: [UInt8], to text: inout [UInt8]) {
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
    }

    /// Appends a line with its digest and newline.
    ///
    /// - Parameter line: a flat object with its braces, without a newline.
    /// - Returns: false, and nothing is appended, where it is none.
    mutating func append(_ line: ArraySlice<UInt8>, to bytes: inout [UInt8]) -> Bool {
        guard line.count > 2, line.first == UInt8(ascii: "{"), line.last == UInt8(ascii: "}") else { return false }
        last = ChainHash.digest(last, line)
        bytes.append(contentsOf: line.dropLast())
        bytes.append(contentsOf: EvidenceChain.opening)
        EvidenceChain.append(hexadecimal: last, to: &bytes)
        bytes.append(contentsOf: [UInt8(ascii: "\""), UInt8(ascii: "}"), 10])
        return true
    }

    /// Follows a stored line (without its newline).
    ///
    /// - Returns: false where its digest is not there or not right.
    mutating func follow(_ line: ArraySlice<UInt8>) -> Bool {
        guard line.count > EvidenceChain.suffix, line.first == UInt8(ascii: "{") else { return false }
        let member = line.suffix(EvidenceChain.suffix)
        guard member.starts(with: EvidenceChain.opening), member.suffix(2).elementsEqual([34, 125]),
            let claimed = EvidenceChain(hexadecimal: member.dropFirst(EvidenceChain.opening.count).dropLast(2))
        else { return false }
        var body = Array(line.dropLast(EvidenceChain.suffix))
        body.append(UInt8(ascii: "}"))
        let digest = ChainHash.digest(last, body[...])
        guard digest == claimed.last else { return false }
        last = digest
        return true
    }
}
