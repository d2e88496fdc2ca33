import TidegateSchemas

/// The paths of subjects as schemas see them. The number of a rule is a bit for each path that ends there, behind a bit that
/// says whether it stands in a list: then nobody can say of which element a date is.
struct SubjectPlaces: PlaceResolver {
    struct Place: Hashable, Sendable {
        var places: PlaceSet
        var isInList = false
    }
    let subjects: PathAutomaton

    var start: Place { Place(places: subjects.start) }
    var detects: Bool { false }

    func entering(field: [UInt8], from place: Place) -> Place {
        Place(
            places: unsafe field.withUnsafeBytes { unsafe subjects.step(place.places, key: $0) },
            isInList: place.isInList)
    }

    func enteringElement(from place: Place) -> Place {
        Place(places: subjects.stepElement(place.places), isInList: true)
    }

    func rule(at place: Place, field: [UInt8], tags: [String]) -> Int? {
        let named = subjects.allAccepted(place.places)
        return named == 0 ? nil : Int(named) << 1 | (place.isInList ? 1 : 0)
    }

    func looksInside(_ place: Place) -> Bool { !place.places.isEmpty }
}
