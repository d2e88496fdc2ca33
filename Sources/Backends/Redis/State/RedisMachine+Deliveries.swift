import TidegateCore
import TidegateWire

/// Answers with anybody's values in them: looked at, masked, admitted, and written down.
///
/// First everything is asked that may take time, then deliveries are admitted and the answer is sent.
extension RedisMachine {
    /// Gives the client the reply that `deliveries` holds.
    ///
    /// - Parameter isMessage: it answers no command, and may be left out.
    mutating func deliver(
        _ reply: Range<Int>, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput,
        isMessage: Bool = false
    ) -> Progress {
        guard work.deliveries.hasNames else {
            return deliver(reply, of: window, isWindow: true, &governor, &output, isMessage: isMessage)
        }
        // Names that the commands gave go behind the reply, so that a mask finds both in the same bytes.
        var together = window.bytes(reply)
        var names: [[Range<Int>]] = []
        for answer in work.deliveries.answers {
            names.append(
                (answer.names ?? []).map { name in
                    together.append(contentsOf: name)
                    return (together.count - name.count)..<together.count
                })
        }
        work.deliveries.move(by: -reply.lowerBound)
        defer { work.deliveries.move(by: reply.lowerBound) }
        return unsafe deliver(
            0..<reply.count, of: together.span.bytes, isWindow: false, names: names, &governor, &output,
            isMessage: isMessage)
    }

    private mutating func deliver(
        _ reply: Range<Int>, of bytes: RawSpan, isWindow: Bool, names: [[Range<Int>]] = [], _ governor: inout Governor,
        _ output: inout WireOutput, isMessage: Bool
    ) -> Progress {
        work.parts.empty()
        for index in work.deliveries.answers.indices {
            find(index, names.isEmpty ? [] : names[index], bytes, &governor)
        }
        let start = output.scratch.count
        guard mask(bytes, &governor, &output) else {
            output.scratch.removeLast(output.scratch.count - start)
            output.park(.backend)
            return .parked
        }
        work.edits.empty()
        for index in work.deliveries.answers.indices {
            guard admit(index, bytes, &governor, &output) else { return .done }
        }
        guard let clearance = governor.openClearance() else {
            output.close(.refused(Refusal(.revoked)))
            return .done
        }
        if isMessage {
            // A message that may not be seen is none.
            if work.deliveries.answers[0].replacement == nil { send(reply, bytes, isWindow, under: clearance, &output) }
            output.boundary(.client)
        } else {
            send(reply, bytes, isWindow, under: clearance, &output)
            finishAnswer(&output)
        }
        return .done
    }

    private mutating func send(
        _ reply: Range<Int>, _ bytes: RawSpan, _ isWindow: Bool, under clearance: Clearance, _ output: inout WireOutput
    ) {
        if work.edits.isEmpty, isWindow { return output.pass(reply, to: .client, under: clearance) }
        let range = work.edits.assemble(reply, of: bytes, into: &output.scratch)
        output.put(range, to: .client, under: clearance)
    }

    // MARK: Looking

