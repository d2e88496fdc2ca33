import Foundation
import TestSupport
import TidegateCrypto

/// Wycheproof's files as these tests need them, and bytes as its hexadecimal.
enum CipherVectors {
    static func has(_ name: String) -> Bool { PublishedMaterial.vectors("wycheproof/\(name)") != nil }
    static let lacking = "SKIPPED: set TIDEGATE_VECTORS to the folder that holds wycheproof/*.json"

    /// Each test with the group that it stands in.
    static func cases(_ name: String) throws -> [(group: [String: Any], test: [String: Any])] {
        guard let url = PublishedMaterial.vectors("wycheproof/\(name)") else { return [] }
        let document = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any]
        let groups = document?["testGroups"] as? [[String: Any]] ?? []
        return groups.flatMap { group in (group["tests"] as? [[String: Any]] ?? []).map { (group, $0) } }
    }

    static func bytes(_ hexadecimal: Any?) -> [UInt8] {
        let digits = Array((hexadecimal as? String ?? "").utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16)
        }
    }
}

extension FF1 {
    /// The numeral of these symbols encrypted, or decrypted; nil where it is refused.
    func run(_ symbols: [UInt8], tweak: [UInt8], isForward: Bool) -> [UInt8]? {
        var numeral = Numeral()
        for symbol in symbols where !numeral.append(symbol) { return nil }
        let isDone =
            isForward
            ? encrypt(&numeral, tweak: tweak.span.bytes) : decrypt(&numeral, tweak: tweak.span.bytes)
        return isDone ? (0..<numeral.count).map { numeral[$0] } : nil
    }
}
