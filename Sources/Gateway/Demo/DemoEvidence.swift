import Foundation

/// The evidence of a demo as an auditor finds it: the lines of its segment files, in order.
struct DemoEvidence {
    struct Line: Decodable {
        /// Offsets of a partition, or ids of entries in a database.
        struct Positions: Decodable {
            var partition: Int32?
            var first, last: Place?
        }
        enum Place: Decodable {
            case offset(Int64)
            case entry(String)

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let offset = try? container.decode(Int64.self) {
                    self = .offset(offset)
                } else {
                    self = .entry(try container.decode(String.self))
                }
            }
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
            for range in line.positions ?? [] {
                guard let partition = range.partition, case .offset(let first)? = range.first,
                    case .offset(let last)? = range.last, first >= 0, last >= first
                else { continue }
                result[partition, default: IndexSet()].insert(integersIn: Int(first)...Int(last))
            }
        }
        return result
    }

    /// First and last entry of each line about entries that `subject` was handed.
    func entries(to subject: String) -> [String] {
        lines.filter { $0.type == "records.delivered" && $0.subject == subject }.flatMap { line in
            (line.positions ?? []).compactMap { range in
                guard case .entry(let first)? = range.first, case .entry(let last)? = range.last else { return nil }
                return "\(first)–\(last)"
            }
        }
    }

    /// The first line of that type about that person, as it stands in the file.
    func text(_ type: String, of subject: String) -> String? {
        zip(lines, texts).first { $0.0.type == type && $0.0.subject == subject }?.1
    }
}
