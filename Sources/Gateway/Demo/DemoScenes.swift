import Foundation
import TidegateCrypto

/// What each person gets through the gateway, and what is written down about it.
struct DemoScenes {
    let screen: DemoScreen
    let issuer: DevelopmentIssuer
    /// The gateway's.
    let address: String
    /// As the broker has them, in order.
    let clear: [KafkaClient.Record]

    func play(evidence directory: String) async throws {
        let masked = try await analystReads()
        let owned = try await ownerReads()
        if let broker = clear.first.flatMap({ FlatJSON($0.value) }),
            let analyst = masked.first.flatMap({ FlatJSON($0.value) }),
            let owner = owned.first.flatMap({ FlatJSON($0.value) })
        {
            screen.title("The same record, three times")
            screen.compare([
                ("on the broker", broker), ("as the analyst gets it", analyst), ("as the data owner gets it", owner),
            ])
        }
        await refusals()
        try await checkEvidence(directory)
    }

    // MARK: Reading

    private func analystReads() async throws -> [KafkaClient.Record] {
        screen.title("The analyst reads with a consumer group (SASL/OAUTHBEARER)")
        let token = try mint(.analyst)
        let (address, count) = (address, clear.count)
        let logIn = KafkaClient.LogIn.bearer(
            token: token, subject: "analyst", expires: Int64(Date().timeIntervalSince1970) + 3600)
        do {
            let (records, committed) = try await blocking {
                let client = try KafkaClient.consumer(
                    bootstrap: address, group: DemoConfiguration.analystGroup, logIn: logIn)
                let records = try client.consume(DemoConfiguration.topic, count: count)
                return (records, try client.committed(DemoConfiguration.topic, partitions: DemoStory.partitions))
            }
            let ends = (0..<DemoStory.partitions).map { partition in
                Int64(clear.count { $0.partition == partition })
            }
            screen.step(
                "\(records.count) orders arrive, and the group's offsets are committed",
                problem: records.count != count
                    ? "\(count) were there" : committed == ends ? nil : "\(committed) instead of \(ends)")
            screen.step(
                "cards, names, e-mails, phones and addresses are masked, all else is as it was",
                problem: zip(clear, records).lazy.compactMap(DemoScenes.unmasked).first)
            return records
        } catch {
            screen.step("the analyst reads", problem: "\(error)")
            return []
        }
    }

    private func ownerReads() async throws -> [KafkaClient.Record] {
        screen.title("The data owner reads (SASL/PLAIN with the token as password)")
        let (address, logIn) = (address, KafkaClient.LogIn.plain(user: "token", password: try mint(.dataOwner)))
        do {
            let records = try await blocking {
                try KafkaClient.consumer(bootstrap: address, group: DemoConfiguration.ownerGroup, logIn: logIn)
                    .readAll(DemoConfiguration.topic, partitions: DemoStory.partitions)
            }
            screen.step(
                "\(records.count) orders arrive byte for byte as the broker has them",
                problem: records == clear ? nil : "something differs")
            return records
        } catch {
            screen.step("the data owner reads", problem: "\(error)")
            return []
        }
    }

    /// What is wrong with one record that the analyst got, or nil.
    private static func unmasked(_ broker: KafkaClient.Record, _ analyst: KafkaClient.Record) -> String? {
        let place = "partition \(analyst.partition), offset \(analyst.offset)"
        guard broker.partition == analyst.partition, broker.offset == analyst.offset, broker.key == analyst.key else {
            return "\(place) is another record"
        }
        guard let clear = FlatJSON(broker.value), let masked = FlatJSON(analyst.value) else {
            return "\(place) is no JSON"
        }
        guard clear.fields.keys == masked.fields.keys else { return "\(place) has other fields" }
        for (name, value) in clear.fields {
            let isHidden = masked.fields[name] != value
            if isHidden != DemoConfiguration.hides(name) {
                return "\(name) at \(place) \(isHidden ? "should be as it was" : "is not masked")"
            }
        }
        let card = "payment.card.number"
        guard let number = clear.fields[card], let shown = masked.fields[card], shown.hasSuffix(number.suffix(4)),
            !shown.contains(number.dropLast(4).suffix(6))
        else { return "\(card) at \(place) does not end in its last four digits alone" }
        return nil
    }

    // MARK: Refusals

