import Glibc
import TidegateCore

/// The names and first lines of segment files: `evidence-000000000001.jsonl`.
enum Segment {
    static let format = 1

    static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return "evidence-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits + ".jsonl"
    }

    /// The number in a segment's name; nil for any other name, a number written in another way included.
    static func number(_ name: some StringProtocol) -> UInt64? {
        guard name.hasPrefix("evidence-"), name.hasSuffix(".jsonl") else { return nil }
        let digits = name.dropFirst(9).dropLast(6)
        // Eighteen digits are more than can be written, and their successor is a number too.
        guard (12...18).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let number = UInt64(digits), number > 0, Segment.name(number) == name
        else { return nil }
        return number
    }

    /// Numbers of the segments in a directory, rising.
    static func list(_ directory: String) throws(EvidenceError) -> [UInt64] {
        try names(directory).compactMap { number($0) }.sorted()
    }

    /// A torn end that was moved aside: of which segment, and where it began.
    struct TornEnd: Hashable {
        var segment: UInt64
        var offset: Int
        var name: String { "\(Segment.name(segment)).torn-\(offset)" }
        /// Of the gap line that says so.
        var gapID: String { "segment-\(segment)-recovery-\(offset)" }
    }

    /// Torn ends in a directory, in order.
    static func tornEnds(_ directory: String) throws(EvidenceError) -> [TornEnd] {
        try names(directory).compactMap { name -> TornEnd? in
            guard let mark = name.lastIndex(of: "."), let segment = number(name[..<mark]),
                name[mark...].hasPrefix(".torn-"), let offset = Int(name[mark...].dropFirst(6)), offset >= 0
            else { return nil }
            return TornEnd(segment: segment, offset: offset)
        }.sorted { ($0.segment, $0.offset) < ($1.segment, $1.offset) }
    }

    private static func names(_ directory: String) throws(EvidenceError) -> [String] {
        guard let stream = unsafe opendir(directory) else { throw .system("opendir", directory) }
        defer { unsafe closedir(stream) }
        var found: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                guard errno == 0 else { throw .system("readdir", directory) }
                return found
            }
            found.append(
                unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                    unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
                })
        }
    }

    /// The header: where the chain stands, so that a segment can be believed by itself.
    static func header(_ number: UInt64, previous: EvidenceChain, at now: Instant) -> [UInt8] {
        var line: [UInt8] = [UInt8(ascii: "{")]
        JSONText.member("type", "segment.opened", to: &line)
        JSONText.member("time", now.rfc3339, to: &line)
        JSONText.member("id", "segment-\(number)", to: &line)
        JSONText.member("segment", number, to: &line)
        JSONText.member("format", format, to: &line)
        JSONText.member("previous", previous.hexadecimal, to: &line)
        line.append(UInt8(ascii: "}"))
        return line
    }

    /// The chain that a header line says it follows, or nil where the line is no header of that segment.
    static func previous(of line: ArraySlice<UInt8>, _ number: UInt64) -> EvidenceChain? {
        let text = String(decoding: line, as: UTF8.self)
        guard text.hasPrefix("{\"type\":\"segment.opened\","),
            text.contains(",\"segment\":\(number),\"format\":\(format),\"previous\":\""),
            let start = text.range(ofFirst: "\"previous\":\"")
        else { return nil }
        return EvidenceChain(hexadecimal: text[start...].utf8.prefix(64))
    }

    /// How a line begins that says that something was lost.
    static let gapOpening = Array("{\"type\":\"evidence.gap\",".utf8)

    /// The id of a line.
    static func id(of line: ArraySlice<UInt8>) -> String? {
        let text = String(decoding: line, as: UTF8.self)
        guard let start = text.range(ofFirst: ",\"id\":\"") else { return nil }
        return String(text[start...].prefix { $0 != "\"" })
    }
}

extension String {
    /// Where the text behind the first `part` begins.
    fileprivate func range(ofFirst part: String) -> String.Index? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(part) { return index(at, offsetBy: part.count) }
            at = index(after: at)
        }
        return nil
    }
}
