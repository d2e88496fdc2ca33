import Foundation
import Testing
import TidegateConfiguration
import TidegateCore

@Suite struct SecretTests {
    private func folder() throws -> URL {
        let url = FileManager.default.temporaryDirectory.appending(path: "tidegate-secrets-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    private func settings(_ text: String) throws -> ConfigurationNode {
        try YAMLReader.read(Array(text.utf8), file: "t")
    }

    @Test func `drops one trailing newline, and warns where everybody may read the file`() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "s")
        try Data("hidden\n\n".utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        let reader = FileSecretReader(folder: folder.path, reads: true)
        #expect(try reader.secret("password", in: settings("passwordFile: s")) == Array("hidden\n".utf8))
        let node = try #require(try settings("passwordFile: s")["passwordFile"])
        #expect(reader.exposure(of: node) == nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        #expect(reader.exposure(of: node)?.severity == .warning)
        #expect(FileSecretReader(folder: folder.path, reads: false).exposure(of: node) == nil)
    }

    @Test func `an absent file or variable is a problem that names it`() throws {
        let reader = FileSecretReader(folder: "/nowhere", reads: true)
        #expect(throws: ConfigurationProblem.self) { try reader.secret("password", in: settings("passwordFile: s")) }
        #expect(throws: ConfigurationProblem.self) {
            try reader.secret("password", in: settings("passwordEnv: TIDEGATE_NO_SUCH"))
        }
        #expect(throws: ConfigurationProblem.self) {
            try reader.secret("password", in: settings("passwordFile: s\npasswordEnv: HOME"))
        }
        #expect(try reader.secret("password", in: settings("other: 1")) == nil)
    }

    @Test func `without secrets no file is looked at`() throws {
        let reader = FileSecretReader(folder: "/nowhere", reads: false)
        #expect(try reader.secret("password", in: settings("passwordFile: s")) == [])
    }
}
