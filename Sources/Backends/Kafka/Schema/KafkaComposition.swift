import TidegateCompression
import TidegateCrypto
import TidegateWire

/// Whole frames from values and back into text: what tests compose transcripts of, and how they read what came out.
extension KafkaInspection {
    /// A request with its length and header, from named values; what is not named has its default.
    package static func request(
        _ key: Int16, _ version: Int16, correlation: Int32, _ values: [String: MessageValue]
    ) -> [UInt8] {
        guard let schema = MessageCatalog.shared.request(key, version: version) else { return [] }
        var writer = MessageWriter(isFlexible: schema.isFlexible)
        writer.structure(schema.fields, values)
        return OwnRequest.frame(
            key: key, version: version, correlation: correlation, writer.bytes, isFlexible: schema.isFlexible)
    }

    /// A response with its length and header.
    package static func response(
        _ key: Int16, _ version: Int16, correlation: Int32, _ values: [String: MessageValue]
    ) -> [UInt8] {
        guard let schema = MessageCatalog.shared.response(key, version: version) else { return [] }
        return MessageWriter.answer(schema, correlation: correlation, values)
    }

    /// A request with something in every field.
    package static func sampleRequest(_ key: Int16, _ version: Int16, correlation: Int32) -> [UInt8] {
        guard let schema = MessageCatalog.shared.request(key, version: version) else { return [] }
        return OwnRequest.frame(
            key: key, version: version, correlation: correlation, sample(schema), isFlexible: schema.isFlexible)
    }

    /// A response with something in every field.
    ///
    /// - Parameter text: the content of a string field of that name.
    package static func sampleResponse(
        _ key: Int16, _ version: Int16, correlation: Int32, text: (String) -> String = { $0 }
    ) -> [UInt8] {
        guard let schema = MessageCatalog.shared.response(key, version: version) else { return [] }
        return KafkaMachine.answer(correlation, sample(schema, text: text), isFlexible: schema.hasFlexibleHeader)
    }

    /// Every API of the tables and its versions.
    package static var versions: [(key: Int16, versions: ClosedRange<Int16>)] {
        MessageCatalog.shared.apis.compactMap { api in api.map { ($0.key, $0.versions) } }
    }

    /// The versions of a key that the gateway takes from clients.
    package static func served(_ key: Int16) -> ClosedRange<Int16>? { KafkaRules().served(key) }

    /// The fields of a whole request frame, `Topics.0.Name=orders` each; nil where it is not exactly one.
    package static func fields(ofRequest frame: [UInt8], _ key: Int16, _ version: Int16) -> [String]? {
        guard let schema = MessageCatalog.shared.request(key, version: version),
            let head = unsafe RequestHead(frame.span.bytes, 0..<frame.count), head.key == key, head.version == version,
            isFramed(frame)
        else { return nil }
        return fields(frame, schema, body: head.body)
    }

    /// The fields of a whole response frame; nil where it is not exactly one.
    package static func fields(ofResponse frame: [UInt8], _ key: Int16, _ version: Int16) -> [String]? {
        guard let schema = MessageCatalog.shared.response(key, version: version), isFramed(frame),
            frame.count >= (schema.hasFlexibleHeader ? 9 : 8)
        else { return nil }
        return fields(frame, schema, body: (schema.hasFlexibleHeader ? 9 : 8)..<frame.count)
    }

    /// One run of SCRAM (RFC 5802) from the client's side, whatever the server says.
    ///
    /// - Parameter isLong: SCRAM-SHA-512.
    /// - Returns: the client's messages (no final one where the challenge is not answered), the signature that a server
    ///   must show, and whether the server's final message shows it.
    package static func scram(
        isLong: Bool, username: String, password: String, nonce: String, serverFirst: String, serverFinal: String
    ) -> (first: String, final: String?, signature: String, isVerified: Bool) {
        var client = ScramClient(hash: isLong ? .sha512 : .sha256, username: username, nonce: nonce)
        let first = String(decoding: client.first, as: UTF8.self)
        guard let challenge = client.challenge(Array(serverFirst.utf8)) else { return (first, nil, "", false) }
        let salted = client.hash.derive(
            Array(password.utf8), salt: challenge.salt, iterations: challenge.iterations)
        let final = client.final(challenge, salted: salted)
        return (
            first, String(decoding: final, as: UTF8.self), Base64.encode(client.expectedSignature),
            client.verify(Array(serverFinal.utf8))
        )
    }

    /// Compresses as a client would (0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd).
    package static func compress(_ bytes: [UInt8], codec: UInt8) -> [UInt8] {
        var output: [UInt8] = []
        guard let codec = CompressionCodec(rawValue: codec) else { return [] }
        try? unsafe Compressor().compress(bytes.span.bytes, codec, into: &output)
        return output
    }

    package static func decompress(_ bytes: [UInt8], codec: UInt8) -> [UInt8]? {
        var output: [UInt8] = []
        guard let codec = CompressionCodec(rawValue: codec) else { return nil }
        do throws(CompressionError) {
            try unsafe Compressor().decompress(bytes.span.bytes, codec, into: &output, limit: 1 << 26)
            return output
        } catch { return nil }
    }

    private static func isFramed(_ frame: [UInt8]) -> Bool {
        guard frame.count >= 8, let length = unsafe frame.span.bytes.bigEndian(Int32.self, at: 0) else { return false }
        return Int(length) == frame.count - 4
    }

    private static func fields(_ frame: [UInt8], _ schema: MessageSchema, body: Range<Int>) -> [String]? {
        var reader = MessageReader(schema, body: body)
        guard let tree = try? unsafe reader.read(frame.span.bytes), tree.range == body else { return nil }
        var lines: [String] = []
        for field in schema.fields { flatten(field, tree[field.name], field.name, frame, &lines) }
        return lines
    }

    private static func flatten(
        _ field: MessageSchema.Field, _ node: MessageNode?, _ path: String, _ frame: [UInt8], _ lines: inout [String]
    ) {
        guard let node else { return }
        if node.isNull { return lines.append("\(path)=null") }
        guard field.isArray else { return flatten(field, element: node, path, frame, &lines) }
        if case .fixed(let size) = field.kind {
            let numbers = stride(from: node.content.lowerBound, to: node.content.upperBound, by: size).map { start in
                number(frame[start..<(start + size)])
            }
            return lines.append("\(path)=\(numbers)")
        }
        lines.append("\(path)#\(node.children.count)")
        for (index, child) in node.children.enumerated() {
            flatten(field, element: child, "\(path).\(index)", frame, &lines)
        }
    }

    private static func flatten(
        _ field: MessageSchema.Field, element node: MessageNode, _ path: String, _ frame: [UInt8],
        _ lines: inout [String]
    ) {
        if node.isNull { return lines.append("\(path)=null") }
        switch field.kind {
        case .fixed: lines.append("\(path)=\(number(frame[node.range]))")
        case .uuid:
            lines.append("\(path)=\(number(frame[node.range].prefix(8))):\(number(frame[node.range].suffix(8)))")
        case .string: lines.append("\(path)=\(String(decoding: frame[node.content], as: UTF8.self))")
        case .bytes: lines.append("\(path)=\(node.content.count) bytes")
        case .structure:
            for inner in field.fields { flatten(inner, node[inner.name], "\(path).\(inner.name)", frame, &lines) }
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int64 {
        guard let first = bytes.first else { return 0 }
        return bytes.dropFirst().reduce(Int64(Int8(bitPattern: first))) { $0 << 8 | Int64($1) }
    }
}
