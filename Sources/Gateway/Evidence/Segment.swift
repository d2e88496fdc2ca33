import Glibc
import TidegateCore

/// The names and first lines of segment files: `evidence-000000000001.jsonl`.
enum Segment {
    static let format = 1

    static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return "evidence-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits + ".jsonl"
    }

    static func number(_ name: String) -> UInt64? {
        guard name.hasPrefix("evidence-"), name.hasSuffix(".jsonl") else { return nil }
        let digits = name.dropFirst(9).dropLast(6)
        guard digits.utf8.count >= 12, digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return UInt64(digits)
    }

    /// Numbers of the segments in a directory, rising.
    static func list(_ directory: String) throws(EvidenceError) -> [UInt64] {
        guard let stream = unsafe opendir(directory) else { throw .system("opendir", directory) }
        defer { unsafe closedir(stream) }
        var found: [UInt64] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if let number = number(name) { found.append(number) }
        }
        return found.sorted()
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