    /// Finds what one answer holds, and renews the rights to it. What is not understood, or no longer allowed, is given to
    /// nobody.
    private mutating func find(
        _ index: Int, _ names: [Range<Int>], _ bytes: RawSpan, _ governor: inout Governor
    ) {
        let answer = work.deliveries[answer: index]
        var isLost = false
        work.parts.wantsFields = false
        for place in answer.asked {
            guard let fresh = governor.renew(work.deliveries[asked: place].clearance) else {
                isLost = true
                continue
            }
            work.deliveries[asked: place].clearance = fresh
            if !fresh.mask.isNone || fresh.recording == .messages { work.parts.wantsFields = true }
        }
        let firstRun = work.parts.runs.count
        let firstList = work.parts.lists.count
        var lastFound = 0
        var walk = ReplyWalk(answer.range)
        walk.names = names
        var isUnderstood = true
        var renamed: [UInt8]?
        let asked = work.deliveries.asked[answer.asked]
        do throws(ShapeFailure) {
            renamed = try self.renamed(answer, bytes, governor)
            try walk.find(answer.entry.shape, in: bytes, into: &work.parts) { name in
                RedisMachine.place(of: name, bytes, asked, from: &lastFound, &governor)
            }
            for run in work.parts.runs[firstRun...] where run.target >= answer.asked.count {
                throw ShapeFailure()
            }
        } catch { isUnderstood = false }
        work.deliveries[answer: index].runs = firstRun..<work.parts.runs.count
        work.deliveries[answer: index].lists = firstList..<work.parts.lists.count
        if !isUnderstood {
            governor.refuseRequest(WireName(answer.entry.rule), "an answer that is not understood")
            work.deliveries[answer: index].replacement = RedisMachine.notUnderstood
            work.deliveries[answer: index].runs = firstRun..<firstRun
        } else if isLost {
            work.deliveries[answer: index].replacement = RESPText.error("NOPERM \(Refusal(.revoked).reason)")
        } else {
            work.deliveries[answer: index].replacement = renamed
        }
    }

    /// The number of the target that a name in an answer is; servers answer in the order of the request, so that the search
    /// goes on where the last one ended.
    private static func place(
        of name: Range<Int>, _ bytes: RawSpan, _ asked: ArraySlice<Asked>, from last: inout Int,
        _ governor: inout Governor
    ) -> Int? {
        guard bytes.holds(name) else { return nil }
        for kind in [CommandTarget.Kind.stream, .key] {
            guard case .ready(let resource) = governor.resource(kind.resourceKind, named: bytes.extracting(name))
            else { return nil }
            let start = asked.startIndex + last
            let found =
                asked[start...].firstIndex { $0.operation.resource == resource }
                ?? asked[..<start].firstIndex { $0.operation.resource == resource }
            if let found {
                last = found - asked.startIndex
                return last
            }
        }
        return nil
    }

    // MARK: Masking

    /// Asks the masks about every run.
    ///
    /// - Returns: false where a question is open.
    private mutating func mask(_ bytes: RawSpan, _ governor: inout Governor, _ output: inout WireOutput) -> Bool {
        work.outcomes.removeAll(keepingCapacity: true)
        work.counters.removeAll(keepingCapacity: true)
        let fields = work.parts.fields
        for answer in work.deliveries.answers {
            for number in answer.runs {
                let run = work.parts.runs[number]
                while work.outcomes.count < run.fields.lowerBound { work.outcomes.append(.unchanged) }
                let clearance = work.deliveries[asked: answer.asked.lowerBound + run.target].clearance
                guard !run.fields.isEmpty, !clearance.mask.isNone, answer.replacement == nil else {
                    work.counters.append(MaskCounters())
                    continue
                }
                guard
                    let counted = governor.mask(
                        fields.span.extracting(run.fields), in: bytes, under: clearance, into: &output.scratch,
                        outcomes: &work.outcomes)
                else { return false }
                work.counters.append(counted)
            }
        }
        while work.outcomes.count < work.parts.fields.count { work.outcomes.append(.unchanged) }
        return true
    }

    // MARK: Admitting

