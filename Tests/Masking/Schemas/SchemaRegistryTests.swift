import Foundation
import Synchronization
import TestSupport
import Testing
import TidegateHTTP
import TidegateSchemas

struct SchemaRegistryTests {
    private let remote = ScriptedRegistry()
    private let avro = #"{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}"#

    /// Waits for something that happens on another thread by asking again.
    private func eventually(_ condition: () -> Bool) async -> Bool {
        for _ in 0..<(2000 * patienceFactor) {
            if condition() { return true }
            await Task.yield()
            try? await Task.sleep(for: .milliseconds(1))
        }
        return false
    }

    @Test func `a schema is asked for once, and kept`() async throws {
        remote.say("/schemas/ids/7", avro)
        let registry = try remote.registry()
        #expect(Said(await registry.settled(.id(7))) == .ready(.avro))
        for _ in 0..<10 { #expect(Said(registry.schema(.id(7))) == .ready(.avro)) }
        #expect(remote.asked == ["/schemas/ids/7"])
    }

    @Test func `those who ask for one schema at a time are joined, and all are called`() async throws {
        remote.say("/schemas/ids/7", avro)
        remote.hold()
        let registry = try remote.registry()
        let called = Mutex(0)
        for _ in 0..<100 {
            #expect(Said(registry.schema(.id(7)) { called.withLock { $0 += 1 } }) == .pending)
        }
        remote.release()
        #expect(await eventually { called.withLock { $0 } == 100 })
        #expect(Said(registry.schema(.id(7))) == .ready(.avro))
        #expect(remote.asked.count == 1)
    }

    @Test func `formats, GUIDs and references are the registry's`() async throws {
        let guid = SchemaKey.guid(0x8979_1762_2336_4186, 0x9674_299b_90a8_02e2)
        remote.say(
            "/schemas/guids/89791762-2336-4186-9674-299b90a802e2",
            #"syntax = "proto3"; import "a b.proto"; message M { N n = 1; }"#,
            type: "PROTOBUF", references: #"[{"name":"a b.proto","subject":"a/b ä","version":3}]"#)
        remote.say(
            "/subjects/a%2Fb%20%C3%A4/versions/3?deleted=true",
            #"syntax = "proto3"; import "c.proto"; message N { C c = 1; }"#,
            type: "PROTOBUF", references: #"[{"name":"c.proto","subject":"c","version":1}]"#)
        remote.say(
            "/subjects/c/versions/1?deleted=true", #"syntax = "proto3"; message C { string s = 1; }"#, type: "PROTOBUF")
        remote.say("/schemas/ids/2", #"{"confluent:tags":["X"]}"#, type: "JSON")
        let registry = try remote.registry()
        #expect(Said(await registry.settled(guid)) == .ready(.protobuf))
        #expect(remote.asked.count == 3)
        #expect(Said(await registry.settled(.id(2))) == .ready(.jsonSchema))
    }

    @Test func `Avro types of references are there before those that use them`() async throws {
        remote.say(
            "/schemas/ids/1",
            #"{"type":"record","name":"A","fields":[{"name":"b","type":"B"},{"name":"c","type":"C"}]}"#,
            references: #"[{"name":"B","subject":"b","version":1},{"name":"C","subject":"c","version":1}]"#)
        remote.say(
            "/subjects/b/versions/1?deleted=true", #"{"type":"record","name":"B","fields":[{"name":"c","type":"C"}]}"#,
            references: #"[{"name":"C","subject":"c","version":1}]"#)
        remote.say("/subjects/c/versions/1?deleted=true", #"{"type":"enum","name":"C","symbols":["X"]}"#)
        #expect(Said(await (try remote.registry()).settled(.id(1))) == .ready(.avro))
    }

    @Test func `tags that the registry keeps beside a schema are its fields'`() async throws {
        let text = #"{"type":"record","name":"R","namespace":"a.b","fields":[{"name":"mail","type":"string"}]}"#
        let quoted = text.replacingOccurrences(of: "\"", with: "\\\"")
        let tags = #"{"**.mail":["PII"],"*.mail":["NO"],"a.b.R.m??l":["TWO"],"a.b.R":["NO"],"a.*.R.ma*":["STAR"]}"#
        remote.say(
            "/schemas/ids/1", status: 200,
            body: #"{"schema":"\#(quoted)","metadata":{"tags":\#(tags),"properties":{}}}"#)
        let proto = #"syntax = \"proto3\"; package p; message M { string mail = 1; message N { string x = 1; } }"#
        remote.say(
            "/schemas/ids/2", status: 200,
            body:
                #"{"schemaType":"PROTOBUF","schema":"\#(proto)","metadata":{"tags":{"p.M.**":["ALL"],"*.M.N.x":["X"]}}}"#
        )
        let registry = try remote.registry()
        guard case .ready(let avro) = await registry.settled(.id(1)),
            case .ready(let protobuf) = await registry.settled(.id(2))
        else { throw ScriptedRegistry.Away() }
        #expect(avro.tags == ["PII", "TWO", "STAR"])
        #expect(protobuf.tags == ["ALL", "X"])
        let harness = try Harness(avro, TakesPaths(tags: ["TWO"]))
        #expect(harness.masked(wire("02 'x'"), "yz") == wire("04 'yz'"))
    }

    @Test func `what does not exist or cannot be used is not asked for again at once`() async throws {
        remote.say("/schemas/ids/1", "no schema")
        remote.say("/schemas/ids/2", status: 200, body: "{}")
        remote.say("/schemas/ids/3", avro, type: "COBOL")
        remote.say("/schemas/ids/4", avro, references: #"[{"name":"X","subject":"x","version":1}]"#)
        let registry = try remote.registry()
        for id in 1...5 as ClosedRange<UInt32> {
            #expect(Said(await registry.settled(.id(id))) == .failed)
        }
        let count = remote.asked.count
        remote.advance(29)
        for id in 1...5 as ClosedRange<UInt32> { #expect(Said(registry.schema(.id(id))) == .failed) }
        #expect(remote.asked.count == count)
        remote.say("/schemas/ids/1", avro)
        remote.advance(2)
        #expect(Said(await registry.settled(.id(1))) == .ready(.avro))
    }

    @Test func `references in a circle end`() async throws {
        let circle = #"[{"name":"B","subject":"b","version":1}]"#
        remote.say("/schemas/ids/1", #""string""#, references: circle)
        remote.say("/subjects/b/versions/1?deleted=true", #""string""#, references: circle)
        _ = await (try remote.registry()).settled(.id(1))
        #expect(remote.asked.count == 2)
    }

    @Test func `in an outage what is known holds until it is too old, then nothing does`() async throws {
        remote.say("/schemas/ids/7", avro)
        let registry = try remote.registry()
        #expect(Said(await registry.settled(.id(7))) == .ready(.avro))
        remote.goAway()
        remote.advance(3601)
        #expect(Said(registry.schema(.id(7))) == .ready(.avro))
        #expect(await eventually { remote.asked.count == 2 })
        // Asked in the background, and not again for a few seconds.
        for _ in 0..<10 { #expect(Said(registry.schema(.id(7))) == .ready(.avro)) }
        #expect(remote.asked.count == 2)
        #expect(
            await eventually {
                remote.advance(6)
                return Said(registry.schema(.id(7))) == .ready(.avro) && remote.asked.count == 3
            })
        remote.advance(24 * 3600)
        #expect(Said(await registry.settled(.id(7))) == .failed)
        remote.advance(6)
        remote.goAway(false)
        #expect(Said(await registry.settled(.id(7))) == .ready(.avro))
    }

    @Test func `the same answer is the same schema, another answer another`() async throws {
        remote.say("/schemas/ids/7", avro)
        let registry = try remote.registry()
        guard case .ready(let first) = await registry.settled(.id(7)) else { throw ScriptedRegistry.Away() }
        func current() -> Schema? {
            if case .ready(let schema) = registry.schema(.id(7)) { return schema }
            return nil
        }
        remote.advance(3601)
        #expect(current() === first)
        #expect(await eventually { remote.asked.count == 2 })
        remote.say("/schemas/ids/7", #""string""#)
        #expect(
            await eventually {
                remote.advance(3601)
                return current().map { $0 !== first } ?? false
            })
    }

    @Test func `a peer's ids push no known schema out, and are not asked for without bounds`() async throws {
        remote.say("/schemas/ids/7", avro)
        let registry = try remote.registry {
            $0.cacheLimit = 8
            $0.askLimit = 4
        }
        #expect(Said(await registry.settled(.id(7))) == .ready(.avro))
        remote.hold()
        let answers = (100..<200).map { Said(registry.schema(.id($0))) }
        #expect(answers.allSatisfy { $0 == .pending })
        #expect(await eventually { remote.waiting == 4 })
        remote.release()
        #expect(await eventually { remote.asked.count == 101 && registry.count == 9 })
        for id in 200..<300 as Range<UInt32> {
            _ = await registry.settled(.id(id))
            #expect(registry.count <= 9 + 4)
        }
        #expect(Said(registry.schema(.id(7))) == .ready(.avro))
    }

    @Test(arguments: [0, 2, 1024])
    func `who asks while others are asked for is answered in its turn`(queueLimit: Int) async throws {
        for id in 1...20 { remote.say("/schemas/ids/\(id)", avro) }
        let registry = try remote.registry {
            $0.askLimit = 2
            $0.queueLimit = queueLimit
        }
        remote.hold()
        for id in 1...4 as ClosedRange<UInt32> { #expect(Said(registry.schema(.id(id))) == .pending) }
        remote.release()
        // As sessions do it: ask again whenever called.
        await withTaskGroup(of: Bool.self) { group in
            for id in 1...20 as ClosedRange<UInt32> {
                group.addTask {
                    var answer = await registry.settled(.id(id))
                    while case .pending = answer { answer = await registry.settled(.id(id)) }
                    return Said(answer) == .ready(.avro)
                }
            }
            for await isReady in group { #expect(isReady) }
        }
        #expect(remote.asked.count == 20 && Set(remote.asked).count == 20)
    }

    @Test func `where nobody answers, what waits for its turn fails at once and not one after the other`() async throws
    {
        let registry = try remote.registry { $0.askLimit = 1 }
        remote.goAway()
        remote.hold()
        let called = Mutex(0)
        for id in 0..<10 as Range<UInt32> {
            #expect(Said(registry.schema(.id(id)) { called.withLock { $0 += 1 } }) == .pending)
        }
        remote.release()
        #expect(await eventually { called.withLock { $0 } == 10 })
        for id in 0..<10 as Range<UInt32> { #expect(Said(registry.schema(.id(id))) == .failed) }
        #expect(remote.asked.count == 1)
    }

    @Test func `what is known is told without being asked for`() async throws {
        remote.say("/schemas/ids/7", avro)
        let registry = try remote.registry()
        #expect(registry.known(.id(7)) == nil && remote.asked.isEmpty)
        guard case .ready(let schema) = await registry.settled(.id(7)) else { throw ScriptedRegistry.Away() }
        #expect(registry.known(.id(7)) === schema)
        remote.advance(24 * 3600)
        #expect(registry.known(.id(7)) == nil && remote.asked.count == 1)
    }

    @Test(arguments: [
        "registry", "ftp://registry", "http://user:secret@registry", "http://registry?x", "http://registry#x",
    ])
    func `what is no URL of a registry is refused, without being repeated`(url: String) {
        let error = #expect(throws: SchemaError.self) { try SchemaRegistry(RegistrySettings(url: url)) }
        #expect(error?.message.contains("secret") == false)
    }

    @Test func `over HTTP the credentials are sent, and a wrong password is an outage`() async throws {
        let expected = "Basic " + Data("user:pass word".utf8).base64EncodedString()
        let server = try HTTPServer(host: "127.0.0.1", port: 0) { request in
            guard request.headers["authorization"] == expected else {
                return HTTPResponse(status: 401, contentType: "text/plain", body: [])
            }
            let body = request.path == "/registry/schemas/ids/1" ? #"{"schema":"\"string\""}"# : "nothing"
            return HTTPResponse(
                status: request.path.hasSuffix("1") ? 200 : 404, contentType: "", body: Array(body.utf8))
        }
        defer { server.stop() }
        var settings = RegistrySettings(url: "http://127.0.0.1:\(server.port)/registry/")
        settings.user = "user"
        settings.password = "pass word"
        let registry = try SchemaRegistry(settings)
        #expect(Said(await registry.settled(.id(1))) == .ready(.avro))
        #expect(Said(await registry.settled(.id(2))) == .failed)
        settings.password = "wrong"
        guard case .failed(let error) = await (try SchemaRegistry(settings)).settled(.id(1)) else {
            throw ScriptedRegistry.Away()
        }
        #expect(error.message.contains("401") && !error.message.contains("wrong"))
    }

    @Test func `a registry that nobody answers for fails`() async throws {
        let server = try HTTPServer(host: "127.0.0.1", port: 0) { _ in
            HTTPResponse(status: 200, contentType: "", body: [])
        }
        let port = server.port
        server.stop()
        let registry = try SchemaRegistry(RegistrySettings(url: "http://127.0.0.1:\(port)"))
        #expect(Said(await registry.settled(.id(1))) == .failed)
    }
}
