/// What the gateway writes in RESP itself.
enum RESPText {
    static func simple(_ text: String) -> [UInt8] { Array("+\(text)\r\n".utf8) }

    /// An error: what clients look at is the first word. Line ends in the text become spaces.
    static func error(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "-")]
        bytes.append(contentsOf: text.utf8.map { $0 == 0x0D || $0 == 0x0A ? UInt8(ascii: " ") : $0 })
        bytes.append(contentsOf: [0x0D, 0x0A])
        return bytes
    }

    /// A request as clients send it: an array of bulks.
    static func command(_ arguments: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        appendHeader("*", arguments.count, to: &bytes)
        for argument in arguments { append(bulk: argument, to: &bytes) }
        return bytes
    }

    static func append(bulk: [UInt8], to bytes: inout [UInt8]) {
        appendHeader("$", bulk.count, to: &bytes)
        bytes.append(contentsOf: bulk)
        bytes.append(contentsOf: [0x0D, 0x0A])
    }

    /// `*3`, `$5`, `%2` with their line ends; no allocation.
    static func appendHeader(_ mark: Unicode.Scalar, _ count: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: mark))
        append(decimal: count, to: &bytes)
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    static func append(decimal value: Int, to bytes: inout [UInt8]) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        var rest = value.magnitude
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }
}
