import CProtobufSchemas

/// Reads Protobuf schemas by libprotobuf's own compiler, and from sets of descriptors that protoc wrote.
struct ProtobufSchemaReader {
    static let byteLimit = 1 << 20
    private static let errorSize = 512

    /// - Parameter files: by the names that imports use; `root` is one of them.
    static func read(_ files: [(name: String, text: [UInt8])], root: String) throws(SchemaError) -> ProtobufSchema {
        guard files.reduce(0, { $0 + $1.text.count }) <= Schema.includeByteLimit + byteLimit else {
            throw SchemaError("the Protobuf schema and its imports are larger than 16 MiB")
        }
        // One block that holds all names and texts, each with a zero behind it.
        var block: [UInt8] = []
        var offsets: [(name: Int, text: Int, length: Int)] = []
        for file in files {
            let name = block.count
            block += Array(file.name.utf8) + [0]
            offsets.append((name, block.count, file.text.count))
            block += file.text + [0]
        }
        var error = [CChar](repeating: 0, count: errorSize)
        let handle = unsafe block.withUnsafeBytes { bytes -> OpaquePointer? in
            guard let base = unsafe bytes.bindMemory(to: CChar.self).baseAddress else { return nil }
            let names = unsafe offsets.map { unsafe Optional(base + $0.name) }
            let texts = unsafe offsets.map { unsafe Optional(base + $0.text) }
            let lengths = offsets.map(\.length)
            return unsafe tidegate_protobuf_parse(names, texts, lengths, offsets.count, root, &error, errorSize)
        }
        return try unsafe convert(handle, error)
    }

    static func read(descriptors: [UInt8]) throws(SchemaError) -> ProtobufSchema {
        var error = [CChar](repeating: 0, count: errorSize)
        let handle = unsafe tidegate_protobuf_load(descriptors, descriptors.count, &error, errorSize)
        return try unsafe convert(handle, error)
    }

    private static func convert(_ handle: OpaquePointer?, _ error: [CChar]) throws(SchemaError) -> ProtobufSchema {
        guard let handle = unsafe handle else {
            let text = String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw SchemaError("libprotobuf does not take the schema: \(text)")
        }
        defer { unsafe tidegate_protobuf_free(handle) }
        return try unsafe ProtobufSchemaReader().schema(handle)
    }

    private func schema(_ handle: OpaquePointer) throws(SchemaError) -> ProtobufSchema {
        var result = ProtobufSchema(messages: [], leafTypes: [], topLevel: [])
        let count = unsafe tidegate_protobuf_message_count(handle)
        for index in 0..<count {
            let name = unsafe text(tidegate_protobuf_message_name(handle, index))
            let tags = unsafe (0..<tidegate_protobuf_message_tag_count(handle, index)).map {
                unsafe text(tidegate_protobuf_message_tag(handle, index, $0))
            }
            var fields: [ProtobufSchema.Field] = []
            for at in 0..<(unsafe tidegate_protobuf_field_count(handle, index)) {
                fields.append(unsafe try field(handle, index, at, &result.leafTypes))
            }
            fields.sort { $0.number < $1.number }
            result.messages.append(.init(name: name, fields: fields, tags: tags))
            let parent = unsafe tidegate_protobuf_message_parent(handle, index)
            if parent == -1 { result.topLevel.append(Int(index)) }
            if parent >= 0, result.messages.indices.contains(Int(parent)) {
                result.messages[Int(parent)].nested.append(Int(index))
            }
        }
        return result
    }

    private func text(_ pointer: UnsafePointer<CChar>?) -> String {
        guard let pointer = unsafe pointer else { return "" }
        return unsafe String(cString: pointer)
    }

    private func field(_ handle: OpaquePointer, _ message: Int32, _ index: Int32, _ leafTypes: inout [LeafType])
        throws(SchemaError) -> ProtobufSchema.Field
    {
        let field = unsafe tidegate_protobuf_field_at(handle, message, index)
        let name = unsafe text(field.name)
        guard let shape = unsafe [0: FieldEntry.Shape.single, 1: .repeated, 2: .map, 3: .required][field.shape],
            let wire = unsafe wire(field.type), let number = unsafe UInt32(exactly: field.number), number > 0
        else { throw SchemaError("the field '\(name)' is of no kind that Protobuf has") }
        let content: ProtobufSchema.Content
        if unsafe wire == 3 || field.type == 11 {
            guard unsafe field.message >= 0 else { throw SchemaError("the field '\(name)' has no message") }
            content = .message(Int(unsafe field.message))
        } else {
            guard var leaf = unsafe leaf(field.type) else { throw SchemaError("the field '\(name)' has no type") }
            for value in 0..<(unsafe field.value_count) where leaf.kind == .enumeration {
                leaf.symbols.append(
                    Array(unsafe text(tidegate_protobuf_value_name(handle, message, index, value)).utf8))
                leaf.numbers.append(unsafe tidegate_protobuf_value_number(handle, message, index, value))
            }
            leaf.defaultNumber = leaf.numbers.first ?? 0
            content = .leaf(leafTypes.count)
            leafTypes.append(leaf)
        }
        let tags = unsafe (0..<field.tag_count).map {
            unsafe text(tidegate_protobuf_field_tag(handle, message, index, $0))
        }
        return .init(
            name: Array(name.utf8), number: number, wire: wire, shape: shape, isPackable: wire != 2 && wire != 3,
            content: content, tags: tags)
    }

    /// By `FieldDescriptor::Type` (descriptor.proto, FieldDescriptorProto.Type).
    private func wire(_ type: Int32) -> UInt8? {
        switch type {
        case 1, 6, 16: 1
        case 2, 7, 15: 5
        case 3, 4, 5, 8, 13, 14, 17, 18: 0
        case 9, 11, 12: 2
        case 10: 3
        default: nil
        }
    }

    private func leaf(_ type: Int32) -> LeafType? {
        switch type {
        case 1: LeafType(kind: .double, encoding: .fixed64, size: 8)
        case 2: LeafType(kind: .float, encoding: .fixed32, size: 4)
        case 3: LeafType(kind: .long, encoding: .varint)
        case 4: LeafType(kind: .unsignedLong, encoding: .varint)
        case 5: LeafType(kind: .int, encoding: .varint, bits: 32)
        case 6: LeafType(kind: .unsignedLong, encoding: .fixed64, size: 8)
        case 7: LeafType(kind: .unsignedInt, encoding: .fixed32, size: 4, bits: 32)
        case 8: LeafType(kind: .boolean, encoding: .varint)
        case 9: LeafType(kind: .string, encoding: .varintBytes)
        case 12: LeafType(kind: .bytes, encoding: .varintBytes)
        case 13: LeafType(kind: .unsignedInt, encoding: .varint, bits: 32)
        case 14: LeafType(kind: .enumeration, encoding: .varint, bits: 32)
        case 15: LeafType(kind: .int, encoding: .fixed32, size: 4, bits: 32)
        case 16: LeafType(kind: .long, encoding: .fixed64, size: 8)
        case 17: LeafType(kind: .int, encoding: .zigzag, bits: 32)
        case 18: LeafType(kind: .long, encoding: .zigzag)
        default: nil
        }
    }
}
