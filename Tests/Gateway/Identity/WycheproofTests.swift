import Foundation
import TestSupport
import Testing
import TidegateIdentity

/// Vectors of C2SP Wycheproof: signatures and keys that implementations got wrong.
@Suite struct WycheproofTests {
    /// Vectors where this gateway is stricter than the vector, by intent: MACs are never accepted, a key for `ES521`,
    /// which is no algorithm of RFC 7518, signs nothing, and a key is for the one algorithm that it names.
    private static func isRefusedByIntent(_ key: [String: Any], _ test: [String: Any]) -> Bool {
        // Of RFC 7520: a key that says `PS256` with a token of PS384; a key's own algorithm binds here.
        if test["comment"] as? String == "Figure20" { return true }
        let algorithm = key["alg"] as? String ?? ""
        return key["kty"] as? String == "oct" || algorithm == "ES521"
    }

    private static func accepts(_ token: String, _ keys: [[String: Any]]) throws -> Bool {
        let document = try JSONSerialization.data(withJSONObject: ["keys": keys])
        guard let set = KeySet(Array(document)) else { return false }
        do throws(TokenRejection) {
            let signature = try CompactJWS(Array(token.utf8))
            return signature.isSigned(byOneOf: set.candidates(signature.algorithm, id: signature.keyID))
        } catch { return false }
    }

    private static let names = ["json_web_signature_test.json", "json_web_key_test.json"]
    private static let hasVectors = names.allSatisfy { PublishedMaterial.vectors("wycheproof/\($0)") != nil }

    @Test(
        .enabled(if: hasVectors, "SKIPPED: set TIDEGATE_VECTORS to the folder that holds wycheproof/*.json"),
        arguments: names)
    func `signatures are accepted as the vectors say`(_ name: String) throws {
        let data = try Data(contentsOf: #require(PublishedMaterial.vectors("wycheproof/\(name)")))
        let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let groups = try #require(document["testGroups"] as? [[String: Any]])
        var valid = 0
        var invalid = 0
        for group in groups {
            let shown = try #require(group["public"] as? [String: Any] ?? group["private"] as? [String: Any])
            let keys = shown["keys"] as? [[String: Any]] ?? [shown]
            for test in try #require(group["tests"] as? [[String: Any]]) {
                guard let token = test["jws"] as? String else { continue }
                let accepted = try WycheproofTests.accepts(token, keys)
                let expected =
                    test["result"] as? String == "valid"
                    && !keys.contains { WycheproofTests.isRefusedByIntent($0, test) }
                #expect(
                    accepted == expected, "\(group["comment"] ?? "") \(test["tcId"] ?? "") \(test["comment"] ?? "")")
                if expected { valid += 1 } else { invalid += 1 }
            }
        }
        #expect(valid > 0)
        #expect(invalid > 20)
    }
}
