import TidegateWire

/// What the rules of a part make of a field's name.
struct FieldMatch {
    /// The first that takes the field whole.
    var rule: Int?
    /// What paths wait for inside of it.
    var places = PlaceSet()
    /// Where the field's own name begins in its full one: behind a column's table.
    var start = 0
}

extension PartRules {
    /// Matches the name of a header, a stream's field or a column.
    ///
    /// A header's name is one name, whatever dots are in it; it is also what its parts would be as a path, so that `user.ssn`
    /// and `**.ssn` mean the header `user.ssn`. A column's is `schema.table.column`. Any of the three may have dots, which
    /// do not show: all that could be the column is looked at, and the first rule for any of it acts.
    func match(field name: RawSpan, isColumn: Bool) -> FieldMatch {
        var match = FieldMatch()
        if isColumn {
            match.start = unsafe name.withUnsafeBytes { unsafe columns(in: $0, &match) }
            take(rule(forColumn: name), &match)
        } else {
            unsafe name.withUnsafeBytes { raw in
                unsafe look(at: raw, &match)
                unsafe split(raw, &match)
            }
        }
        take(paths.accepted(match.places), &match)
        take(everything, &match)
        return match
    }

    /// - Returns: where the last part begins.
    private func columns(in name: UnsafeRawBufferPointer, _ match: inout FieldMatch) -> Int {
        var dots = 0
        var last = 0
        for at in 0..<name.count where unsafe name[at] == UInt8(ascii: ".") && at + 1 < name.count {
            dots += 1
            last = at + 1
            if dots > 1 { unsafe look(at: UnsafeRawBufferPointer(rebasing: name[last...]), &match) }
        }
        if dots < 2 { unsafe look(at: UnsafeRawBufferPointer(rebasing: name[last...]), &match) }
        return last
    }

    private func look(at name: UnsafeRawBufferPointer, _ match: inout FieldMatch) {
        if !paths.isEmpty { match.places = unsafe match.places.union(paths.step(paths.start, key: name)) }
        if !names.isEmpty { take(unsafe rule(forName: name), &match) }
    }

    private func split(_ name: UnsafeRawBufferPointer, _ match: inout FieldMatch) {
        if unsafe paths.isEmpty || !name.contains(UInt8(ascii: ".")) { return }
        var places = paths.start
        var start = 0
        for at in 0...name.count where unsafe at == name.count || name[at] == UInt8(ascii: ".") {
            places = unsafe paths.step(places, key: UnsafeRawBufferPointer(rebasing: name[start..<at]))
            start = at + 1
        }
        match.places = match.places.union(places)
    }

    private func take(_ rule: Int?, _ match: inout FieldMatch) {
        guard let rule else { return }
        match.rule = min(match.rule ?? rule, rule)
    }
}
