import TidegateWire

/// Writes a payload again: edited leaves anew, the lengths around them corrected, everything else byte by byte.
struct Splicer {
    /// Lengths of Protobuf and of Kafka's records end here.
    static let lengthLimit = Int(Int32.max)

    let plan: SchemaPlan
    /// What does not fit its type is refused, not made empty.
    var isStrict = false

    func rewrite(
        _ payload: RawSpan, _ list: inout LeafList, _ edits: [LeafEdit], _ texts: RawSpan, _ output: inout [UInt8]
    ) -> Bool {
        list.splices.removeAll(keepingCapacity: true)
        list.scratch.removeAll(keepingCapacity: true)
        for index in list.frames.indices { list.frames[index].delta = 0 }
        var removal = 0
        for index in list.leaves.indices {
            let leaf = list.leaves[index]
            while removal < list.removals.count, list.removals[removal].start < leaf.item {
                remove(list.removals[removal], &list)
                removal &+= 1
            }
            guard edit(leaf, edits[index], texts, &list) else { return false }
        }
        for rest in list.removals[removal...] { remove(rest, &list) }
        guard let growth = settle(&list), payload.byteCount &+ growth <= Splicer.lengthLimit else { return false }
        let written = output.count
        guard emit(payload, list, &output) else {
            output.removeLast(output.count &- written)
            return false
        }
        return true
    }

    // MARK: What changes

    private func edit(_ leaf: Leaf, _ edit: LeafEdit, _ texts: RawSpan, _ list: inout LeafList) -> Bool {
        if edit == .keep { return true }
        let type = plan.type(of: leaf)
        let from = list.scratch.count
        var start = Int(leaf.value)
        switch edit {
        case .keep: break
        case .text(let range):
            guard texts.holds(range) else { return false }
            if !LeafEncoding.append(unsafe texts.extracting(unchecked: range), type, to: &list.scratch) {
                if isStrict { return false }
                list.scratch.removeLast(list.scratch.count &- from)
                start = empty(leaf, type, &list)
            }
        case .empty: start = empty(leaf, type, &list)
        }
        splice(start, Int(leaf.contentEnd), from, leaf.frame, &list)
        return true
    }

    /// - Returns: where it begins to replace the payload.
    private func empty(_ leaf: Leaf, _ type: LeafType, _ list: inout LeafList) -> Int {
        guard leaf.absence >= 0 else {
            LeafEncoding.appendZero(type, to: &list.scratch)
            return Int(leaf.value)
        }
        if plan.format == .avro { list.scratch.append(zigzag: Int64(leaf.absence)) }
        return Int(leaf.item)
    }

    private func remove(_ removal: Removal, _ list: inout LeafList) {
        splice(Int(removal.start), Int(removal.end), list.scratch.count, removal.frame, &list)
    }

    /// What was written to the scratch bytes from `from` on replaces `start..<end`.
    private func splice(_ start: Int, _ end: Int, _ from: Int, _ frame: Int32, _ list: inout LeafList) {
        let to = list.scratch.count
        list.splices.append(Splice(start: start, end: end, from: from, to: to))
        guard list.frames.indices.contains(Int(frame)) else { return }
        list.frames[Int(frame)].delta &+= (to &- from) &- (end &- start)
    }

    /// Carries the growth of each length's body to the lengths around it.
    ///
    /// - Returns: the growth of what all lengths stand in, an upper bound; nil where a length would be too large.
    private func settle(_ list: inout LeafList) -> Int? {
        for index in list.frames.indices.reversed() {
            let frame = list.frames[index]
            guard frame.delta != 0 else { continue }
            let body = Int(frame.bodyEnd &- frame.bodyStart) &+ frame.delta
            guard body >= 0, body <= Splicer.lengthLimit else { return nil }
            let grown = frame.delta &+ lengthSize(body) &- Int(frame.bodyStart &- frame.lengthStart)
            if list.frames.indices.contains(Int(frame.parent)) { list.frames[Int(frame.parent)].delta &+= grown }
        }
        return list.scratch.count
    }

    private func lengthSize(_ length: Int) -> Int {
        plan.format == .avro
            ? Varint.length(signed64: Int64(length)) : Varint.length(unsigned32: UInt32(truncatingIfNeeded: length))
    }

    // MARK: Writing

    private func emit(_ payload: RawSpan, _ list: LeafList, _ output: inout [UInt8]) -> Bool {
        var copied = 0
        var frame = 0
        for splice in list.splices {
            while frame < list.frames.count, Int(list.frames[frame].lengthStart) < splice.start {
                guard write(list.frames[frame], payload, &copied, &output) else { return false }
                frame &+= 1
            }
            guard copy(payload, upTo: splice.start, &copied, &output), splice.end >= splice.start else { return false }
            output.append(bytes: unsafe list.scratch.span.bytes.extracting(unchecked: splice.from..<splice.to))
            copied = splice.end
        }
        return copy(payload, upTo: payload.byteCount, &copied, &output)
    }

    private func write(_ frame: Frame, _ payload: RawSpan, _ copied: inout Int, _ output: inout [UInt8]) -> Bool {
        guard frame.delta != 0 else { return true }
        guard copy(payload, upTo: Int(frame.lengthStart), &copied, &output) else { return false }
        let body = Int(frame.bodyEnd &- frame.bodyStart) &+ frame.delta
        if plan.format == .avro {
            output.append(zigzag: Int64(body))
        } else {
            output.append(varint: UInt32(truncatingIfNeeded: body))
        }
        copied = Int(frame.bodyStart)
        return true
    }

    private func copy(_ payload: RawSpan, upTo end: Int, _ copied: inout Int, _ output: inout [UInt8]) -> Bool {
        guard copied <= end, end <= payload.byteCount else { return false }
        output.append(bytes: unsafe payload.extracting(unchecked: copied..<end))
        copied = end
        return true
    }
}
