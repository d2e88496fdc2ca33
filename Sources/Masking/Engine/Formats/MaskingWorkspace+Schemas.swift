import TidegateSchemas
import TidegateWire

extension MaskingWorkspace {
    /// Masks a payload of Avro or Protobuf: its leaves are replaced inside of their types, all other bytes stay.
    ///
    /// - Parameters:
    ///   - content: the framing, where there is one, and the payload from `start` on.
    ///   - edits: how many leaves were replaced.
    func mask(
        _ content: RawSpan, from start: Int, _ plan: SchemaPlan, _ part: PartRules, into output: inout [UInt8],
        edits: inout UInt32, failures: inout UInt32
    ) -> Inspection {
        guard start <= content.byteCount else { return .failed }
        let payload = content.extracting(start..<content.byteCount)
        guard plan.leaves(in: payload, into: &leaves) else { return .failed }
        leafEdits.removeAll(keepingCapacity: true)
        leafTexts.removeAll(keepingCapacity: true)
        for index in leaves.leaves.indices {
            let leaf = leaves.leaves[index]
            let edit = mask(leaf, payload, plan, part, &failures)
            if edit != .keep { edits &+= 1 }
            leafEdits.append(edit)
        }
        if edits == 0, !leaves.mustRewrite { return .unchanged }
        let written = output.count
        output.append(bytes: content.extracting(0..<start))
        if plan.rewrite(payload, &leaves, leafEdits, texts: leafTexts, into: &output) { return .edited }
        output.removeLast(output.count - written)
        return .failed
    }

    private func mask(
        _ leaf: Leaf, _ payload: RawSpan, _ plan: SchemaPlan, _ part: PartRules, _ failures: inout UInt32
    ) -> LeafEdit {
        var places = PlaceSet()
        if leaf.place != nil {
            let mayHold = payload.holds(leaf.content) && NestedDocument.mayHold(payload.extracting(leaf.content))
            if mayHold {
                // Without a place nobody could say what the rules name in it.
                guard let place = plan.place(of: leaf, for: SchemaPlaces.self) else { return fail(&failures) }
                places = place
            } else if part.detectors == nil {
                return .keep
            }
        }
        var text = takePlain()
        plan.appendText(of: leaf, in: payload, to: &text)
        defer { plain = text }
        if findings != nil { trail.append(String(decoding: plan.fieldName(of: leaf, in: payload), as: UTF8.self)) }
        defer { if findings != nil { trail.removeLast() } }
        let start = leafTexts.count
        var made: [UInt8] = []
        swap(&made, &leafTexts)
        let outcome: Inspection
        if leaf.rule >= 0 {
            outcome = unsafe replace(text.span.bytes, rule: Int(leaf.rule), isNumber: leaf.isNumber, into: &made)
        } else {
            leafName.removeAll(keepingCapacity: true)
            plan.appendFieldName(of: leaf, in: payload, to: &leafName)
            let name = leafName
            outcome = unsafe name.withUnsafeBytes { name in
                unsafe inspect(text.span.bytes, name: name, part, places, depth: 0, into: &made)
            }
        }
        swap(&made, &leafTexts)
        switch outcome {
        case .unchanged: return .keep
        case .edited: return .text(start..<leafTexts.count)
        case .null: return .empty
        case .failed: return fail(&failures)
        }
    }

    private func fail(_ failures: inout UInt32) -> LeafEdit {
        failures &+= 1
        let start = leafTexts.count
        leafTexts.append(contentsOf: MaskingProfile.redacted)
        return .text(start..<leafTexts.count)
    }
}

extension Leaf {
    /// What replaces it is to be a number again.
    fileprivate var isNumber: Bool {
        switch kind {
        case .int, .unsignedInt, .long, .unsignedLong: true
        default: false
        }
    }
}
