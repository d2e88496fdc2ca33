/// What a schema is compiled against: which rule takes which field. The engine implements it from its paths, patterns of
/// names, tags and detectors.
///
/// It is asked when a schema becomes a plan, and once for each new key of a map; never for each record. It is asked under
/// a lock of the plan's, by any thread. There must be finitely many places. For the root of a value the name is empty.
///
/// Names are the schema's (Protobuf: `snake_case` as written, an extension by its full name). `google.protobuf.Struct`,
/// `Value`, `ListValue` and the wrappers are no levels of a path: what is in them has the path of the field that holds them.
public protocol PlaceResolver: Sendable {
    /// How far the paths have been followed.
    associatedtype Place: Hashable & Sendable
    /// The place of the whole value.
    var start: Place { get }
    /// The place inside of a record's or message's field, or under a map's key.
    func entering(field: [UInt8], from place: Place) -> Place
    /// The place of an array's elements: arrays are looked through.
    func enteringElement(from place: Place) -> Place
    /// The rule that takes the value at a place whole: a leaf, or a record, array or map, all of whose leaves it then takes.
    ///
    /// - Parameters:
    ///   - place: of the value, entered already.
    ///   - field: its name; an element has its array's.
    ///   - tags: of the field and of its type; an element has its type's alone.
    /// - Returns: a number from 0 on, which comes back in `Leaf.rule`.
    func rule(at place: Place, field: [UInt8], tags: [String]) -> Int?
    /// False where no rule can take anything below: neither by a path nor by a name nor by a tag.
    func looksInside(_ place: Place) -> Bool
    /// Whether rules reach into a text at this place, where it is a document: then it is offered, with its place
    /// (`Leaf.place`), whether or not detectors are to see it.
    func looksInsideText(at place: Place) -> Bool
    /// Whether leaves that no rule takes are offered to detectors.
    var detects: Bool { get }
}

extension PlaceResolver {
    public func looksInsideText(at place: Place) -> Bool { false }
}

/// What a plan is to do where the schema is silent.
public struct PlanOptions: Sendable {
    public enum UnknownFields: Sendable {
        /// They are left out of what is written: nobody can say what they hold.
        case drop
        case keep
    }
    /// Protobuf fields that the schema does not name, at any depth.
    public var unknownFields = UnknownFields.drop
    /// Records, messages, arrays and maps inside each other.
    public var depthLimit = 64
    /// Leaves of one value that are offered; a value with more is refused.
    public var leafLimit = 1 << 17
    public init() {}
}
