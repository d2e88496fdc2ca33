// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
let strict = settings + [.strictMemorySafety()]
/// What an event loop or a masking call works with belongs to one thread. That no two accesses to it overlap is checked in
/// debug builds, which the sanitizers run all of its tests in; in release builds the checks took 6 to 21 % of a relay's CPU
/// on small requests, and 15 % of masking by detectors.
let singleThreaded = strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// A C library that Debian keeps patched: module map and shim in `Sources/CLibraries`. Without a `pkgConfig` the module map
/// says what to link.
func library(_ name: String, _ pkgConfig: String, _ package: String) -> Target {
    .systemLibrary(
        name: name, path: "Sources/CLibraries/\(name)", pkgConfig: pkgConfig.isEmpty ? nil : pkgConfig,
        providers: [.apt([package])])
}

/// A C++ library of Debian's behind a C header of our own, in `Sources/CLibraries`.
func bridge(_ name: String, _ linked: String, _ package: String) -> Target {
    .target(
        name: name, path: "Sources/CLibraries/\(name)", cxxSettings: [.unsafeFlags(["-std=c++17", "-O2"])],
        linkerSettings: linked.split(separator: " ").map { .linkedLibrary(String($0)) })
}

func target(
    _ name: String, _ path: String, _ dependencies: [Target.Dependency], settings: [SwiftSetting] = strict
) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(path)", swiftSettings: settings)
}

/// Tests mirror the sources: `Tests/Gateway/Policy` tests `Sources/Gateway/Policy`.
func tests(_ name: String, _ path: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(path)", exclude: exclude,
        swiftSettings: settings)  // not strictly memory safe: what the testing macros expand to is not marked
}

