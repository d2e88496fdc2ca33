import Foundation

extension Schema {
    static let fileLimit = 1000
    static let includeByteLimit = 16 << 20

    /// A schema from a file: `.avsc`, `.proto`, `.json` (JSON Schema), or `.desc`, `.pb` and `.binpb` (a set of descriptors).
    ///
    /// - Parameters:
    ///   - include: the folder that a `.proto`'s imports are looked for in; nil is the file's own.
    ///   - references: files of Avro or JSON schemas that this one refers to, each behind what it refers to itself.
    public convenience init(file: String, include: String? = nil, references: [String] = []) throws(SchemaError) {
        let url = URL(fileURLWithPath: file)
        let text = try Schema.contents(url)
        switch url.pathExtension.lowercased() {
        case "avsc", "json":
            var sources: [Source] = []
            for path in references {
                let reference = URL(fileURLWithPath: path)
                sources.append(Source(name: reference.lastPathComponent, text: try Schema.contents(reference)))
            }
            try self.init(url.pathExtension.lowercased() == "avsc" ? .avro : .jsonSchema, text, references: sources)
        case "proto":
            let folder = include.map { URL(fileURLWithPath: $0) } ?? url.deletingLastPathComponent()
            try self.init(.protobuf, text, references: try Schema.protos(below: folder))
        case "desc", "pb", "binpb": try self.init(descriptors: text)
        default: throw SchemaError("\(file): not .avsc, .proto, .json, .desc, .pb or .binpb")
        }
    }

    private static func contents(_ url: URL) throws(SchemaError) -> [UInt8] {
        guard let data = try? Data(contentsOf: url) else { throw SchemaError("\(url.path): it cannot be read") }
        return Array(data)
    }

    /// All `.proto` files below a folder, named from there on; only those that are imported are looked into.
    private static func protos(below folder: URL) throws(SchemaError) -> [Source] {
        let root = folder.standardizedFileURL.resolvingSymlinksInPath()
        let names = (FileManager.default.enumerator(atPath: root.path)?.allObjects as? [String] ?? [])
            .filter { $0.hasSuffix(".proto") }.sorted()
        guard names.count <= fileLimit else { throw SchemaError("\(folder.path): more than \(fileLimit) .proto files") }
        var total = 0
        var sources: [Source] = []
        for name in names {
            let text = try contents(root.appending(path: name))
            total += text.count
            guard total <= includeByteLimit else {
                throw SchemaError("\(folder.path): more than 16 MiB of .proto files")
            }
            sources.append(Source(name: name, text: text))
        }
        return sources
    }
}
