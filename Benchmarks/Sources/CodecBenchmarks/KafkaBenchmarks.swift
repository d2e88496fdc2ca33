import TidegateCompression
import TidegateCore
import TidegateKafka
import TidegateWire

/// A relaying Kafka connection, one request and its answer.
final class KafkaExchange {
    private let connection: DrivenConnection
    private let request: [UInt8]
    private var answer: [UInt8]
    private let offsets: [Int]
    private let records: Int64
    private var offset: Int64 = 0

    /// What an event loop offers at a time.
    static let chunk = 32_768

    init(
        _ backend: KafkaBackend, maskers: [any Masker] = [], request: [UInt8], answer: [UInt8], offsets: [Int] = [],
        records: Int64 = 16, opening: (request: [UInt8], answer: [UInt8])? = nil
    ) {
        let surroundings = Surroundings(KafkaBackend.declaration, maskers: maskers)
        let session = surroundings.makeSession()
        connection = DrivenConnection(backend.makeMachine(for: session), surroundings, session: session)
        connection.tell(.accepted)
        connection.offer(KafkaBytes.saslHandshake(), from: .client)
        connection.offer(KafkaBytes.saslAuthenticate(), from: .client)
        connection.tell(.connected)
        if let opening {
            connection.offer(opening.request, from: .client)
            connection.offer(opening.answer, from: .backend)
        }
        self.request = request
        self.answer = answer
        self.offsets = offsets
        self.records = records
        run()
        precondition(toClient > self.answer.count / 2, "the answer does not reach the client")
    }

    /// The request from the client, the answer from the broker in chunks, then the evidence to its writer.
    func run() {
        for place in offsets {
            answer.replace(bigEndian: offset, at: place)
            offset += records
        }
        precondition(connection.offer(request, 0..<request.count, from: .client) == request.count)
        var at = 0
        var end = 0
        while at < answer.count {
            end = min(answer.count, max(end, at) + KafkaExchange.chunk)
            at += connection.offer(answer, at..<end, from: .backend)
            toClient &+= connection.bytesToClient
        }
        connection.surroundings.takeEvidence()
    }

    /// Bytes given to the client so far.
    private(set) var toClient = 0
}

/// Looks at each field, and edits each or none: what a masked topic costs beside the masking itself.
final class CopyingMasker: Masker {
    private let edits: Bool
    init(edits: Bool) { self.edits = edits }

    func mask(
        _ fields: Span<MaskField>, in bytes: RawSpan, for request: MaskRequest, into scratch: inout [UInt8],
        outcomes: inout [MaskOutcome],
        counters: inout MaskCounters
    ) -> Bool {
        for index in fields.indices {
            let range = fields[index].range
            guard edits, fields[index].part == .value, range.count >= 4 else {
                outcomes.append(.unchanged)
                continue
            }
            let start = scratch.count
            scratch.append(bytes: bytes.extracting(range))
            scratch.replace(bigEndian: UInt32(0x2a2a_2a2a), at: scratch.count - 4)
            outcomes.append(.edited(start..<scratch.count))
            counters.maskedFields &+= 1
        }
        return true
    }
}

extension Suite {
    /// Requests walked and decided, answers walked, admitted and passed.
    func addKafka(_ backend: KafkaBackend) {
        let nothing = KafkaBytes.fetchAnswer(partitions: 0, batches: 0, of: []).bytes
        for partitions in [1, 8, 64] {
            add(
                "kafka/fetch 17, \(partitions) partitions, empty answer", allocating: .counted, items: partitions,
                on: {
                    KafkaExchange(
                        backend, request: KafkaBytes.fetch(version: 17, partitions: partitions), answer: nothing)
                }, { $0.run() })
        }
        let inSession = KafkaBytes.fetchAnswer(partitions: 0, batches: 0, of: [], sessionID: 1).bytes
        add(
            "kafka/fetch 17, incremental, empty answer", allocating: .counted,
            on: {
                KafkaExchange(
                    backend, request: KafkaBytes.fetch(version: 17, partitions: 0, sessionEpoch: 1), answer: inSession,
                    opening: (KafkaBytes.fetch(version: 17, partitions: 8, sessionEpoch: 0), inSession))
            }, { $0.run() })

        for batches in [4, 64] {
            let answer = KafkaBytes.fetchAnswer(
                partitions: 1, batches: batches, of: KafkaBytes.batch(size: 16_384, records: 16))
            add(
                "kafka/fetch 17, answer of \(batches) batches", allocating: .counted, bytes: answer.bytes.count,
                items: batches,
                on: {
                    KafkaExchange(
                        backend, request: KafkaBytes.fetch(version: 17, partitions: 1), answer: answer.bytes,
                        offsets: answer.offsets)
                }, { $0.run() })
        }
        perUnit(
            "batch", small: "kafka/fetch 17, answer of 4 batches", large: "kafka/fetch 17, answer of 64 batches",
            units: 60)

        for version in [12, 13] as [Int16] {
            for partitions in [1, 24, 64] {
                let request = KafkaBytes.produce(version: version, partitions: partitions, batchSize: 1024)
                add(
                    "kafka/produce \(version), \(partitions) batches, and the answer", allocating: .counted,
                    bytes: request.count, items: partitions,
                    on: {
                        KafkaExchange(
                            backend, request: request,
                            answer: KafkaBytes.produceAnswer(version: version, partitions: partitions))
                    }, { $0.run() })
            }
        }
        // From 17 partitions on a request has a table of them: one more allocation, however many they are.
        perUnit(
            "batch", small: "kafka/produce 13, 24 batches, and the answer",
            large: "kafka/produce 13, 64 batches, and the answer", units: 40)
    }

    /// Answers that are held, decoded, looked at and, where something was edited, written anew; rates are of the clear values.
    func addHeldFetch(_ backend: KafkaBackend, _ maskers: [(name: String, masker: any Masker)]) throws {
        let count = 24
        for codec in [CompressionCodec.none, .lz4, .zstd] {
            let answer = KafkaBytes.fetchAnswer(
                partitions: 1, batches: 4, of: try KafkaBytes.batch(orders: count, codec: codec))
            for (name, masker) in maskers {
                add(
                    "kafka/fetch 17, 4 batches of \(count) orders in \(codec), \(name)", allocating: .counted,
                    bytes: 4 * count * 667, items: 4 * count,
                    on: {
                        KafkaExchange(
                            backend, maskers: [masker], request: KafkaBytes.fetch(version: 17, partitions: 1),
                            answer: answer.bytes, offsets: answer.offsets, records: Int64(count))
                    }, { $0.run() })
            }
        }
    }
}
