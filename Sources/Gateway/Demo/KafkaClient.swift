import CRdKafka
import Synchronization

/// An ordinary Kafka client (librdkafka): produces, or reads a topic from its beginning to its end.
///
/// Blocks the thread that calls it; not for the cooperative pool.
@safe
public final class KafkaClient {
    /// How it logs in (SASL); `.none` is plaintext without a word about who it is.
    public enum LogIn: Sendable {
        case none
        /// SASL/OAUTHBEARER (RFC 7628).
        case bearer(token: String, subject: String, expires: Int64)
        /// SASL/PLAIN (RFC 4616); the gateway takes a token as the password.
        case plain(user: String, password: String)
    }

    public struct Record: Sendable, Equatable {
        public var partition: Int32
        public var offset: Int64
        public var key: [UInt8]
        public var value: [UInt8]

        public init(partition: Int32, offset: Int64, key: [UInt8], value: [UInt8]) {
            self.partition = partition
            self.offset = offset
            self.key = key
            self.value = value
        }
    }

    private let handle: OpaquePointer
    private let mailbox: ClientMailbox
    private let isConsumer: Bool

    /// - Throws: where librdkafka refuses a setting.
    private init(isConsumer: Bool, logIn: LogIn, settings: [(String, String)]) throws(KafkaFailure) {
        self.isConsumer = isConsumer
        mailbox = ClientMailbox(logIn)
        guard let configuration = unsafe rd_kafka_conf_new() else { throw KafkaFailure(RD_KAFKA_RESP_ERR__FAIL) }
        var reason = [CChar](repeating: 0, count: 512)
        for (name, value) in settings + logIn.settings {
            guard unsafe rd_kafka_conf_set(configuration, name, value, &reason, reason.count) == RD_KAFKA_CONF_OK
            else {
                unsafe rd_kafka_conf_destroy(configuration)
                throw KafkaFailure(setting: name, KafkaFailure.text(reason))
            }
        }
        unsafe rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(mailbox).toOpaque())
        unsafe rd_kafka_conf_set_error_cb(configuration, noteError)
        unsafe rd_kafka_conf_set_log_cb(configuration, nil)
        if case .bearer = logIn { unsafe rd_kafka_conf_set_oauthbearer_token_refresh_cb(configuration, giveToken) }
        if !isConsumer { unsafe rd_kafka_conf_set_dr_msg_cb(configuration, noteDelivery) }
        let kind = isConsumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER
        guard let made = unsafe rd_kafka_new(kind, configuration, &reason, reason.count) else {
            unsafe rd_kafka_conf_destroy(configuration)
            throw KafkaFailure(setting: "client", KafkaFailure.text(reason))
        }
        unsafe handle = made
        if isConsumer { unsafe _ = rd_kafka_poll_set_consumer(handle) }
    }

    deinit {
        if isConsumer { unsafe _ = rd_kafka_consumer_close(handle) }
        unsafe rd_kafka_destroy(handle)
    }

    public static func producer(bootstrap: String, logIn: LogIn = .none) throws(KafkaFailure) -> KafkaClient {
        try KafkaClient(
            isConsumer: false, logIn: logIn,
            settings: [
                ("bootstrap.servers", bootstrap), ("client.id", "demo-producer"), ("linger.ms", "20"),
                ("compression.codec", "lz4"), ("acks", "all"), ("message.timeout.ms", "15000"),
            ])
    }

    public static func consumer(
        bootstrap: String, group: String, logIn: LogIn = .none
    ) throws(KafkaFailure) -> KafkaClient {
        try KafkaClient(
            isConsumer: true, logIn: logIn,
            settings: [
                ("bootstrap.servers", bootstrap), ("client.id", "demo-consumer"), ("group.id", group),
                ("enable.auto.commit", "false"), ("enable.partition.eof", "true"), ("fetch.wait.max.ms", "50"),
                ("auto.offset.reset", "earliest"),
            ])
    }

    /// Sends records to their partitions and waits until the broker has them.
    ///
    /// - Throws: the first refusal.
    public func produce(_ records: [Record], to topic: String, within seconds: Int32 = 20) throws(KafkaFailure) {
        guard let target = unsafe rd_kafka_topic_new(handle, topic, nil) else {
            throw KafkaFailure(rd_kafka_last_error())
        }
        defer { unsafe rd_kafka_topic_destroy(target) }
        for record in records {
            var value = record.value
            let (count, key) = (value.count, record.key)
            let sent = unsafe value.withUnsafeMutableBytes { payload in
                unsafe rd_kafka_produce(
                    target, record.partition, Int32(RD_KAFKA_MSG_F_COPY), payload.baseAddress, count, key, key.count,
                    nil)
            }
            if sent != 0 { throw KafkaFailure(rd_kafka_last_error()) }
        }
        let result = unsafe rd_kafka_flush(handle, seconds * 1000)
        if let refusal = mailbox.refusedDelivery { throw refusal }
        if result != RD_KAFKA_RESP_ERR_NO_ERROR { throw mailbox.refusedLogIn ?? KafkaFailure(result) }
    }

    /// Reads `partitions` partitions of `topic` from the first record to the last that is there, in order per partition.
    ///
    /// - Throws: the first error that is not about waiting: a denial, a refused log-in.
    public func readAll(
        _ topic: String, partitions: Int32, within seconds: Int = 20
    ) throws(KafkaFailure) -> [Record] {
        guard let list = unsafe rd_kafka_topic_partition_list_new(partitions) else {
            throw KafkaFailure(RD_KAFKA_RESP_ERR__FAIL)
        }
        defer { unsafe rd_kafka_topic_partition_list_destroy(list) }
        for partition in 0..<partitions {
            guard let entry = unsafe rd_kafka_topic_partition_list_add(list, topic, partition) else { continue }
            unsafe entry.pointee.offset = Int64(RD_KAFKA_OFFSET_BEGINNING)
        }
        let assigned = unsafe rd_kafka_assign(handle, list)
        if assigned != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaFailure(assigned) }
        var records: [Record] = []
        var ended: Set<Int32> = []
        let end = ContinuousClock.now + .seconds(seconds)
        while ended.count < Int(partitions) {
            if let refusal = mailbox.refusedLogIn { throw refusal }
            guard ContinuousClock.now < end else { throw .timedOut }
            guard let message = unsafe rd_kafka_consumer_poll(handle, 100) else { continue }
            defer { unsafe rd_kafka_message_destroy(message) }
            switch unsafe message.pointee.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR: unsafe records.append(KafkaClient.record(message.pointee))
            case RD_KAFKA_RESP_ERR__PARTITION_EOF: unsafe ended.insert(message.pointee.partition)
            case let error where KafkaClient.passes(error): continue
            case let error: throw unsafe KafkaFailure(error, String(cString: rd_kafka_message_errstr(message)))
            }
        }
        return records.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
    }

    /// Joins the group of this client for `topic`, reads until `count` records have come, and commits where it stands.
    public func consume(_ topic: String, count: Int, within seconds: Int = 30) throws(KafkaFailure) -> [Record] {
        guard let list = unsafe rd_kafka_topic_partition_list_new(1) else {
            throw KafkaFailure(RD_KAFKA_RESP_ERR__FAIL)
        }
        defer { unsafe rd_kafka_topic_partition_list_destroy(list) }
        unsafe _ = rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA)
        let subscribed = unsafe rd_kafka_subscribe(handle, list)
        if subscribed != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaFailure(subscribed) }
        var records: [Record] = []
        let end = ContinuousClock.now + .seconds(seconds)
        while records.count < count {
            if let refusal = mailbox.refusedLogIn { throw refusal }
            guard ContinuousClock.now < end else { throw .timedOut }
            guard let message = unsafe rd_kafka_consumer_poll(handle, 100) else { continue }
            defer { unsafe rd_kafka_message_destroy(message) }
            switch unsafe message.pointee.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR: unsafe records.append(KafkaClient.record(message.pointee))
            case RD_KAFKA_RESP_ERR__PARTITION_EOF: continue
            case let error where KafkaClient.passes(error): continue
            case let error: throw unsafe KafkaFailure(error, String(cString: rd_kafka_message_errstr(message)))
            }
        }
        let committed = unsafe rd_kafka_commit(handle, nil, 0)
        if committed != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaFailure(committed) }
        return records.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
    }

    /// The offsets that the group of this client has committed, partition by partition, asked of its coordinator; -1001 where
    /// there is none.
    public func committed(
        _ topic: String, partitions: Int32, within seconds: Int32 = 20
    ) throws(KafkaFailure) -> [Int64] {
        guard let list = unsafe rd_kafka_topic_partition_list_new(partitions) else {
            throw KafkaFailure(RD_KAFKA_RESP_ERR__FAIL)
        }
        defer { unsafe rd_kafka_topic_partition_list_destroy(list) }
        for partition in 0..<partitions { unsafe _ = rd_kafka_topic_partition_list_add(list, topic, partition) }
        let result = unsafe rd_kafka_committed(handle, list, seconds * 1000)
        if result != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaFailure(result) }
        return (0..<Int(partitions)).map { unsafe list.pointee.elems[$0].offset }
    }

    /// What a client sits out: a connection that is not there yet, a leader that is being looked for.
    private static func passes(_ error: rd_kafka_resp_err_t) -> Bool {
        switch error {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
            true
        default: false
        }
    }

    private static func record(_ message: rd_kafka_message_t) -> Record {
        let key = unsafe [UInt8](UnsafeRawBufferPointer(start: message.key, count: message.key_len))
        let value = unsafe [UInt8](UnsafeRawBufferPointer(start: message.payload, count: message.len))
        return unsafe Record(partition: message.partition, offset: message.offset, key: key, value: value)
    }
}

