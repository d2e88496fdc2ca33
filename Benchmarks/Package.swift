// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that neither Google Benchmark nor anything else measured with is needed to build Tidegate.
let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
]

func tidegate(_ product: String) -> Target.Dependency { .product(name: product, package: "tidegate") }

let package = Package(
    name: "tidegate-benchmarks",
    dependencies: [.package(name: "tidegate", path: "..")],
    targets: [
        /// Google Benchmark behind a C header (libbenchmark-dev).
        .target(name: "CBench", linkerSettings: [.linkedLibrary("benchmark")]),
        /// Counts what the process allocates: it defines malloc itself.
        .target(name: "CAllocations"),
        /// Vectorscan with patterns as one would write them, to compare with (libvectorscan-dev).
        .target(name: "CNaivePatterns", linkerSettings: [.linkedLibrary("hs")]),
        .executableTarget(
            name: "codec-benchmarks",
            dependencies: ["CBench", "CAllocations", "CNaivePatterns", tidegate("TidegateHotPaths")],
            path: "Sources/CodecBenchmarks", swiftSettings: settings),
        .executableTarget(
            name: "relay-benchmark", dependencies: [tidegate("TidegateTransport")],
            path: "Sources/RelayBenchmark", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
