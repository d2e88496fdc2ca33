public import Foundation

/// What others have published and these tests are held against; it is not part of this repository.
public enum PublishedMaterial {
    /// A file or folder of test vectors: below `TIDEGATE_VECTORS`, or below `shared/vectors` beside the checkout.
    public static func vectors(_ path: String) -> URL? {
        find(path, below: "TIDEGATE_VECTORS", orBeside: "shared/vectors")
    }

    /// Kafka's message definitions: below `KAFKA_HOME`, or below `shared/kafka` beside the checkout.
    public static let kafkaDefinitions = find("protocol", below: "KAFKA_HOME", orBeside: "shared/kafka")

    public static let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func find(_ path: String, below variable: String, orBeside folder: String) -> URL? {
        let named = ProcessInfo.processInfo.environment[variable].map { URL(fileURLWithPath: $0) }
        let places = [named, checkout.deletingLastPathComponent().appending(path: folder)]
        return places.lazy.compactMap { $0?.appending(path: path) }
            .first { FileManager.default.fileExists(atPath: $0.path) }
    }
}
