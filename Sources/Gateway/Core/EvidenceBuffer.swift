/// A number that rises with every entry of one loop's evidence: what waits for `n` may leave when `n` is durable. Zero
/// waits for nothing.
public typealias Ticket = UInt64

/// The evidence of one event loop, between its sessions and the writer: lines of JSON without their closing digest.
///
/// Not Sendable, not locked: the loop hands the bytes to the writer once a wake-up. Deliveries of one session that follow
/// each other without a gap become one line.
public final class EvidenceBuffer {
    /// In strict mode tickets count; otherwise nothing waits.
    public var isStrict: Bool
    /// Set by the loop when the writer has failed and the operator chose to stop: nothing is admitted.
    public var isBroken = false {
        // What was handed over has been given up.
        didSet { if isBroken { forget(upTo: lastTicket) } }
    }
    private var bytes: [UInt8] = []
    private var lastTicket: Ticket = 0
    private var pending: Pending?
    private var rejections = Rejections()
    private let log: RefusalLog?

    /// Lines that were taken and are not durable yet, oldest first.
    private var taken: [Taken] = []
    private var takenBytes = 0
    /// Of the last line.
    private var time = Instant.distantPast
    /// `"PREFIX-`: what every id begins with.
    private let idStart: [UInt8]

    private struct Pending {
        var delivery: Delivery
        var form: PositionForm
        var session: UInt64
        /// Of the decision cache: resource, action and what it is within.
        var line: UInt32
        var rule: Int32
        var mask: MaskIndex
        var ticket: Ticket
        var time: Instant
        /// The session's members and the operation's, and the rule's behind the delivery's own: shared, not copied.
        var head: [UInt8]
        var tail: [UInt8]
    }

    private struct Taken {
        var ticket: Ticket
        var bytes: Int
        var since: Instant
    }

    /// Beyond so many bytes behind storage that has not answered for so long, what can wait is refused.
    static let fullBytes = 32 << 20
    static let patienceSeconds: Int64 = 5
    /// What is kept of a buffer that has grown.
    private static let keptBytes = 1 << 20

    /// Rejected sessions cost a peer nothing: beyond so many a second they are counted.
    private struct Rejections {
        static let limit = 50
        static let reasonLimit = 64
        var second: Int64 = .min
        var written = 0
        var counts: [String: UInt64] = [:]
    }

    /// - Parameters:
    ///   - idPrefix: makes entry ids unique over loops and restarts.
    ///   - log: is told what is refused.
    public init(isStrict: Bool, idPrefix: String, log: RefusalLog? = nil) {
        self.isStrict = isStrict
        self.log = log
        idStart = Array("\"\(idPrefix)-".utf8)
    }

    /// True where something waits for the writer.
    public var hasEntries: Bool { pending != nil || !bytes.isEmpty }

    /// Takes all lines, each ended by a newline, and says up to which ticket they go.
    ///
    /// - Parameter lines: what was taken the last time; its memory is used again, unless it is much.
    public func take(into lines: inout [UInt8]) -> Ticket {
        flush()
        if lines.capacity > EvidenceBuffer.keptBytes { lines = [] } else { lines.removeAll(keepingCapacity: true) }
        swap(&lines, &bytes)
        taken.append(Taken(ticket: lastTicket, bytes: lines.count, since: time))
        takenBytes += lines.count
        return lastTicket
    }

    /// Everything up to `ticket` is durable, or given up.
    public func forget(upTo ticket: Ticket) {
        let count = taken.prefix { $0.ticket <= ticket }.count
        for batch in taken[..<count] { takenBytes -= batch.bytes }
        taken.removeFirst(count)
    }

    /// Bytes of lines that are not durable yet.
    public var pendingBytes: Int { takenBytes + bytes.count }

    /// True where much has piled up behind storage that does not answer: no session begins, and what no line says yet is
    /// refused. What is under way goes on, and waits.
    func isFull(at now: Instant) -> Bool {
        guard pendingBytes > EvidenceBuffer.fullBytes, let oldest = taken.first else { return false }
        return now >= oldest.since.advanced(bySeconds: EvidenceBuffer.patienceSeconds)
    }

