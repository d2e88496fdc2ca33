import Foundation
import TestSupport
import Testing
import TidegateMasking

/// JSONTestSuite (github.com/nst/JSONTestSuite), as it lies in `../shared/vectors`.
struct JSONVectorTests {
    static let folder = PublishedMaterial.vectors("jsontestsuite/test_parsing")

    private func vectors(_ prefix: String) throws -> [(name: String, bytes: [UInt8])] {
        let folder = try #require(JSONVectorTests.folder)
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.lastPathComponent.hasPrefix(prefix) }
            .map { ($0.lastPathComponent, Array(try Data(contentsOf: $0))) }
    }

    private static let lacks: Comment =
        "JSONTestSuite is missing: set TIDEGATE_VECTORS to the folder that has jsontestsuite"

    @Test(.enabled(if: folder != nil, lacks))
    func `what every parser accepts passes byte by byte where no rule names it`() throws {
        let profile = try MaskingProfile(
            .init(name: "v", rules: [MaskingRule(field: "no.such.field", action: .nullify)]))
        let deep = try MaskingProfile(
            .init(name: "v", rules: [MaskingRule(field: "**.\"no such field\"", action: .nullify)]))
        let all = try vectors("y_")
        #expect(all.count > 90)
        for (name, bytes) in all {
            #expect(profile.mask(line: bytes, isJSON: true) == bytes, "\(name)")
            #expect(deep.mask(line: bytes, isJSON: true) == bytes, "\(name)")
        }
    }

    @Test(.enabled(if: folder != nil, lacks))
    func `what every parser refuses is replaced whole, whether rules look inside or not`() throws {
        let all = try vectors("n_")
        #expect(all.count > 180)
        for field in ["no.such.field", "**.a", "**", "[*]"] {
            let profile = try MaskingProfile(.init(name: "v", rules: [MaskingRule(field: field, action: .keepLast(1))]))
            for (name, bytes) in all {
                #expect(profile.mask(line: bytes, isJSON: true) == Array("\"[redacted]\"".utf8), "\(name) \(field)")
            }
        }
    }

    @Test(.enabled(if: folder != nil, lacks))
    func `where parsers differ all is masked or nothing passes`() throws {
        let profile = try MaskingProfile(.init(name: "v", rules: [MaskingRule(field: "**", action: .nullify)]))
        let drops = try MaskingProfile(
            .init(name: "v", onFailure: .dropRecord, rules: [MaskingRule(field: "**", action: .nullify)]))
        let all = try vectors("i_")
        #expect(all.count > 30)
        for (name, bytes) in all {
            let masked = profile.mask(line: bytes, isJSON: true).map { String(decoding: $0, as: UTF8.self) }
            #expect(masked == "null" || masked == "\"[redacted]\"", "\(name)")
            let left = drops.mask(line: bytes, isJSON: true).map { String(decoding: $0, as: UTF8.self) }
            #expect(left == nil || left == "null", "\(name)")
        }
    }
}
