import TidegateSchemas

/// Takes the whole value.
struct TakesAll: PlaceResolver {
    let start = 0
    let detects = false
    func entering(field: [UInt8], from place: Int) -> Int { place }
    func enteringElement(from place: Int) -> Int { place }
    func rule(at place: Int, field: [UInt8], tags: [String]) -> Int? { 7 }
    func looksInside(_ place: Int) -> Bool { true }
}

/// Takes nothing; detectors see everything, or nothing.
struct TakesNothing: PlaceResolver {
    var detects = false
    let start = 0
    func entering(field: [UInt8], from place: Int) -> Int { place }
    func enteringElement(from place: Int) -> Int { place }
    func rule(at place: Int, field: [UInt8], tags: [String]) -> Int? { nil }
    func looksInside(_ place: Int) -> Bool { false }
}

/// Dotted paths with `*`, and tags. A rule's number is its index: paths first, then tags.
struct TakesPaths: PlaceResolver {
    var paths: [[String]]
    var tags: [String] = []
    var detects = false

    init(_ paths: [String] = [], tags: [String] = [], detects: Bool = false) {
        self.paths = paths.map { $0.split(separator: ".").map(String.init) }
        self.tags = tags
        self.detects = detects
    }

    /// For each path how far it was followed; those that were left are not there.
    typealias Place = [Int: Int]
    var start: Place { Dictionary(uniqueKeysWithValues: paths.indices.map { ($0, 0) }) }

    func entering(field: [UInt8], from place: Place) -> Place {
        let name = String(decoding: field, as: UTF8.self)
        var result: Place = [:]
        for (path, at) in place where at < paths[path].count && (paths[path][at] == "*" || paths[path][at] == name) {
            result[path] = at + 1
        }
        return result
    }
    func enteringElement(from place: Place) -> Place { place }
    func rule(at place: Place, field: [UInt8], tags: [String]) -> Int? {
        if let path = place.filter({ paths[$0.key].count == $0.value }).keys.min() { return path }
        return self.tags.firstIndex { tags.contains($0) }.map { paths.count + $0 }
    }
    func looksInside(_ place: Place) -> Bool { !place.isEmpty || !tags.isEmpty }
}