    /// Writes down what of one answer is handed over, and what is kept back.
    ///
    /// - Returns: false where the session ends.
    private mutating func admit(
        _ index: Int, _ bytes: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Bool {
        let answer = work.deliveries[answer: index]
        if answer.replacement == nil || isWrite(answer.entry.shape) {
            guard admitWritten(answer, bytes, &governor, &output) else { return false }
        }
        if case .names(let kind, let hasCursor) = answer.entry.shape, answer.replacement == nil {
            do throws(ShapeFailure) {
                try leaveOutNames(answer, kind, hasCursor: hasCursor, bytes, &governor)
            } catch {
                work.deliveries[answer: index].replacement = RedisMachine.notUnderstood
            }
        }
        for number in answer.runs {
            let run = work.parts.runs[number]
            let asked = work.deliveries[asked: answer.asked.lowerBound + run.target]
            if answer.replacement != nil {
                governor.withhold(delivery(of: run, answer, asked), Refusal(.revoked))
                continue
            }
            guard admit(run, work.counters[number], answer, asked, bytes, &governor, &output) else { return false }
        }
        if let words = work.deliveries[answer: index].replacement { work.edits.put(words, for: answer.range) }
        for number in answer.lists where work.parts.lists[number].removed > 0 {
            let list = work.parts.lists[number]
            work.edits.put(count: list.header.count - list.removed, for: list.header)
            work.parts.lists[number].removed = 0
        }
        return true
    }

    private static let notUnderstood = RESPText.error("ERR the answer is not understood by the gateway")

    /// Takes the names out of a list that the client may not know of.
    private mutating func leaveOutNames(
        _ answer: ReplyDeliveries.Answer, _ kind: CommandTarget.Kind, hasCursor: Bool, _ bytes: RawSpan,
        _ governor: inout Governor
    ) throws(ShapeFailure) {
        var cursor = ReplyCursor(answer.range)
        if try cursor.peek(bytes).isError { return }
        if hasCursor {
            guard try cursor.next(bytes).count == 2 else { throw ShapeFailure() }
            try cursor.skip(bytes)
        }
        let header = try cursor.next(bytes)
        guard header.isAggregate else { throw ShapeFailure() }
        let wireName = WireName(answer.entry.rule)
        var removed = 0
        for _ in 0..<header.count {
            let name = try cursor.next(bytes)
            guard name.kind == .bulk else { throw ShapeFailure() }
            let text = bytes.extracting(name.content)
            let isPermitted =
                kind == .anyKey || kind == .key
                ? governor.permits(
                    .describe, anyOf: CommandTarget.Kind.key.resourceKind, CommandTarget.Kind.stream.resourceKind,
                    named: text, by: wireName)
                : governor.permits(.describe, kind.resourceKind, named: text, by: wireName)
            if isPermitted { continue }
            work.edits.remove(name.range)
            removed += 1
        }
        if removed > 0 { work.edits.put(count: header.count - removed, for: header) }
    }

    private func isWrite(_ shape: ReplyShape) -> Bool {
        switch shape {
        case .added, .written, .writtenUnlessZero, .writtenForValue: true
        default: false
        }
    }

    private mutating func admit(
        _ run: ReplyParts.Run, _ counted: MaskCounters, _ answer: ReplyDeliveries.Answer, _ asked: Asked,
        _ bytes: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Bool {
        let dropped = apply(run, bytes, &output)
        var handed = delivery(of: run, answer, asked)
        handed.count(counted)
        if dropped > 0 {
            var kept = handed
            (kept.first, kept.last) = places(of: run, where: true)
            kept.records = UInt32(clamping: dropped)
            governor.withhold(kept, Refusal(.unmaskable))
            (handed.first, handed.last) = places(of: run, where: false)
            handed.records = UInt32(clamping: run.records.count - dropped)
            if handed.records == 0 { return true }
        }
        let admission: Admission
        if asked.clearance.recording == .messages {
            record(run)
            admission = unsafe governor.admit(
                handed, records: work.views.span, headers: work.headers.span, window: bytes,
                scratch: output.scratch.span.bytes,
                under: asked.clearance)
        } else {
            admission = governor.admit(handed, under: asked.clearance)
        }
        switch admission {
        case .release: return true
        case .withhold(let refusal), .cut(let refusal):
            output.close(.refused(refusal))
            return false
        }
    }

    /// Notes the edits of a run's fields.
    ///
    /// - Returns: how many of its records are left out.
    private mutating func apply(_ run: ReplyParts.Run, _ bytes: RawSpan, _ output: inout WireOutput) -> Int {
        guard !run.fields.isEmpty else { return 0 }
        var dropped = 0
        for number in run.records {
            let record = work.parts.records[number]
            if work.outcomes[record.fields].contains(.dropRecord) {
                dropped += 1
                if record.list >= 0 {
                    work.parts.lists[record.list].removed += record.elements
                    work.edits.remove(record.range)
                } else {
                    // What stands alone becomes null: an entry or a value that is not there.
                    work.edits.put(version == 3 ? Array("_\r\n".utf8) : Array("$-1\r\n".utf8), for: record.range)
                }
                continue
            }
            for field in record.fields {
                switch work.outcomes[field] {
                case .unchanged, .dropRecord: break
                case .edited(let range): work.edits.put(bulk: range, for: work.parts.places[field])
                // A value is never null in Redis: it is there, and empty.
                case .null: work.edits.put(Array("$0\r\n\r\n".utf8), for: work.parts.places[field])
                }
            }
        }
        return dropped
    }

    private func isDropped(_ number: Int) -> Bool {
        work.outcomes[work.parts.records[number].fields].contains(.dropRecord)
    }

    private func places(of run: ReplyParts.Run, where isDropped: Bool) -> (first: Position?, last: Position?) {
        var first: Position?
        var last: Position?
        for number in run.records where self.isDropped(number) == isDropped {
            let position = work.parts.records[number].position
            if position == .none { continue }
            first = first.map { min($0, position) } ?? position
            last = last.map { max($0, position) } ?? position
        }
        return (first, last)
    }

    private func delivery(
        of run: ReplyParts.Run, _ answer: ReplyDeliveries.Answer, _ asked: Asked
    ) -> Delivery {
        Delivery(
            asked.operation.resource, part: answer.entry.database, first: run.first, last: run.last,
            records: UInt32(clamping: run.records.count), bytes: UInt32(clamping: run.bytes), towards: .client,
            wireName: asked.operation.wireName)
    }

    /// The run's records as the client gets them, for evidence: an entry's fields stand as headers, a value alone as value.
    private mutating func record(_ run: ReplyParts.Run) {
        work.views.removeAll(keepingCapacity: true)
        work.headers.removeAll(keepingCapacity: true)
        for number in run.records where !isDropped(number) {
            let record = work.parts.records[number]
            let start = work.headers.count
            var value = Piece.none
            for field in record.fields {
                let content = piece(of: field)
                if work.parts.fields[field].part == .field {
                    work.headers.append(HeaderView(name: .window(work.parts.fields[field].name), value: content))
                } else {
                    value = content
                }
            }
            work.views.append(
                RecordView(
                    position: record.position, timestamp: -1, key: .none, value: value,
                    headers: start..<work.headers.count))
        }
    }

    private func piece(of field: Int) -> Piece {
        switch work.outcomes[field] {
        case .unchanged: .window(work.parts.fields[field].range)
        case .edited(let range): .scratch(range)
        case .null, .dropRecord: .none
        }
    }

    // MARK: Writing

    /// Writes down what the server has stored.
    private mutating func admitWritten(
        _ answer: ReplyDeliveries.Answer, _ bytes: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Bool {
        guard isWrite(answer.entry.shape),
            case .token(let head)? = try? RESP.read(bytes, at: answer.range.lowerBound, byteLimit: answer.range.count),
            !head.isError
        else { return true }
        // Null: nothing was stored (NOMKSTREAM, NX, XX). With GET it is the value from before.
        if head.kind == .null, answer.entry.shape != .writtenForValue { return true }
        if answer.entry.shape == .writtenUnlessZero, head.count <= 0 { return true }
        let position = answer.entry.shape == .added ? Position(entryID: bytes, head.content) : nil
        for place in answer.asked where work.deliveries[asked: place].operation.action == .produce {
            let asked = work.deliveries[asked: place]
            let written = answer.entry.production(of: asked, at: position)
            switch governor.admit(written, under: asked.clearance) {
            case .release: break
            case .withhold: governor.recordUncovered(written)
            case .cut(let refusal):
                governor.recordUncovered(written)
                output.close(.refused(refusal))
                return false
            }
        }
        return true
    }
}
