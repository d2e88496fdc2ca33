import CRdKafka

/// librdkafka's Kafka cluster inside this process, on loopback ports that the kernel chose: three brokers, with ids from 1.
///
/// It speaks plaintext, keeps what was produced in memory, and knows topics, groups and idempotent producers, but no
/// authorization: that is the gateway's part.
@safe
public final class MockCluster: Sendable {
    // librdkafka locks the cluster by itself; the handles are freed in deinit only.
    nonisolated(unsafe) private let client: OpaquePointer
    nonisolated(unsafe) private let cluster: OpaquePointer
    /// `host:port` of all brokers, separated by commas.
    public let bootstrap: String

    /// - Throws: where no port could be bound.
    public init(brokers: Int32 = 3) throws(KafkaFailure) {
        var reason = [CChar](repeating: 0, count: 512)
        guard let configuration = unsafe rd_kafka_conf_new() else { throw KafkaFailure(RD_KAFKA_RESP_ERR__FAIL) }
        unsafe rd_kafka_conf_set_log_cb(configuration, nil)
        guard let client = unsafe rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &reason, reason.count) else {
            unsafe rd_kafka_conf_destroy(configuration)
            throw KafkaFailure(setting: "mock cluster", KafkaFailure.text(reason))
        }
        guard let cluster = unsafe rd_kafka_mock_cluster_new(client, brokers) else {
            unsafe rd_kafka_destroy(client)
            throw KafkaFailure(RD_KAFKA_RESP_ERR__FAIL, "the embedded cluster does not start")
        }
        unsafe self.client = client
        unsafe self.cluster = cluster
        bootstrap = unsafe String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    }

    deinit {
        unsafe rd_kafka_mock_cluster_destroy(cluster)
        unsafe rd_kafka_destroy(client)
    }

    /// Creates a topic with a leader on each broker in turn.
    public func create(topic: String, partitions: Int32, replicas: Int32 = 3) throws(KafkaFailure) {
        let result = unsafe rd_kafka_mock_topic_create(cluster, topic, partitions, replicas)
        if result != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaFailure(result) }
        for partition in 0..<partitions {
            unsafe _ = rd_kafka_mock_partition_set_leader(cluster, topic, partition, partition % replicas + 1)
        }
    }

    /// A broker goes away or comes back; its port stays its own.
    public func set(broker: Int32, up: Bool) throws(KafkaFailure) {
        let result =
            unsafe up ? rd_kafka_mock_broker_set_up(cluster, broker) : rd_kafka_mock_broker_set_down(cluster, broker)
        if result != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaFailure(result) }
    }
}
