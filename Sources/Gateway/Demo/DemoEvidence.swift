import Foundation

/// The evidence of a demo as an auditor finds it: the lines of its segment files, in order.
struct DemoEvidence {
    struct Line: Decodable {
        struct Positions: Decodable {
            var partition: Int32
            var first, last: Int64
        }
        var type: String
        var subject, resource, rule, operation, reason: String?
        var positions: [Positions]?
        var records, maskedFields: Int?
    }

    /// As they stand in the files.
    private(set) var texts: [String] = []
    private(set) var lines: [Line] = []

    init(directory: String) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let names = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".jsonl") }
        for name in names.sorted() {
            let content = try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
            // What stands behind the last newline is still being written.
            for text in content.split(separator: "\n", omittingEmptySubsequences: false).dropLast() where !text.isEmpty
            {
                texts.append(String(text))
                try lines.append(decoder.decode(Line.self, from: Data(text.utf8)))
            }
        }
    }

    /// The offsets that `subject` was handed, per partition.
    func delivered(to subject: String) -> [Int32: IndexSet] {
        var result: [Int32: IndexSet] = [:]
        for line in lines where line.type == "records.delivered" && line.subject == subject {
            for range in line.positions ?? [] where range.first >= 0 && range.last >= range.first {
                result[range.partition, default: IndexSet()].insert(integersIn: Int(range.first)...Int(range.last))
            }
        }
        return result
    }

    /// The first line of that type about that person, as it stands in the file.
    func text(_ type: String, of subject: String) -> String? {
        zip(lines, texts).first { $0.0.type == type && $0.0.subject == subject }?.1
    }
}