    private func refusals() async {
        screen.title("What is refused, in Kafka's own words")
        let (address, clear) = (address, clear)
        await refused("the contractor reads", with: \.isReadDenied) {
            let logIn = KafkaClient.LogIn.plain(user: "token", password: try mint(.contractor))
            return try await blocking {
                try KafkaClient.consumer(bootstrap: address, group: "contractor-job", logIn: logIn)
                    .readAll(DemoConfiguration.topic, partitions: DemoStory.partitions).count
            }
        }
        await refused("the analyst writes", with: \.isTopicDenied) {
            let logIn = KafkaClient.LogIn.plain(user: "token", password: try mint(.analyst))
            return try await blocking {
                try KafkaClient.producer(bootstrap: address, logIn: logIn)
                    .produce(Array(clear.prefix(1)), to: DemoConfiguration.topic)
                return 1
            }
        }
        await refused("somebody with a token of his own making", with: \.isLogInRefused) {
            guard let key = SigningKey() else { throw DemoError("OpenSSL makes no key") }
            let forged = try DevelopmentTokens(key: key, issuer: issuer.url)
                .mint(subject: "data-owner", groups: ["data-owners"])
            return try await blocking {
                try KafkaClient.consumer(
                    bootstrap: address, group: "stranger", logIn: .plain(user: "token", password: forged)
                ).readAll(DemoConfiguration.topic, partitions: DemoStory.partitions).count
            }
        }
    }

    private func refused(
        _ who: String, with isExpected: KeyPath<KafkaFailure, Bool>, _ attempt: () async throws -> Int
    ) async {
        do {
            let count = try await attempt()
            screen.step("\(who): refused", problem: "\(count) records passed")
        } catch let failure as KafkaFailure {
            screen.step(
                "\(who): \(failure.name) (\(failure.code))", problem: failure[keyPath: isExpected] ? nil : failure.text)
        } catch {
            screen.step("\(who): refused", problem: "\(error)")
        }
    }

    // MARK: Evidence

    private func checkEvidence(_ directory: String) async throws {
        screen.title("What the evidence says (\(directory))")
        var expected: [Int32: IndexSet] = [:]
        for record in clear { expected[record.partition, default: IndexSet()].insert(Int(record.offset)) }
        let evidence = try await settled(directory)
        for person in [DemoPerson.analyst, .dataOwner] {
            let delivered = evidence.delivered(to: person.name)
            let words = delivered.sorted { $0.key < $1.key }.map { partition, offsets in
                "\(partition): "
                    + offsets.rangeView.map { "\($0.lowerBound)–\($0.upperBound - 1)" }.joined(separator: ", ")
            }
            screen.step(
                "\(person.name) was handed \(words.joined(separator: "; ")) (partition: offsets)",
                problem: delivered == expected ? nil : "the broker has \(clear.count) records")
        }
        let masked = evidence.lines.filter { $0.type == "records.delivered" && $0.subject == "analyst" }
        screen.step(
            "the analyst's lines count \(masked.reduce(0) { $0 + ($1.maskedFields ?? 0) }) masked fields",
            problem: masked.contains { $0.maskedFields ?? 0 > 0 } ? nil : "none")
        screen.step(
            "the contractor was denied, and handed nothing",
            problem: evidence.text("operation.denied", of: "contractor") == nil
                ? "no line says so" : evidence.delivered(to: "contractor").isEmpty ? nil : "records were handed over")
        let secrets = clear.compactMap { FlatJSON($0.value)?.fields["payment.card.number"] }
        screen.step(
            "no card number stands in the evidence",
            problem: evidence.texts.contains { text in secrets.contains { text.contains($0) } } ? "one does" : nil)
        for line in [
            evidence.text("records.delivered", of: "analyst"), evidence.text("operation.denied", of: "contractor"),
        ] {
            if let line { screen.note(line.count > 700 ? line.prefix(700) + "…" : line) }
        }
    }

    /// Deliveries are written before they are released; a denial a moment after it was spoken.
    private func settled(_ directory: String) async throws -> DemoEvidence {
        let end = ContinuousClock.now + .seconds(5)
        while true {
            let evidence = try DemoEvidence(directory: directory)
            if evidence.text("operation.denied", of: "contractor") != nil || ContinuousClock.now > end {
                return evidence
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func mint(_ person: DemoPerson) throws -> String {
        try issuer.mint(subject: person.name, groups: person.groups)
    }
}
