import Foundation

/// The scalars of a JSON document by path (`items[0].sku`), as text: what a person compares.
struct FlatJSON: Equatable {
    private(set) var fields: [String: String] = [:]

    /// - Returns: nil where the bytes are no JSON object or array.
    init?(_ bytes: [UInt8]) {
        guard let value = try? JSONSerialization.jsonObject(with: Data(bytes)) else { return nil }
        add(value, at: "")
    }

    private mutating func add(_ value: Any, at path: String) {
        switch value {
        case let object as [String: Any]:
            for (name, member) in object { add(member, at: path.isEmpty ? name : "\(path).\(name)") }
        case let array as [Any]:
            for (index, element) in array.enumerated() { add(element, at: "\(path)[\(index)]") }
        case is NSNull: fields[path] = "null"
        default: fields[path] = "\(value)"
        }
    }
}