let package = Package(
    name: "tidegate",
    products: [
        .executable(name: "tidegate", targets: ["tidegate"]),
        .library(name: "TidegateTransport", targets: ["TidegateTransport", "TidegateCore"]),
        .library(
            name: "TidegateHotPaths",
            targets: [
                "TidegateWire", "TidegateCore", "TidegateKafka", "TidegateRedis", "TidegateMasking", "TidegateTokens",
                "TidegateDetection", "TidegateCompression", "TidegatePolicy",
            ]),
    ],
    targets: [
        library("CUring", "liburing", "liburing-dev"),
        library("COpenSSL", "libssl libcrypto", "libssl-dev"),
        library("CEvent", "libevent_openssl libevent_pthreads", "libevent-dev"),
        library("CCurl", "libcurl", "libcurl4-openssl-dev"),
        library("CYaml", "yaml-0.1", "libyaml-dev"),
        library("CRdKafka", "rdkafka", "librdkafka-dev"),
        library("CHiredis", "", "libhiredis-dev"),
        library("CZstd", "libzstd", "libzstd-dev"),
        library("CLz4", "liblz4", "liblz4-dev"),
        library("CZlib", "zlib", "zlib1g-dev"),
        library("CSnappy", "snappy", "libsnappy-dev"),
        library("CVectorscan", "libhs", "libvectorscan-dev"),
        library("CAvro", "avro-c", "libavro-dev"),
        bridge("CProtobufSchemas", "protobuf", "libprotoc-dev"),
        bridge("CPhoneNumbers", "phonenumber protobuf", "libphonenumber-dev"),
        .target(name: "CByteClasses", path: "Sources/CLibraries/CByteClasses"),

        // The gateway's core, bottom to top.
        target("TidegateWire", "Gateway/Wire", []),
        target("TidegateCrypto", "Gateway/Crypto", ["COpenSSL"]),
        target("TidegateCore", "Gateway/Core", ["TidegateWire", "TidegateCrypto"]),
        target("TidegateHTTP", "Gateway/HTTP", ["CEvent", "CCurl", "TidegateCrypto"]),
        target("TidegateIdentity", "Gateway/Identity", ["TidegateCore", "TidegateCrypto", "TidegateHTTP"]),
        target("TidegatePolicy", "Gateway/Policy", ["TidegateCore"]),
        target("TidegateEvidence", "Gateway/Evidence", ["TidegateCore", "TidegateCrypto"]),
        target(
            "TidegateTransport", "Gateway/Transport",
            ["CUring", "TidegateWire", "TidegateCore", "TidegateCrypto"], settings: singleThreaded),
        target("TidegateControl", "Gateway/Control", ["TidegateCore"]),
        target(
            "TidegateConfiguration", "Gateway/Configuration",
            [
                "CYaml", "TidegateCore", "TidegateCrypto", "TidegatePolicy", "TidegateMasking", "TidegateTokens",
                "TidegateDetection", "TidegateIdentity",
            ]),

        // What protects data, and the protocols.
        target("TidegateTokens", "Masking/Tokens", ["TidegateWire", "TidegateCrypto"]),
        target(
            "TidegateDetection", "Masking/Detection",
            ["TidegateWire", "TidegateCrypto", "CByteClasses", "CVectorscan", "CPhoneNumbers"],
            settings: singleThreaded),
        target("TidegateSchemas", "Masking/Schemas", ["TidegateWire", "TidegateHTTP", "CAvro", "CProtobufSchemas"]),
        target(
            "TidegateMasking", "Masking/Engine",
            [
                "CByteClasses", "TidegateWire", "TidegateCrypto", "TidegateCore", "TidegateTokens",
                "TidegateDetection", "TidegateSchemas",
            ], settings: singleThreaded),
        target("TidegateCompression", "Backends/Compression", ["CZlib", "CSnappy", "CLz4", "CZstd"]),
        .target(name: "CChecksum", path: "Sources/Backends/Checksum"),
        target(
            "TidegateKafka", "Backends/Kafka",
            ["CChecksum", "TidegateWire", "TidegateCore", "TidegateCrypto", "TidegateCompression"]),
        target("TidegateRedis", "Backends/Redis", ["TidegateWire", "TidegateCore", "TidegateCrypto"]),

        // What runs it all.
        target(
            "TidegateDemo", "Gateway/Demo",
            ["CRdKafka", "CHiredis", "TidegateCrypto", "TidegateHTTP"]),
        .executableTarget(
            name: "tidegate",
            dependencies: [
                "TidegateWire", "TidegateCore", "TidegateCrypto", "TidegateHTTP", "TidegateIdentity",
                "TidegatePolicy", "TidegateEvidence", "TidegateTransport", "TidegateControl",
                "TidegateConfiguration", "TidegateMasking", "TidegateTokens", "TidegateKafka", "TidegateRedis",
                "TidegateDemo",
            ],
            path: "Sources/Gateway/CLI", swiftSettings: strict),

        .target(
            name: "TestSupport", dependencies: ["TidegateWire", "TidegateCore"], path: "Tests/Support",
            swiftSettings: settings),
        tests("WireTests", "Gateway/Wire", ["TidegateWire"]),
        tests(
            "CryptoTests", "Gateway/Crypto", ["TidegateCrypto", "TidegateWire", "TestSupport"], exclude: ["Oracles"]),
        tests("HTTPTests", "Gateway/HTTP", ["TidegateHTTP", "TidegateCrypto", "TestSupport"]),
        tests(
            "IdentityTests", "Gateway/Identity",
            ["TidegateCore", "TidegateCrypto", "TidegateHTTP", "TidegateIdentity", "TestSupport"]),
        tests("CoreTests", "Gateway/Core", ["TidegateWire", "TidegateCore", "TestSupport"]),
        tests("PolicyTests", "Gateway/Policy", ["TidegateCore", "TidegatePolicy", "TestSupport"]),
        tests(
            "ConfigurationTests", "Gateway/Configuration",
            [
                "TidegateCore", "TidegateConfiguration", "TidegateKafka", "TidegateRedis", "TidegateMasking",
                "TidegatePolicy", "TestSupport",
            ]),
        tests("ControlTests", "Gateway/Control", ["TidegateCore", "TidegateControl"]),
        tests(
            "RedisTests", "Backends/Redis", ["TidegateWire", "TidegateCore", "TidegateRedis", "TestSupport"],
            exclude: ["Golden"]),
        tests("CompressionTests", "Backends/Compression", ["TidegateCompression", "TestSupport"]),
        tests("TokensTests", "Masking/Tokens", ["TidegateWire", "TidegateCrypto", "TidegateTokens", "TestSupport"]),
        tests(
            "DetectionTests", "Masking/Detection", ["TidegateWire", "TidegateDetection", "TestSupport"],
            exclude: ["Oracles"]),
        tests(
            "SchemasTests", "Masking/Schemas", ["TidegateWire", "TidegateHTTP", "TidegateSchemas", "TestSupport"],
            exclude: ["Oracles"]),
        tests(
            "MaskingTests", "Masking/Engine",
            [
                "TidegateWire", "TidegateCore", "TidegateHTTP", "TidegateTokens", "TidegateDetection",
                "TidegateSchemas", "TidegateMasking", "TestSupport",
            ]),
        tests(
            "EvidenceTests", "Gateway/Evidence",
            ["TidegateCore", "TidegateCrypto", "TidegateEvidence", "TestSupport"]),
        tests(
            "TransportTests", "Gateway/Transport",
            ["TidegateTransport", "TidegateCore", "TidegateCrypto", "TidegateWire", "TestSupport"]),
        tests("DemoTests", "Gateway/Demo", ["TidegateDemo", "TidegateCrypto", "TidegateHTTP"]),
        tests("ArchitectureTests", "Architecture", []),
        tests(
            "IntegrationTests", "Integration", ["TidegateDemo", "TidegateCrypto", "TidegateHTTP", "TestSupport"],
            exclude: ["Clients"]),
        tests(
            "KafkaTests", "Backends/Kafka", ["TidegateWire", "TidegateCore", "TidegateKafka", "TestSupport"],
            exclude: ["Golden"]),
    ],
    swiftLanguageModes: [.v6]
)
