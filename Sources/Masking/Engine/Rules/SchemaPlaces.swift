import TidegateSchemas

/// The rules of one part as schemas see them: asked when a schema is compiled, and for each new key of a map.
struct SchemaPlaces: PlaceResolver {
    let part: PartRules

    var start: PlaceSet { part.paths.start }
    var detects: Bool { part.detectors != nil }

    func entering(field: [UInt8], from place: PlaceSet) -> PlaceSet {
        unsafe field.withUnsafeBytes { unsafe part.paths.step(place, key: $0) }
    }

    func enteringElement(from place: PlaceSet) -> PlaceSet { part.paths.stepElement(place) }

    func rule(at place: PlaceSet, field: [UInt8], tags: [String]) -> Int? {
        var found = part.paths.accepted(place)
        // It takes the root, so that nothing below is asked for.
        if let rule = part.everything { found = min(found ?? rule, rule) }
        if !part.names.isEmpty, let rule = unsafe field.withUnsafeBytes({ unsafe part.rule(forName: $0) }) {
            found = min(found ?? rule, rule)
        }
        for (tag, rule) in part.tags where tags.contains(tag) { found = min(found ?? rule, rule) }
        return found
    }

    func looksInside(_ place: PlaceSet) -> Bool { !place.isEmpty || !part.names.isEmpty || !part.tags.isEmpty }

    func looksInsideText(at place: PlaceSet) -> Bool { !place.isEmpty || !part.names.isEmpty }
}
