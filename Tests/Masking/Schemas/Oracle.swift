import Foundation
import Testing
import TidegateSchemas

/// Python with fastavro and protobuf: an implementation that is not ours, in `Oracle/`.
enum Oracle {
    static let root =
        ProcessInfo.processInfo.environment["TIDEGATE_ROOT"]
        ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    static let python: String? = {
        let path = root + "/.build-python/bin/python"
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }()
    static let isThere = python != nil
    static let lacking: Comment = "needs .build-python with fastavro and protobuf (make setup-tests)"

    struct Failure: Error, CustomStringConvertible { var description: String }

    /// Runs a script of `Oracle/` and gives its output.
    static func run(_ script: String, _ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tidegate-oracle-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let paths = ["in", "out", "errors"].map { folder.appending(path: $0) }
        try Data(input).write(to: paths[0])
        for path in paths[1...] { try Data().write(to: path) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(python))
        process.arguments = ["-B", root + "/Tests/Masking/Schemas/Oracle/" + script] + arguments
        process.standardInput = try FileHandle(forReadingFrom: paths[0])
        process.standardOutput = try FileHandle(forWritingTo: paths[1])
        process.standardError = try FileHandle(forWritingTo: paths[2])
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let errors = try Data(contentsOf: paths[2])
            throw Failure(description: "\(script): " + String(decoding: errors.suffix(4000), as: UTF8.self))
        }
        return try Array(Data(contentsOf: paths[1]))
    }

    static func lines<Line: Decodable>(_ type: Line.Type, _ output: [UInt8]) throws -> [Line] {
        try output.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(type, from: Data($0)) }
    }
}

/// What is handed back for one case.
struct OracleAnswer: Encodable {
    struct Edit: Encodable {
        var text: String?
    }
    /// Hexadecimal, as all bytes here.
    var texts: [String]
    /// null keeps a leaf, one without a text empties it.
    var edits: [Edit?]
    var payload: String
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}

func unhex(_ text: String) -> [UInt8] {
    let digits = text.utf8.map { $0 < 0x3a ? $0 - 0x30 : ($0 | 0x20) - 0x57 }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// Bytes as a test writes them: hexadecimal, and text in quotes: `wire("06 'a@b' 00")`.
func wire(_ text: String) -> [UInt8] {
    text.split(separator: " ").flatMap { part in
        part.hasPrefix("'") ? Array(part.dropFirst().dropLast().utf8) : unhex(String(part))
    }
}