    /// Writes one event: `members` appends `,"key":value` members behind those of the session.
    ///
    /// - Parameter isRefusal: the log says it too.
    /// - Returns: the ticket to wait for; zero in relaxed mode.
    @discardableResult
    public func write(
        _ type: StaticString, at now: Instant, session: [UInt8], isRefusal: Bool = false,
        _ members: (inout [UInt8]) -> Void
    ) -> Ticket {
        flush()
        lastTicket += 1
        begin(type, at: now, ticket: lastTicket)
        let start = bytes.count
        bytes.append(contentsOf: session)
        members(&bytes)
        if isRefusal { tell(type, at: now, bytes[start...]) }
        end()
        return isStrict ? lastTicket : 0
    }

    private func tell(_ type: StaticString, at now: Instant, _ members: ArraySlice<UInt8>) {
        guard let log else { return }
        var event: [UInt8] = [UInt8(ascii: " ")]
        JSONText.member("type", "\(type)", to: &event)
        log.tell("refused", at: now, event.dropFirst() + members)
    }

    /// Writes that a session was rejected; beyond 50 in a second, and while storage does not answer, it is counted by
    /// reason instead, for one line a second and reason.
    ///
    /// - Returns: the ticket to wait for; zero in relaxed mode, and for what is only counted.
    func reject(_ reason: String, at now: Instant, session: [UInt8]) -> Ticket {
        settle(at: now)
        var members = session
        JSONText.member("reason", reason, to: &members)
        tell("session.rejected", at: now, members[...])
        let second = now.nanoseconds / 1_000_000_000
        if rejections.second != second { (rejections.second, rejections.written) = (second, 0) }
        guard rejections.written < Rejections.limit, !isFull(at: now) else {
            let isKnown = rejections.counts[reason] != nil || rejections.counts.count < Rejections.reasonLimit
            rejections.counts[isKnown ? reason : "other reasons", default: 0] += 1
            return 0
        }
        rejections.written += 1
        return write("session.rejected", at: now, session: members) { _ in }
    }

    /// Writes the rejections that were only counted, once their second is over and storage takes them. Asked by the loop at
    /// each wake-up.
    public func settle(at now: Instant) {
        log?.settle(at: now)
        guard !rejections.counts.isEmpty, now.nanoseconds / 1_000_000_000 != rejections.second, !isFull(at: now) else {
            return
        }
        let counts = rejections.counts
        rejections.counts = [:]
        for (reason, count) in counts.sorted(by: { $0.key < $1.key }) {
            write("session.rejected", at: now, session: []) {
                JSONText.member("reason", reason, to: &$0)
                JSONText.member("count", count, to: &$0)
            }
        }
    }

