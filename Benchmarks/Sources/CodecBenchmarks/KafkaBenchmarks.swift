import TidegateCore
import TidegateKafka
import TidegateWire

/// A relaying Kafka connection, one request and its answer.
final class KafkaExchange {
    private let connection: DrivenConnection
    private let request: [UInt8]
    private var answer: [UInt8]
    private let offsets: [Int]
    private var offset: Int64 = 0

    /// What an event loop offers at a time.
    static let chunk = 32_768

    init(
        _ backend: KafkaBackend, maskers: [any Masker] = [], request: [UInt8], answer: [UInt8], offsets: [Int] = [],
        opening: (request: [UInt8], answer: [UInt8])? = nil
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
    }

    /// The request from the client, the answer from the broker in chunks, then the evidence to its writer.
    func run() {
        for place in offsets {
            answer.replace(bigEndian: offset, at: place)
            offset += 16
        }
        precondition(connection.offer(request, 0..<request.count, from: .client) == request.count)
        var at = 0
        var end = 0
        while at < answer.count {
            end = min(answer.count, max(end, at) + KafkaExchange.chunk)
            at += connection.offer(answer, at..<end, from: .backend)
        }
        connection.surroundings.takeEvidence()
    }
}

extension Suite {
    /// Requests walked and decided, answers walked, admitted and passed.
    func addKafka(_ backend: KafkaBackend) {
        let nothing = KafkaBytes.fetchAnswer(partitions: 0, batches: 0, batchSize: 0).bytes
        for partitions in [1, 8, 64] {
            add(
                "kafka/fetch 17, \(partitions) partitions, empty answer", allocating: .counted, items: partitions,
                on: {
                    KafkaExchange(
                        backend, request: KafkaBytes.fetch(version: 17, partitions: partitions), answer: nothing)
                }, { $0.run() })
        }
        let inSession = KafkaBytes.fetchAnswer(partitions: 0, batches: 0, batchSize: 0, sessionID: 1).bytes
        add(
            "kafka/fetch 17, incremental, empty answer", allocating: .counted,
            on: {
                KafkaExchange(
                    backend, request: KafkaBytes.fetch(version: 17, partitions: 0, sessionEpoch: 1), answer: inSession,
                    opening: (KafkaBytes.fetch(version: 17, partitions: 8, sessionEpoch: 0), inSession))
            }, { $0.run() })

        let batchSize = 16_384
        for batches in [4, 64] {
            let answer = KafkaBytes.fetchAnswer(partitions: 1, batches: batches, batchSize: batchSize)
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
            for partitions in [1, 64] {
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
    }
}
