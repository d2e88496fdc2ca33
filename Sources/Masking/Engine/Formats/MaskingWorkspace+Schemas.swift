import TidegateSchemas
import TidegateWire

extension MaskingWorkspace {
    /// Masks a payload of Avro or Protobuf: its leaves are replaced inside of their types, all other bytes stay.
    ///
    /// - Parameters:
    ///   - content: the framing, where there is one, and the payload from `start` on.
    ///   - edits: how many leaves were replaced.
    func mask(
        _ content: RawSpan, from start: Int, _ plans: FieldPlans, _ part: PartRules, into output: inout [UInt8],
        edits: inout UInt32, failures: inout UInt32
    ) -> Inspection {
        guard start <= content.byteCount else { return .failed }
        let plan = plans.values
        let payload = content.extracting(start..<content.byteCount)
        if let subjects = plans.subjects, !findSubjects(payload, subjects) { return .failed }
        guard plan.leaves(in: payload, into: &leaves) else { return .failed }
        leafEdits.removeAll(keepingCapacity: true)
        leafTexts.removeAll(keepingCapacity: true)
        for index in leaves.leaves.indices {
            let leaf = leaves.leaves[index]
            guard let edit = mask(leaf, payload, plan, part, &failures) else { return .failed }
            if edit != .keep { edits &+= 1 }
            leafEdits.append(edit)
        }
        if edits == 0, !leaves.mustRewrite { return .unchanged }
        // Without its unknown fields a key may be another's.
        if isKey, leaves.mustRewrite { return .failed }
        let written = output.count
        output.append(bytes: content.extracting(0..<start))
        if plan.rewrite(payload, &leaves, leafEdits, texts: leafTexts, isStrict: isKey, into: &output) {
            return .edited
        }
        output.removeLast(output.count - written)
        return .failed
    }

    /// Keeps, for the record, whose dates the payload has.
    ///
    /// - Returns: false where the payload is none of the schema.
    private func findSubjects(_ payload: RawSpan, _ plan: SchemaPlan) -> Bool {
        guard plan.leaves(in: payload, into: &subjectLeaves) else { return false }
        for index in subjectLeaves.leaves.indices {
            let leaf = subjectLeaves.leaves[index]
            guard leaf.rule >= 0, !leaf.isMapKey else { continue }
            var text = takePlain()
            plan.appendText(of: leaf, in: payload, to: &text)
            for slot in 0..<DateSubjects.limit where leaf.rule &>> Int32(slot + 1) & 1 != 0 {
                if leaf.rule & 1 != 0 {
                    subjects.keepUnclear(slot: slot)
                } else {
                    unsafe text.withUnsafeBytes { unsafe subjects.keep($0, slot: slot) }
                }
            }
            plain = text
        }
        return true
    }

    /// - Returns: nil where a key's leaf cannot hold what would tell it from others: the whole key is replaced.
    private func mask(
        _ leaf: Leaf, _ payload: RawSpan, _ plan: SchemaPlan, _ part: PartRules, _ failures: inout UInt32
    ) -> LeafEdit? {
        var places = PlaceSet()
        if leaf.place != nil {
            let mayHold = payload.holds(leaf.content) && NestedDocument.mayHold(payload.extracting(leaf.content))
            if mayHold {
                // Without a place nobody could say what the rules name in it.
                guard let place = plan.place(of: leaf, for: SchemaPlaces.self) else {
                    return isKey ? nil : fail(&failures)
                }
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
        if isKey, !leaf.keepsKeysApart(outcome) { return nil }
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
    /// True where two values of a key stay two: texts and bytes hold any token, integers those of FF1.
    fileprivate func keepsKeysApart(_ outcome: MaskingWorkspace.Inspection) -> Bool {
        switch outcome {
        case .unchanged: return true
        case .null, .failed: return false
        case .edited: break
        }
        switch kind {
        case .string, .bytes, .fixed: return true
        default: return isNumber && rule >= 0
        }
    }

    /// What replaces it is to be a number again.
    fileprivate var isNumber: Bool {
        switch kind {
        case .int, .unsignedInt, .long, .unsignedLong: true
        default: false
        }
    }
}