extension KafkaClient.LogIn {
    fileprivate var settings: [(String, String)] {
        switch self {
        case .none: []
        case .bearer: [("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanisms", "OAUTHBEARER")]
        case .plain(let user, let password):
            [
                ("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanisms", "PLAIN"), ("sasl.username", user),
                ("sasl.password", password),
            ]
        }
    }
}

/// What librdkafka's callbacks leave for the client: they come on its threads too.
private final class ClientMailbox: Sendable {
    let logIn: KafkaClient.LogIn
    private let logInRefusal = Mutex<KafkaFailure?>(nil)
    private let deliveryRefusal = Mutex<KafkaFailure?>(nil)

    init(_ logIn: KafkaClient.LogIn) { self.logIn = logIn }

    var refusedLogIn: KafkaFailure? { logInRefusal.withLock { $0 } }
    var refusedDelivery: KafkaFailure? { deliveryRefusal.withLock { $0 } }

    func note(_ failure: KafkaFailure) {
        if failure.isLogInRefused { logInRefusal.withLock { $0 = $0 ?? failure } }
    }
    func noteDelivery(_ failure: KafkaFailure) { deliveryRefusal.withLock { $0 = $0 ?? failure } }

    static func of(_ opaque: UnsafeMutableRawPointer?) -> ClientMailbox? {
        unsafe opaque.map { unsafe Unmanaged<ClientMailbox>.fromOpaque($0).takeUnretainedValue() }
    }
}

