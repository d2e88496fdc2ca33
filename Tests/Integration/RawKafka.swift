import Foundation

/// Kafka requests by hand, for what no ordinary client does. Each answer is awaited for `seconds` at most.
final class RawKafka {
    private let connection: Connection
    private var correlation: Int32 = 0
    private var buffered: [UInt8] = []

    /// Logs in with a token (SASL/PLAIN), behind what a balancer would send first.
    init(port: UInt16, token: String, seconds: Int = 10, preface: [UInt8] = []) throws {
        connection = try Connection(port: port, seconds: seconds)
        connection.send(preface)
        var mechanism = RawFields()
        mechanism.append("PLAIN")
        var handshake = try call(key: 17, version: 1, mechanism)
        guard try handshake.int16() == 0 else { throw ProcessFailure(description: "no SASL/PLAIN") }
        var message = RawFields()
        message.append(bytes: Array("\0token\0\(token)".utf8))
        var answer = try call(key: 36, version: 0, message)
        guard try answer.int16() == 0 else { throw ProcessFailure(description: "the token was refused") }
    }

    func send(key: Int16, version: Int16, _ body: RawFields) {
        correlation += 1
        var frame = RawFields()
        frame.append(key)
        frame.append(version)
        frame.append(correlation)
        frame.append("raw")
        var length = RawFields()
        length.append(Int32(frame.bytes.count + body.bytes.count))
        connection.send(length.bytes + frame.bytes + body.bytes)
    }

    /// The body of the next answer; nil where the gateway closed instead.
    ///
    /// - Throws: where neither comes in time.
    func receive() throws -> RawFields? {
        while true {
            var head = RawFields(bytes: buffered)
            if let length = try? head.int32(), buffered.count >= 4 + Int(length) {
                let body = Array(buffered[8..<4 + Int(length)])
                buffered.removeFirst(4 + Int(length))
                return RawFields(bytes: body)
            }
            switch connection.receive() {
            case .bytes(let more): buffered += more
            case .closed: return nil
            case .nothing: throw ProcessFailure(description: "no answer")
            }
        }
    }

    func call(key: Int16, version: Int16, _ body: RawFields) throws -> RawFields {
        send(key: key, version: version, body)
        guard let answer = try receive() else { throw ProcessFailure(description: "closed instead of an answer") }
        return answer
    }

    /// The leader of each partition.
    ///
    /// - Parameter version: of Metadata. 1 is what the embedded cluster knows; up to 3 a broker might create what is asked
    ///   for, so that the gateway answers by itself for a topic that it has not heard of.
    func leaders(of topic: String, version: Int16 = 1) throws -> [Int32: Int32] {
        var request = RawFields()
        request.append(Int32(1))
        request.append(topic)
        if version >= 4 { request.append(Int8(0)) }
        var answer = try call(key: 3, version: version, request)
        if version >= 3 { _ = try answer.int32() }
        for _ in 0..<(try answer.int32()) {
            _ = (try answer.int32(), try answer.string(), try answer.int32(), try answer.string())
        }
        if version >= 2 { _ = try answer.string() }
        _ = (try answer.int32(), try answer.int32())
        _ = (try answer.int16(), try answer.string(), try answer.int8())
        var leaders: [Int32: Int32] = [:]
        for _ in 0..<(try answer.int32()) {
            _ = try answer.int16()
            let partition = try answer.int32()
            leaders[partition] = try answer.int32()
            for _ in 0..<2 { for _ in 0..<(try answer.int32()) { _ = try answer.int32() } }
        }
        return leaders
    }

    struct Place: Hashable {
        var topic: String
        var partition: Int32
    }

    struct Fetched {
        var error: Int16
        var session: Int32
        var partitions: [Place: (error: Int16, bytes: Int)] = [:]
    }

    /// Fetch 11 from offset zero.
    func sendFetch(session: Int32 = 0, epoch: Int32, _ places: [Place], wait milliseconds: Int32 = 500) {
        var request = RawFields()
        for number in [-1, milliseconds, 1, 1 << 20] { request.append(Int32(number)) }
        request.append(Int8(0))
        request.append(session)
        request.append(epoch)
        request.append(Int32(places.count))
        for place in places {
            request.append(place.topic)
            request.append(Int32(1))
            request.append(place.partition)
            request.append(Int32(-1))
            request.append(Int64(0))
            request.append(Int64(-1))
            request.append(Int32(1 << 20))
        }
        request.append(Int32(0))
        request.append("")
        send(key: 1, version: 11, request)
    }

    /// - Returns: nil where the gateway closed instead.
    func receiveFetch() throws -> Fetched? {
        guard var answer = try receive() else { return nil }
        _ = try answer.int32()
        var fetched = Fetched(error: try answer.int16(), session: try answer.int32())
        for _ in 0..<(try answer.int32()) {
            let topic = try answer.string()
            for _ in 0..<(try answer.int32()) {
                let place = Place(topic: topic, partition: try answer.int32())
                let error = try answer.int16()
                _ = (try answer.int64(), try answer.int64(), try answer.int64())
                let aborted = try answer.int32()
                if aborted > 0 { for _ in 0..<(2 * aborted) { _ = try answer.int64() } }
                _ = try answer.int32()
                let count = max(0, Int(try answer.int32()))
                try answer.skip(count)
                fetched.partitions[place] = (error, count)
            }
        }
        return fetched
    }

    func fetch(session: Int32 = 0, epoch: Int32, _ places: [Place], wait milliseconds: Int32 = 500) throws -> Fetched {
        sendFetch(session: session, epoch: epoch, places, wait: milliseconds)
        guard let fetched = try receiveFetch() else { throw ProcessFailure(description: "closed instead of an answer") }
        return fetched
    }
}

/// Fields of Kafka's older encoding, one behind the other.
struct RawFields {
    private(set) var bytes: [UInt8] = []
    private var at = 0

    init(bytes: [UInt8] = []) { self.bytes = bytes }

    mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
    mutating func append(_ text: String) {
        append(Int16(text.utf8.count))
        bytes += Array(text.utf8)
    }
    mutating func append(bytes more: [UInt8]) {
        append(Int32(more.count))
        bytes += more
    }

    mutating func int8() throws -> Int8 { try integer() }
    mutating func int16() throws -> Int16 { try integer() }
    mutating func int32() throws -> Int32 { try integer() }
    mutating func int64() throws -> Int64 { try integer() }
    /// Empty where it is null.
    mutating func string() throws -> String {
        let count = max(0, Int(try int16()))
        let start = at
        try skip(count)
        return String(decoding: bytes[start..<start + count], as: UTF8.self)
    }
    mutating func skip(_ count: Int) throws {
        guard count >= 0, count <= bytes.count - at else { throw ProcessFailure(description: "an answer cut short") }
        at += count
    }

    private mutating func integer<Value: FixedWidthInteger>() throws -> Value {
        let start = at
        try skip(MemoryLayout<Value>.size)
        return bytes[start..<at].reduce(into: Value(0)) { $0 = $0 << 8 | Value(truncatingIfNeeded: $1) }
    }
}
