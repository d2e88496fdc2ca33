/// Why a schema cannot be used. It names fields and types of the schema, and no value of a record.
public struct SchemaError: Error, Sendable, Equatable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
