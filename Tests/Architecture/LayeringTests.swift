import Foundation
import Testing

/// Who may import whom (ARCHITECTURE.md): read from the sources, so that neither a new import nor a new target goes unseen.
struct LayeringTests {
    /// What each target may import of the package's own modules; C libraries stand in `wrappers`.
    static let allowed: [String: Set<String>] = [
        "TidegateWire": [],
        "TidegateCrypto": [],
        "TidegateCore": ["TidegateWire", "TidegateCrypto"],
        "TidegateHTTP": ["TidegateCrypto"],
        "TidegateIdentity": ["TidegateCore", "TidegateCrypto", "TidegateHTTP"],
        "TidegatePolicy": ["TidegateCore"],
        "TidegateEvidence": ["TidegateCore", "TidegateCrypto"],
        "TidegateTransport": ["TidegateWire", "TidegateCore", "TidegateCrypto"],
        "TidegateControl": ["TidegateCore"],
        "TidegateConfiguration": [
            "TidegateCore", "TidegateCrypto", "TidegatePolicy", "TidegateMasking", "TidegateTokens",
            "TidegateDetection", "TidegateIdentity",
        ],
        "TidegateTokens": ["TidegateWire", "TidegateCrypto"],
        "TidegateDetection": ["TidegateWire", "TidegateCrypto", "CByteClasses"],
        "TidegateSchemas": ["TidegateWire", "TidegateHTTP"],
        "TidegateMasking": [
            "TidegateWire", "TidegateCrypto", "TidegateCore", "TidegateTokens", "TidegateDetection", "TidegateSchemas",
            "CByteClasses",
        ],
        "TidegateCompression": [],
        "TidegateKafka": ["TidegateWire", "TidegateCore", "TidegateCrypto", "TidegateCompression", "CChecksum"],
        "TidegateRedis": ["TidegateWire", "TidegateCore", "TidegateCrypto"],
        "TidegateDemo": ["TidegateCrypto", "TidegateHTTP"],
    ]
    /// The one target that meets each C library.
    static let wrappers: [String: String] = [
        "CUring": "TidegateTransport", "COpenSSL": "TidegateCrypto", "CEvent": "TidegateHTTP", "CCurl": "TidegateHTTP",
        "CYaml": "TidegateConfiguration", "CRdKafka": "TidegateDemo", "CHiredis": "TidegateDemo",
        "CZstd": "TidegateCompression",
        "CLz4": "TidegateCompression", "CZlib": "TidegateCompression", "CSnappy": "TidegateCompression",
        "CVectorscan": "TidegateDetection", "CPhoneNumbers": "TidegateDetection",
        "CAvro": "TidegateSchemas",
        "CProtobufSchemas": "TidegateSchemas",
    ]
    /// Where a target's sources are, below `Sources`.
    static let folders: [String: String] = {
        var result = [
            "TidegateMasking": "Masking/Engine", "TidegateTokens": "Masking/Tokens",
            "TidegateDetection": "Masking/Detection", "TidegateSchemas": "Masking/Schemas",
        ]
        for target in allowed.keys where result[target] == nil {
            let name = target.dropFirst("Tidegate".count)
            result[target] =
                (["Kafka", "Redis", "Postgres", "Compression"].contains(name) ? "Backends/" : "Gateway/") + name
        }
        return result
    }()
    /// What none of ours is: the toolchain's.
    static let toolchain: Set<String> = ["Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Dispatch"]

    @Test(arguments: allowed.keys.sorted())
    func `a target imports only what its layer may`(target: String) throws {
        let folder = try #require(LayeringTests.folders[target])
        let imports = try SourceTree.imports(below: "Sources/" + folder)
        #expect(!imports.isEmpty || target == "TidegateWire")
        for (file, module) in imports where !LayeringTests.toolchain.contains(module) {
            let mayImport =
                LayeringTests.allowed[target]?.contains(module) == true || LayeringTests.wrappers[module] == target
            #expect(mayImport, "\(file) imports \(module)")
        }
    }

    @Test func `every source file belongs to a target that is listed here, to the command line or to a C library`()
        throws
    {
        let known =
            LayeringTests.folders.values.map { "Sources/\($0)/" } + ["Sources/Gateway/CLI/", "Sources/CLibraries/"]
        for file in try SourceTree.files(below: "Sources") {
            #expect(known.contains { file.hasPrefix($0) }, "\(file)")
        }
    }

    @Test func `nobody imports the command line`() throws {
        for (file, module) in try SourceTree.imports(below: "Sources") { #expect(module != "tidegate", "\(file)") }
    }

    @Test func `backends meet only what the core declares, and none meets another`() throws {
        let backends = LayeringTests.folders.filter { $0.value.hasPrefix("Backends/") }.map(\.key)
        let forbidden: Set = [
            "TidegatePolicy", "TidegateAccess", "TidegateEvidence", "TidegateTransport", "TidegateControl",
            "TidegateConfiguration", "TidegateIdentity", "TidegateMasking", "TidegateHTTP", "TidegateDemo",
        ]
        for (file, module) in try SourceTree.imports(below: "Sources/Backends") {
            #expect(!forbidden.contains(module), "\(file) imports \(module)")
            #expect(!backends.contains(module) || module == "TidegateCompression", "\(file) imports \(module)")
        }
    }

    @Test func `the manifest declares what is imported, and no more`() throws {
        let manifest = try SourceTree.text("Package.swift")
        for (target, allowed) in LayeringTests.allowed {
            let declaration = try Regex("[ .]target\\(\\s*(name: )?\"\(target)\",")
            let found = manifest.firstRange(of: declaration)
            let start = try #require(found, "\(target) is not in the manifest").upperBound
            let rest = manifest[start...]
            let list = try #require(rest.range(of: "[")?.upperBound)
            let end = try #require(rest[list...].range(of: "]")?.lowerBound)
            let declared = Set(rest[list..<end].split { !$0.isLetter && !$0.isNumber }.map(String.init))
            let wrapped = LayeringTests.wrappers.filter { $0.value == target }.map(\.key)
            #expect(declared.subtracting(wrapped).isSubset(of: allowed), "\(target)")
            let folder = try #require(LayeringTests.folders[target])
            let imported = Set(try SourceTree.imports(below: "Sources/" + folder).map(\.1))
            #expect(imported.subtracting(LayeringTests.toolchain) == declared, "\(target)")
        }
    }
}
