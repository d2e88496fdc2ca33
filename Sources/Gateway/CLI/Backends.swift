import TidegateCore
import TidegateKafka
import TidegateRedis

/// The list of backends: a new protocol is one line here.
enum Backends {
    static let all: [any Backend.Type] = [KafkaBackend.self, RedisBackend.self]
    static var declarations: [BackendDeclaration] { all.map { $0.declaration } }
}
