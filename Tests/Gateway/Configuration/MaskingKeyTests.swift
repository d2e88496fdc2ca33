import Foundation
import Testing
import TidegateConfiguration
import TidegateCore
import TidegateMasking

/// Key material: from where it comes, what is taken of it, and what is told where it is no good.
@Suite struct MaskingKeyTests {
    private typealias Folder = NamedFilesTests.Folder
    private static let secret = (0..<32).map { UInt8($0 * 7 + 1) }
    private static let rules = "profiles: { p: { rules: [{ field: a, action: { token: { domain: d } } }] } }"

    private func masking(_ keys: String) -> String { "masking: { keys: { \(keys) }, \(Self.rules) }\n" }

    private func problems(_ folder: Folder, _ keys: String, withSecrets: Bool = true) throws -> [String] {
        try folder.read(masking(keys), sections: [.masking], withSecrets: withSecrets).problems.map {
            "\($0.severity == .error ? "" : "warning: ")\($0.path): \($0.message)"
                .replacing(folder.path, with: "F").replacing("masking.keys.", with: "")
        }
    }

    /// The token that a value gets, with the key's file as it is now.
    private func token(_ folder: Folder, _ keys: String) throws -> String {
        let reading = try folder.read(masking(keys), sections: [.masking])
        let profile = try #require(reading.configuration?.profiles.first, "\(reading.problems)")
        let line = try #require(profile.mask(line: Array("{\"a\":\"value\"}".utf8), isJSON: true))
        return String(decoding: line, as: UTF8.self)
    }

    @Test func `a key is the bytes of its file, a newline at the end too`() throws {
        let folder = try Folder()
        try folder.write("k", Self.secret)
        let keys = "default: { file: k, version: 1 }"
        #expect(try problems(folder, keys) == [])
        let token = try token(folder, keys)
        #expect(token.hasPrefix("{\"a\":\"tgh1_"))
        try folder.write("k", Self.secret + [10])
        #expect(try self.token(folder, keys) != token)
        try folder.write("k", Self.secret)
        #expect(try self.token(folder, keys) == token)
        #expect(try self.token(folder, "default: { file: k, version: 2 }").hasPrefix("{\"a\":\"tgh2_"))
        try folder.write("new", Self.secret.reversed())
        let both = "default: { file: new, version: 2, previous: [{ file: k, version: 1 }] }"
        #expect(try self.token(folder, both).hasPrefix("{\"a\":\"tgh2_"))
    }

    @Test func `a key that is no good is told at its place, all in one run, and never its bytes`() throws {
        let folder = try Folder()
        try folder.write("short", Array(Self.secret.dropLast()))
        try folder.write("weak", [UInt8](repeating: 65, count: 64))
        try folder.write("good", Self.secret)
        try folder.write("open", Self.secret, mode: 0o644)
        #expect(
            try problems(folder, "a: { file: short, version: 2, previous: [{ file: weak, version: 1 }] }") == [
                "a.file: version 2 of masking key 'a' has 31 bytes, fewer than 32",
                "a.previous[0].file: version 1 of masking key 'a' repeats a few bytes and could be guessed",
                "masking.profiles.p.rules[0].action.token: there is no masking key 'default'",
            ])
        #expect(
            try problems(
                folder,
                "default: { file: good, version: 3, previous: [{ file: none, version: 2 }, { env: TIDEGATE_NO_SUCH, version: 1 }] }"
            ) == [
                "default.previous[0].file: F/none is not there",
                "default.previous[1].env: the environment has no TIDEGATE_NO_SUCH",
            ])
        #expect(
            try problems(folder, "default: { file: good, version: 2, previous: [{ file: open, version: 1 }] }") == [
                "default: versions 1 and 2 of masking key 'default' have the same secret",
                "warning: default.previous[0].file: everybody may read F/open",
            ])
        #expect(try problems(folder, "default: { file: ., version: 1 }").contains("default.file: F cannot be read"))
        #expect(try problems(folder, "default: { env: PATH, version: 1 }").isEmpty)
    }

    @Test func `without secrets no key is read, and profiles are judged all the same`() throws {
        let folder = try Folder()
        let keys = "default: { file: none, version: 9, previous: [{ env: TIDEGATE_NO_SUCH, version: 8 }] }"
        #expect(try problems(folder, keys, withSecrets: false) == [])
        let reading = try folder.read(
            masking(keys).replacing("domain: d", with: "domain: d, format: ssn, keepLast: 4"), sections: [.masking],
            withSecrets: false)
        #expect(reading.problems.map(\.path) == ["masking.profiles.p.rules[0]"])
        #expect(reading.problems.map(\.message).allSatisfy { $0.contains("leaves 5 to encrypt") })
    }

    @Test func `a registry's password and certificates are read where it is asked, and by nobody else`() throws {
        let folder = try Folder()
        try folder.write("secrets", "")
        let text = Fixture.example(
            masking: """
                masking:
                  registries: { r: { url: "https://r:8081", username: u, passwordFile: none, tls: { ca: no.pem, certificate: no.crt, key: no.key } } }
                  profiles: { pii: { registry: r, rules: [{ field: a, action: redact }] } }
                """)
        func paths() throws -> [String] {
            try folder.read(text).problems.filter { $0.severity == .error && $0.path.hasPrefix("masking") }.map {
                String($0.path.dropFirst("masking.registries.r.".count))
            }
        }
        #expect(try paths() == ["passwordFile", "tls.ca", "tls.certificate", "tls.key"])
        for name in ["none", "no.pem", "no.crt", "no.key"] { try folder.write(name, "no certificate") }
        #expect(try paths() == ["tls"])
        for name in ["none", "no.pem", "no.crt", "no.key"] {
            try FileManager.default.removeItem(atPath: folder.path + "/" + name)
        }
        #expect(try folder.read(text, sections: [.masking]).problems.isEmpty)
        #expect(try folder.read(text, withSecrets: false).problems.filter { $0.path.hasPrefix("masking") }.isEmpty)
    }

    @Test func `schemas in files must be there, unless no file is opened`() throws {
        let folder = try Folder()
        let text =
            "masking: { profiles: { p: { schemas: [{ topics: [t], file: a.avsc }], rules: [{ tag: PII, action: redact }] } } }\n"
        #expect(
            try folder.read(text, sections: [.masking]).problems.map(\.path).contains(
                "masking.profiles.p.schemas[0].file"))
        #expect(try folder.read(text, sections: [.masking], withSecrets: false).problems.isEmpty)
    }
}