private func noteError(
    _ client: OpaquePointer?, _ error: Int32, _ reason: UnsafePointer<CChar>?, _ opaque: UnsafeMutableRawPointer?
) {
    let text = unsafe reason.map { unsafe String(cString: $0) }
    unsafe ClientMailbox.of(opaque)?.note(KafkaFailure(rd_kafka_resp_err_t(error), text))
}

private func noteDelivery(
    _ client: OpaquePointer?, _ message: UnsafePointer<rd_kafka_message_t>?, _ opaque: UnsafeMutableRawPointer?
) {
    guard let message = unsafe message, unsafe message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
    unsafe ClientMailbox.of(opaque)?.noteDelivery(KafkaFailure(message.pointee.err))
}

private func giveToken(
    _ client: OpaquePointer?, _ configuration: UnsafePointer<CChar>?, _ opaque: UnsafeMutableRawPointer?
) {
    guard let mailbox = unsafe ClientMailbox.of(opaque),
        case .bearer(let token, let subject, let expires) = mailbox.logIn
    else { return }
    var reason = [CChar](repeating: 0, count: 512)
    let result = unsafe rd_kafka_oauthbearer_set_token(
        client, token, expires * 1000, subject, nil, 0, &reason, reason.count)
    if result != RD_KAFKA_RESP_ERR_NO_ERROR {
        unsafe _ = rd_kafka_oauthbearer_set_token_failure(client, reason)
    }
}
