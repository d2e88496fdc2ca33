import Foundation
import Testing
import TidegateConfiguration
import TidegateCore

/// What the configuration names is watched, judged, and left alone where it should be.
@Suite struct NamedFilesTests {
    final class Folder {
        let path = FileManager.default.temporaryDirectory.path + "/tidegate-files-\(UUID().uuidString)"
        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
            try write(name, Array(text.utf8), mode: mode)
        }

        func write(_ name: String, _ bytes: [UInt8], mode: Int = 0o600) throws {
            try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path + "/" + name)
        }

        func read(
            _ text: String, sections: Set<ConfigurationReader.Section> = Set(ConfigurationReader.Section.allCases),
            withSecrets: Bool = true
        ) throws -> ConfigurationReader.Reading {
            try write("tidegate.yaml", text)
            return ConfigurationReader(backends: Fixture.declarations, sections: sections, withSecrets: withSecrets)
                .read(file: path + "/tidegate.yaml")
        }

        func names(_ reading: ConfigurationReader.Reading) -> [String] {
            reading.files.map { String($0.dropFirst(path.count + 1)) }
        }
    }

    private static let everyFile = [
        "certs/ca.pem", "certs/client.key", "certs/client.pem", "certs/gw.key", "certs/gw.pem", "keys.json",
        "secrets/kafka", "secrets/masking-key", "tidegate.yaml",
    ]
    private static let text = Fixture.example
        .replacing("ca: certs/ca.pem", with: "ca: certs/ca.pem, certificate: certs/client.pem, key: certs/client.key")
        .replacing("audience: tidegate", with: "audience: tidegate\n      jwksFile: keys.json")

    @Test func `every file of a set is watched, also those of backends, and also where the set is refused`() throws {
        let folder = try Folder()
        let accepted = try folder.read(Self.text, withSecrets: false)
        #expect(accepted.configuration != nil && folder.names(accepted) == Self.everyFile)
        #expect(accepted.configuration?.backends.first?.files.count == 4)
        let refused = try folder.read(Self.text + "unknown: 1\n")
        #expect(refused.configuration == nil && folder.names(refused) == Self.everyFile)
    }

    @Test func `a file's state is that from before it was read`() throws {
        let folder = try Folder()
        try folder.write("keys.json", "{}")
        let reading = try folder.read(Self.text)
        let (yaml, keys) = (folder.path + "/tidegate.yaml", folder.path + "/keys.json")
        #expect(reading.states[yaml] == FileState(yaml) && reading.states[keys] == FileState(keys))
        #expect(reading.states[folder.path + "/certs/gw.pem"] == .some(nil))
        try folder.write("keys.json", "{ }")
        #expect(reading.states[keys] != FileState(keys))
    }

    @Test func `a backend is another one when a file of it holds something else, and only then`() throws {
        let folder = try Folder()
        // Neither a slash nor a dot in the name; and a user name that looks like a path.
        let text = Fixture.example.replacing("username: gateway", with: "username: ./pw")
            .replacing("secrets/kafka", with: "pw").replacing("      tls: { ca: certs/ca.pem }\n", with: "")
        func fingerprint() throws -> String {
            try #require(try folder.read(text, withSecrets: false).configuration?.backends.first).fingerprint
        }
        let absent = try fingerprint()
        try folder.write("pw", "one")
        let one = try fingerprint()
        #expect(one != absent)
        try folder.write("pw", "two")
        #expect(try fingerprint() != one)
        try folder.write("pw", "one")
        try folder.write("gateway", "no file of it")
        #expect(try fingerprint() == one)
        #expect(!one.contains("one"))
    }

    @Test func `keys and passwords that everybody may read are warned of, certificates are not`() throws {
        let folder = try Folder()
        let names = ["ca", "client.pem", "client.key", "gw.pem", "gw.key", "password"]
        for name in names { try folder.write(name, "x", mode: 0o644) }
        let text = Fixture.example.replacing(
            "ca: certs/ca.pem", with: "ca: ca, certificate: client.pem, key: client.key"
        )
        .replacing("certs/gw", with: "gw").replacing("secrets/kafka", with: "password")
        func warned(_ withSecrets: Bool) throws -> [String] {
            try folder.read(text, withSecrets: withSecrets).problems.filter {
                $0.message.hasPrefix("everybody may read")
            }
            .map(\.path)
        }
        let expected = [
            "backends.orders-kafka.kafka.sasl.passwordFile", "backends.orders-kafka.kafka.tls.key", "routes[0].tls.key",
        ]
        #expect(try warned(true) == expected)
        #expect(try warned(false) == [])
        for name in names { try folder.write(name, "x", mode: 0o640) }
        #expect(try warned(true) == [])
    }

    @Test func `a key set without a usable key, and authorities that are none, are refused`() throws {
        let folder = try Folder()
        let text = Fixture.example.replacing(
            "audience: tidegate", with: "audience: tidegate\n      jwksFile: keys.json\n      ca: ca.pem")
        func problems() throws -> [String] {
            try folder.read(text).problems.filter { $0.path.hasPrefix("identity") }.map(\.path)
        }
        let both = ["identity.issuers[0].jwksFile", "identity.issuers[0].ca"]
        #expect(try problems() == both, "neither is there")
        try folder.write("ca.pem", "no certificate")
        for keys in ["", "{}", "{\"keys\": []}", "{\"keys\": [{\"kty\": \"oct\", \"k\": \"AAAA\"}]}"] {
            try folder.write("keys.json", keys)
            #expect(try problems() == both, "\(keys)")
        }
        let key = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
        try folder.write("keys.json", "{\"keys\": [\(key)]}")
        #expect(try problems() == ["identity.issuers[0].ca"])
        #expect(try folder.read(text, withSecrets: false).problems.isEmpty)
    }

    @Test func `keys, passwords, authorities and schemas of masking are watched`() throws {
        let folder = try Folder()
        let reading = try folder.read(Fixture.example(masking: Fixture.everyForm), withSecrets: false)
        #expect(
            folder.names(reading).filter { !NamedFilesTests.everyFile.contains($0) } == [
                "certs/registry.key", "certs/registry.pem", "schemas/order.avsc", "schemas/pay.proto",
                "secrets/other-1", "secrets/registry",
            ])
    }

    @Test func `what a schema imports is watched, also where it is not there yet or broken`() throws {
        let folder = try Folder()
        let masking = """
            masking:
              profiles:
                pii:
                  schemas: [{ topics: [t], file: pay.proto, message: Pay }]
                  rules: [{ field: a, action: nullify }]
            """
        func reading() throws -> ConfigurationReader.Reading { try folder.read(Fixture.example(masking: masking)) }
        func isSchemaFine() throws -> Bool {
            try !reading().problems.contains { $0.path.hasPrefix("masking.profiles") && $0.severity == .error }
        }
        try folder.write("pay.proto", #"syntax = "proto3"; import "line.proto"; message Pay { Line line = 1; }"#)
        try folder.write("other.proto", "")
        let lacking = try reading()
        let line = folder.path + "/line.proto"
        #expect(lacking.states[line] == .some(nil) && lacking.states[folder.path + "/other.proto"] == nil)
        #expect(try !isSchemaFine())
        try folder.write("line.proto", #"syntax = "proto3"; import "more.proto"; nonsense"#)
        let broken = try reading()
        #expect(broken.states[line] == FileState(line) && FileState(line) != nil)
        #expect(broken.states[folder.path + "/more.proto"] == .some(nil))
        try folder.write("line.proto", #"syntax = "proto3"; message Line { string a = 1; }"#)
        #expect(try isSchemaFine() && broken.states[line] != FileState(line))
    }

    @Test func `evidence does not go into a file`() throws {
        let folder = try Folder()
        try folder.write("evidence", "")
        func problems(_ directory: String) throws -> [String] {
            try folder.read(Fixture.example.replacing("directory: evidence", with: "directory: \(directory)")).problems
                .filter { $0.path.hasPrefix("evidence") }.map { "\($0.path): \($0.message)" }
        }
        #expect(try problems("evidence") == ["evidence.directory: \(folder.path)/evidence is a file"])
        #expect(try problems("evidence/inside") == ["evidence.directory: \(folder.path)/evidence is a file"])
        #expect(try problems("other/inside") == [])
    }
}
