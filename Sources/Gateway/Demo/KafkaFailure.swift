import CRdKafka

/// What librdkafka, or a broker through it, answered instead of doing what was asked; equal by code.
public struct KafkaFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// Above zero Kafka's own error code, below zero one of librdkafka's.
    public var code: Int32
    /// As Kafka spells it: `TOPIC_AUTHORIZATION_FAILED`.
    public var name: String
    public var text: String

    public var description: String { "\(name) (\(code)): \(text)" }

    public static func == (one: KafkaFailure, other: KafkaFailure) -> Bool { one.code == other.code }

    init(_ error: rd_kafka_resp_err_t, _ text: String? = nil) {
        code = error.rawValue
        name = unsafe rd_kafka_err2name(error).map { unsafe String(cString: $0) } ?? "\(error.rawValue)"
        self.text = unsafe text ?? rd_kafka_err2str(error).map { unsafe String(cString: $0) } ?? ""
    }

    init(setting: String, _ text: String) {
        (code, name) = (RD_KAFKA_RESP_ERR__INVALID_ARG.rawValue, "_INVALID_ARG")
        self.text = "\(setting): \(text)"
    }

    /// The text in a buffer that C wrote and ended with a zero.
    static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    static let timedOut = KafkaFailure(RD_KAFKA_RESP_ERR__TIMED_OUT)

    /// Kafka's TOPIC_AUTHORIZATION_FAILED.
    public var isTopicDenied: Bool { code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED.rawValue }
    /// TOPIC_ or GROUP_AUTHORIZATION_FAILED: a consumer of a group is told whichever it asks about first.
    public var isReadDenied: Bool {
        isTopicDenied || code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED.rawValue
    }
    /// The log-in was refused: librdkafka has a code of its own for it.
    public var isLogInRefused: Bool {
        code == RD_KAFKA_RESP_ERR__AUTHENTICATION.rawValue
            || code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED.rawValue
    }
}