    private func begin(_ type: StaticString, at now: Instant, ticket: Ticket) {
        time = now
        JSONText.append(literal: "{\"type\":\"", to: &bytes)
        JSONText.append(literal: type, to: &bytes)
        JSONText.append(literal: "\",\"time\":\"", to: &bytes)
        now.append(rfc3339: &bytes)
        JSONText.append(literal: "\",\"id\":", to: &bytes)
        bytes.append(contentsOf: idStart)
        JSONText.append(number: Int64(clamping: ticket), to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    private func end() { JSONText.append(literal: "}\n", to: &bytes) }

    /// Joins a delivery at positions level to the one before, where it continues it.
    ///
    /// - Returns: nil where it does not; then `open` it.
    func extend(_ delivery: Delivery, session: UInt64, line: UInt32, rule: Int32, mask: MaskIndex) -> Ticket? {
        guard let current = pending, current.session == session, current.line == line, current.rule == rule,
            current.mask == mask,
            current.delivery.resource == delivery.resource, current.delivery.part == delivery.part,
            current.delivery.towards == delivery.towards, current.delivery.wireName == delivery.wireName,
            current.delivery.isDryRun == delivery.isDryRun, EvidenceBuffer.continues(current, delivery)
        else { return nil }
        pending?.delivery.last = delivery.last
        pending?.delivery.records &+= delivery.records
        pending?.delivery.maskedFields &+= delivery.maskedFields
        pending?.delivery.maskFailures &+= delivery.maskFailures
        pending?.delivery.openedFields &+= delivery.openedFields
        pending?.delivery.bytes &+= delivery.bytes
        return isStrict ? lastTicket : 0
    }

    /// True where the positions go on where the open line's end; values of one key have none, and go on always.
    private static func continues(_ current: Pending, _ delivery: Delivery) -> Bool {
        guard let first = delivery.first, let last = current.delivery.last, delivery.last != nil else {
            return current.form == .entry && delivery.first == nil && current.delivery.first == nil
        }
        return first.major == last.major && first.minor > last.minor && first.minor - last.minor == 1
    }

    /// Notes a delivery at positions level. Its line stays open for those that follow it.
    func open(
        _ delivery: Delivery, _ form: PositionForm, session: UInt64, line: UInt32, rule: Int32, mask: MaskIndex,
        at now: Instant, head: [UInt8], tail: [UInt8]
    ) -> Ticket {
        flush()
        lastTicket += 1
        pending = Pending(
            delivery: delivery, form: form, session: session, line: line, rule: rule, mask: mask, ticket: lastTicket,
            time: now,
            head: head,
            tail: tail)
        return isStrict ? lastTicket : 0
    }

    /// Writes the delivery that is still open: no later one continues it.
    func closeDelivery() { flush() }

    private func flush() {
        guard let open = pending else { return }
        pending = nil
        let type: StaticString = open.delivery.towards == .client ? "records.delivered" : "records.produced"
        begin(type, at: open.time, ticket: open.ticket)
        bytes.append(contentsOf: open.head)
        EvidenceBuffer.members(of: open.delivery, open.form, to: &bytes)
        bytes.append(contentsOf: open.tail)
        end()
    }

    /// `positions` (the partition alone where none are known), `records`, `bytes`, `masked_fields`, `mask_failures`,
    /// `opened_fields`; in a dry run `would_mask_fields`, `would_fail`.
    static func members(of delivery: Delivery, _ form: PositionForm, to bytes: inout [UInt8]) {
        JSONText.key("positions", to: &bytes)
        switch form {
        case .offset: JSONText.append(literal: "[{\"partition\":", to: &bytes)
        case .entry: JSONText.append(literal: "[{\"database\":", to: &bytes)
        }
        JSONText.append(number: Int64(delivery.part), to: &bytes)
        if let first = delivery.first, let last = delivery.last {
            JSONText.append(literal: ",\"first\":", to: &bytes)
            append(first, form, to: &bytes)
            JSONText.append(literal: ",\"last\":", to: &bytes)
            append(last, form, to: &bytes)
        }
        JSONText.append(literal: "}]", to: &bytes)
        JSONText.member("records", delivery.records, to: &bytes)
        JSONText.member("bytes", delivery.bytes, to: &bytes)
        if delivery.isDryRun {
            // Also where it is none: a dry run must not look like a mask that found nothing.
            JSONText.member("would_mask_fields", delivery.maskedFields, to: &bytes)
            if delivery.maskFailures > 0 { JSONText.member("would_fail", delivery.maskFailures, to: &bytes) }
        } else {
            if delivery.maskedFields > 0 { JSONText.member("masked_fields", delivery.maskedFields, to: &bytes) }
            if delivery.maskFailures > 0 { JSONText.member("mask_failures", delivery.maskFailures, to: &bytes) }
        }
        if delivery.openedFields > 0 { JSONText.member("opened_fields", delivery.openedFields, to: &bytes) }
    }

    static func append(_ position: Position, _ form: PositionForm, to bytes: inout [UInt8]) {
        switch form {
        case .offset: JSONText.append(number: Int64(clamping: position.minor), to: &bytes)
        case .entry: JSONText.append("\(position.major)-\(position.minor)", to: &bytes)
        }
    }
}
