import Foundation
import Testing
import TidegateCrypto
import TidegateDemo

struct DemoFolderTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.path + "/tidegate-demo-folder-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func claims(_ token: String) throws -> (signed: String, signature: [UInt8], expires: Double) {
        let parts = token.split(separator: ".").map(String.init)
        try #require(parts.count == 3)
        let payload = Data(try #require(Base64.decodeURL(parts[1])))
        let members = try #require(try JSONSerialization.jsonObject(with: payload) as? [String: Any])
        return (
            "\(parts[0]).\(parts[1])", try #require(Base64.decodeURL(parts[2])),
            try #require(members["exp"] as? Double)
        )
    }

    @Test func `the key of an earlier demo is kept, and signs for another process an hour later too`() throws {
        try inFolder { path in
            let first = DemoFolder(path: path)
            try first.create()
            let key = try first.signingKey()
            try first.note(issuer: "http://127.0.0.1:1")
            let early = try first.token(for: "analyst")

            // Another process sees the folder only.
            let second = DemoFolder(path: path)
            try second.create()
            let kept = try second.signingKey()
            #expect(kept.pem == key.pem)
            let late = try second.token(for: "analyst")
            let (x, y) = try #require(kept.coordinates)
            let published = try #require(PublicKey.ec(curve: "P-256", x: x, y: y))
            for token in [early, late] {
                let (signed, signature, expires) = try claims(token)
                #expect(published.verify(.es256, input: Array(signed.utf8), signature: signature))
                #expect(expires > Date().timeIntervalSince1970 + 3500, "it lasts an hour")
            }
            let mode = try FileManager.default.attributesOfItem(atPath: path + "/issuer.pem")[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test func `a folder belongs to one demo at a time`() throws {
        try inFolder { path in
            let folder = DemoFolder(path: path)
            try folder.create()
            try folder.claim()
            #expect(throws: DemoError.self) { try DemoFolder(path: path).claim() }
        }
    }

    @Test func `there is no token for nobody, and none where no demo has run`() throws {
        try inFolder { path in
            let folder = DemoFolder(path: path)
            try folder.create()
            #expect(throws: DemoError.self) { try folder.token(for: "nobody") }
            #expect(throws: DemoError.self) { try folder.token(for: "analyst") }
        }
    }
}
