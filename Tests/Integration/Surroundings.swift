import Foundation

/// What these tests find on the machine. What is missing is said by the tests that are skipped for it.
enum Surroundings {
    static let root: String =
        ProcessInfo.processInfo.environment["TIDEGATE_ROOT"]
        ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The executable under test: that of the one release build, or the one that TIDEGATE_BINARY names.
    static let gateway = executable(
        ProcessInfo.processInfo.environment["TIDEGATE_BINARY"] ?? root + "/.build/release/tidegate")
    static let python = executable(root + "/.build-python/bin/python")
    /// What starts brokers: KAFKA_HOME's own launcher, ours where KAFKA_HOME is a plain distribution, or that of ../shared.
    static let kafka: String? = {
        let named = ProcessInfo.processInfo.environment["KAFKA_HOME"] ?? ""
        let home = named.isEmpty ? root + "/../shared/kafka" : named
        return executable(home + "/kafka")
            ?? executable(home + "/bin/kafka-server-start.sh").map { _ in root + "/scripts/kafka" }
    }()
    static let kcat = executable("/usr/bin/kcat")
    static let redisCLI = executable("/usr/bin/redis-cli")
    static let hasRedis = gateway != nil && python != nil && redisCLI != nil && RedisBinary.debian.path != nil
    static let lackingRedis =
        "needs a built tidegate (TIDEGATE_BINARY), .build-python, redis-server and redis-tools (scripts/setup tests)"

    static let hasCluster = gateway != nil && python != nil && kafka != nil
    static let hasClients = gateway != nil && python != nil
    static let lacking =
        "needs a built tidegate (TIDEGATE_BINARY), .build-python (make test), and Apache Kafka (KAFKA_HOME)"

    static func executable(_ path: String) -> String? {
        FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }

    /// A fresh folder; whoever asks removes it.
    static func temporaryFolder() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/tidegate-integration-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }
}

/// Ports of the loopback that nobody listens on, never the same twice in this process.
enum Ports {
    private static let bases = Bases()
    private final class Bases: @unchecked Sendable {  // the lock guards the one variable
        private let lock = NSLock()
        private var next = UInt16(20_000 + getpid() % 80 * 100)
        func take() -> UInt16 {
            lock.withLock {
                defer { next += 100 }
                return next
            }
        }
    }

    /// - Returns: base such that base + each offset is free.
    static func base(_ offsets: [UInt16]) throws -> UInt16 {
        for _ in 0..<100 {
            let base = bases.take()
            if offsets.allSatisfy({ Connection.canBind(base + $0) }) { return base }
        }
        throw ProcessFailure(description: "no free ports")
    }
}
