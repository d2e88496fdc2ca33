import TidegateCore
import TidegateCrypto

/// The settings under a backend's `kafka:` key.
struct KafkaSettings: Sendable {
    enum Mechanism: String, Sendable, CaseIterable {
        case plain = "PLAIN"
        case scramSHA256 = "SCRAM-SHA-256"
        case scramSHA512 = "SCRAM-SHA-512"
    }
    struct SASL: Sendable {
        var mechanism: Mechanism
        var username: String
        var password: [UInt8]
    }
    var bootstrap: [(host: String, port: UInt16)]
    var sasl: SASL?
    var tls: TLSClientContext?
    /// The name that brokers' certificates must hold, where it is not their host.
    var serverName: String?

    static let schema = SettingsSchema.object([
        .init(
            "bootstrap", .list(.text(example: "127.0.0.1:9092", check: .address), nonEmpty: true), required: true,
            "Brokers to ask first; the others are learned from them."),
        .init(
            "sasl",
            .object([
                .init(
                    "mechanism", .word(Mechanism.allCases.map(\.rawValue)), required: true, "How the gateway logs in."),
                .init("username", .text(example: "gateway"), required: true, "The gateway's own user at the brokers."),
                .init(
                    "passwordFile", .text(example: "secrets/kafka", check: .secretFile),
                    "A file that holds the password."),
                .init("passwordEnv", .text(example: "KAFKA_PASSWORD"), "An environment variable that holds it."),
            ]), "The gateway's own log-in; without it none is made."),
        TLSSettings.property(towards: "brokers"),
    ])
}
