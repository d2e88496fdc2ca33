import Foundation
import TestSupport
import Testing
import TidegateSchemas

struct SchemaFileTests {
    private func withFiles(_ files: [String: [UInt8]], _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tidegate-schemas-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, bytes) in files {
            let url = folder.appending(path: name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: url)
        }
        try body(folder.path)
    }

    @Test func `schemas are read from files, with what they import`() throws {
        let files = [
            "a.avsc": #"{"type":"record","name":"A","fields":[{"name":"b","type":"B"}]}"#,
            "b.avsc": #"{"type":"enum","name":"B","symbols":["X"]}"#,
            "shop/order.proto": #"syntax = "proto3"; import "shop/line.proto"; message Order { Line line = 1; }"#,
            "shop/line.proto": #"syntax = "proto3"; message Line { string sku = 1; }"#, "shop/broken.proto": "nonsense",
            "t.json": #"{"properties":{"x":{"confluent:tags":["T"]}}}"#,
        ]
        try withFiles(files.mapValues { Array($0.utf8) }) { folder in
            #expect(try Schema(file: folder + "/a.avsc", references: [folder + "/b.avsc"]).format == .avro)
            let order = try Schema(file: folder + "/shop/order.proto", include: folder)
            #expect(order.message(named: "Line") != nil && order.message(at: .first) == order.message(named: "Order"))
            #expect(try Schema(file: folder + "/t.json").tags == ["T"])
            #expect(throws: SchemaError.self) { try Schema(file: folder + "/a.avsc") }
            #expect(throws: SchemaError.self) { try Schema(file: folder + "/shop/order.proto") }
            #expect(throws: SchemaError.self) { try Schema(file: folder + "/missing.avsc") }
            #expect(throws: SchemaError.self) { try Schema(file: folder + "/shop") }
        }
    }

    @Test func `a file's imports are found, those of imports too, and those that are not there`() throws {
        let root = #"""
            /* import "comment.proto"; */ syntax = "proto3"; // import "line.proto";
            import "a.proto"; import public 'sub/b.proto' ; import weak "c" ".pro\to";
            import "google/protobuf/any.proto"; import "../outside.proto"; import "/etc/passwd";
            option (x) = "import"; message import { string s = 1; import t = 2 [(o) = "no.proto"]; }
            import option "o.proto"; import "broken
            """#
        let files = [
            "root.proto": root, "a.proto": #"import "sub/b.proto";import"root.proto";import "missing.proto";"#,
            "sub/b.proto": #"import "sub/d.proto";"#, "sub/d.proto": "", "other.proto": "", "x.avsc": root,
        ]
        try withFiles(files.mapValues { Array($0.utf8) }) { folder in
            let found = Schema.imports(ofFile: folder + "/root.proto").map { $0.dropFirst(folder.count + 1) }
            #expect(
                found.sorted() == ["a.proto", "c.proto", "missing.proto", "o.proto", "sub/b.proto", "sub/d.proto"])
            #expect(Schema.imports(ofFile: folder + "/x.avsc").isEmpty)
            #expect(Schema.imports(ofFile: folder + "/none.proto").isEmpty)
        }
    }

    @Test(.enabled(if: PythonOracle.isThere, PythonOracle.lacking)) func `a set of descriptors is read from a file`()
        throws
    {
        let cases = try Oracle.lines(
            ProtobufOracleTests.Case.self, Oracle.run("protobuf_cases.py", ["generate", "1", "1"]))
        let bytes = unhex(try #require(cases.first).descriptors)
        try withFiles(["s.desc": bytes, "cut.desc": Array(bytes.dropLast())]) { folder in
            let schema = try Schema(file: folder + "/s.desc")
            #expect(schema.message(named: "shop.v1.M0") != nil)
            #expect(throws: SchemaError.self) { try Schema(file: folder + "/cut.desc") }
        }
    }
}
