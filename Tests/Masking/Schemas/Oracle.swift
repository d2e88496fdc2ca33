import Foundation
import TestSupport
import TidegateSchemas

/// Python with fastavro and protobuf: implementations that are not ours, in `Oracles/`.
enum Oracle {
    /// What a script of `Oracle/` prints.
    static func run(_ script: String, _ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        try PythonOracle.run("Tests/Masking/Schemas/Oracles/" + script, arguments, input: input)
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
