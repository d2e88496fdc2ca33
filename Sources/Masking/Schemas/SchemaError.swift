/// What a schema could not be used for.
public struct SchemaError: Error, Sendable { public var message: String }
