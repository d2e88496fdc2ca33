import Testing
import TidegateDemo

struct MockClusterTests {
    static func samples(_ count: Int, partitions: Int) -> [KafkaClient.Record] {
        var orders = SampleOrders()
        return (0..<count).map { number in
            let order = orders.next(number)
            return KafkaClient.Record(
                partition: Int32(number % partitions), offset: Int64(number / partitions), key: Array(order.id.utf8),
                value: Array(order.json.utf8))
        }
    }

    @Test func `three brokers keep what is produced, each partition in order`() throws {
        let cluster = try MockCluster()
        #expect(cluster.bootstrap.split(separator: ",").count == 3)
        try cluster.create(topic: "orders", partitions: 3)
        let written = MockClusterTests.samples(30, partitions: 3)
        try KafkaClient.producer(bootstrap: cluster.bootstrap).produce(written, to: "orders")
        let read = try KafkaClient.consumer(bootstrap: cluster.bootstrap, group: "all").readAll("orders", partitions: 3)
        #expect(read == written.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) })
    }

    @Test func `a group consumes and commits, and every other member can tell where it stands`() throws {
        let cluster = try MockCluster()
        try cluster.create(topic: "orders", partitions: 3)
        try KafkaClient.producer(bootstrap: cluster.bootstrap)
            .produce(MockClusterTests.samples(12, partitions: 3), to: "orders")
        let other = try KafkaClient.consumer(bootstrap: cluster.bootstrap, group: "analytics")
        #expect(try other.committed("orders", partitions: 3).allSatisfy { $0 < 0 })
        let first = try KafkaClient.consumer(bootstrap: cluster.bootstrap, group: "analytics")
        #expect(try first.consume("orders", count: 12).count == 12)
        #expect(try other.committed("orders", partitions: 3) == [4, 4, 4])
    }

    @Test func `a topic that is there already is an error that names it so`() throws {
        let cluster = try MockCluster(brokers: 1)
        try cluster.create(topic: "orders", partitions: 1, replicas: 1)
        let failure = #expect(throws: KafkaFailure.self) {
            try cluster.create(topic: "orders", partitions: 1, replicas: 1)
        }
        #expect(failure?.name == "TOPIC_ALREADY_EXISTS")
    }
}
