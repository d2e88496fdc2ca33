import TidegateWire

/// A Postgres array of any number of dimensions, taken apart into its elements, so that some can be written anew
/// (`src/backend/utils/adt/arrayfuncs.c`: `array_in`, `array_recv`).
struct PostgresArray {
    struct Element {
        /// With its quotes, or its length.
        var whole: Range<Int>
        /// Nil is null.
        var content: Range<Int>?
        var isQuoted = false
    }
    private(set) var elements: [Element] = []
    /// By the type's number; 0 where the form does not say.
    private(set) var elementType: UInt32 = 0
    let isBinary: Bool

    /// As Postgres: `MAXDIM`.
    private static let dimensionLimit = 6

    /// Nil where the bytes are not exactly one array in that form.
    init?(_ content: RawSpan, isBinary: Bool) {
        self.isBinary = isBinary
        guard isBinary ? readBinary(content) : readText(content) else { return nil }
    }

    /// Dimensions, a flag for nulls, the type; length and lower bound of each dimension; elements behind their lengths.
    private mutating func readBinary(_ content: RawSpan) -> Bool {
        guard let dimensions = content.bigEndian(Int32.self, at: 0), let type = content.bigEndian(UInt32.self, at: 8),
            (0...Int32(PostgresArray.dimensionLimit)).contains(dimensions)
        else { return false }
        elementType = type
        var count = dimensions == 0 ? 0 : 1
        var at = 12
        for _ in 0..<dimensions {
            guard let length = content.bigEndian(Int32.self, at: at), length >= 0 else { return false }
            let (product, isOver) = count.multipliedReportingOverflow(by: Int(length))
            // Each element has a length at least.
            guard !isOver, product <= content.byteCount / 4 else { return false }
            count = product
            at += 8
        }
        guard at <= content.byteCount else { return false }
        for _ in 0..<count {
            guard let length = content.bigEndian(Int32.self, at: at) else { return false }
            let start = at + 4
            if length == -1 {
                elements.append(Element(whole: at..<start, content: nil))
                at = start
                continue
            }
            guard length >= 0, Int(length) <= content.byteCount - start else { return false }
            let end = start + Int(length)
            elements.append(Element(whole: at..<end, content: start..<end))
            at = end
        }
        return at == content.byteCount
    }

    /// `{a,"b \"c\"",NULL}`, with braces in braces, behind `[0:1]=` where lower bounds are not 1.
    private mutating func readText(_ content: RawSpan) -> Bool {
        var at = 0
        if content.byte(at: 0) == UInt8(ascii: "[") {
            while let byte = content.byte(at: at), byte != UInt8(ascii: "=") { at += 1 }
            at += 1
        }
        var depth = 0
        var isWanted = true
        var isOpened = false
        while let byte = content.byte(at: at) {
            switch byte {
            case UInt8(ascii: "{"):
                guard isWanted, depth < PostgresArray.dimensionLimit else { return false }
                depth += 1
                isOpened = true
                at += 1
                continue
            case UInt8(ascii: "}"):
                guard depth > 0, isOpened || !isWanted else { return false }
                depth -= 1
                isWanted = false
                at += 1
                if depth == 0 { return at == content.byteCount }
            case UInt8(ascii: ","):
                guard depth > 0, !isWanted else { return false }
                isWanted = true
                at += 1
            default:
                guard depth > 0, isWanted, let element = PostgresArray.element(content, at) else { return false }
                elements.append(element)
                isWanted = false
                at = element.whole.upperBound
            }
            isOpened = false
        }
        return false
    }

    private static func element(_ content: RawSpan, _ start: Int) -> Element? {
        var at = start
        if content.byte(at: at) == UInt8(ascii: "\"") {
            at += 1
            while let byte = content.byte(at: at), byte != UInt8(ascii: "\"") {
                at += byte == UInt8(ascii: "\\") ? 2 : 1
            }
            guard at < content.byteCount else { return nil }
            return Element(whole: start..<(at + 1), content: (start + 1)..<at, isQuoted: true)
        }
        while let byte = content.byte(at: at), byte != UInt8(ascii: ","), byte != UInt8(ascii: "}") {
            // Postgres quotes what has them.
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "{") { return nil }
            at += 1
        }
        let isNull = unsafe content.equals(null.span.bytes, in: start..<at)
        return Element(whole: start..<at, content: isNull ? nil : start..<at)
    }
    private static let null = Array("NULL".utf8)

    /// The element's own bytes, without what quotes it.
    func bytes(of range: Range<Int>, isQuoted: Bool, in content: RawSpan) -> [UInt8] {
        let raw = content.bytes(range)
        guard isQuoted, raw.contains(UInt8(ascii: "\\")) else { return raw }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(raw.count)
        var isEscaped = false
        for byte in raw {
            isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            if !isEscaped { bytes.append(byte) }
        }
        return bytes
    }

    /// Appends an element in the array's form; nil is null.
    func append(_ element: ArraySlice<UInt8>?, to output: inout [UInt8]) {
        if isBinary {
            output.append(bigEndian: element.map { Int32(clamping: $0.count) } ?? -1)
            output.append(contentsOf: element ?? [])
            return
        }
        guard let element else {
            output.append(contentsOf: PostgresArray.null)
            return
        }
        output.append(UInt8(ascii: "\""))
        for byte in element {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { output.append(UInt8(ascii: "\\")) }
            output.append(byte)
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Says, in what was written of the array from `start` on, that it has nulls.
    func allowNulls(in output: inout [UInt8], from start: Int) {
        if isBinary { output.replace(bigEndian: Int32(1), at: start + 4) }
    }
}
