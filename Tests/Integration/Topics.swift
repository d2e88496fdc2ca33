import Foundation
import Testing
import TidegateDemo

/// Topics of the shared brokers, and records in them, made without the gateway where no other way is given.
extension KafkaServers {
    /// A name that no other test uses.
    func fresh(_ name: String) -> String { "clients-\(name)-\(UUID().uuidString.prefix(8))" }

    /// Topics with three partitions each, on a broker each.
    func create(_ topics: [String], _ way: PythonClient.Way? = nil) throws {
        let lines = try PythonClient.confluent.run("create", way ?? .direct(self), topic: topics.joined(separator: ","))
        try #require(lines.count == topics.count)
    }

    /// Appends records with the keys `first` and up to one partition.
    func write(_ count: Int, to topic: String, partition: Int32 = 0, first: Int = 0) throws {
        let records = (first..<first + count).map { number in
            KafkaClient.Record(
                partition: partition, offset: 0, key: Array("k\(number)".utf8), value: Array("{\"n\":\(number)}".utf8))
        }
        try KafkaClient.producer(bootstrap: bootstrap, logIn: logIn).produce(records, to: topic)
    }
}
