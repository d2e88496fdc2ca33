import Testing
import TidegateConfiguration
import TidegateCore
import TidegateKafka
import TidegatePolicy

/// `commands` of a rule, as names and categories of the backends behind its routes.
@Suite struct CommandSettingsTests {
    private static let redis = BackendDeclaration(
        protocolName: "redis", settings: .anything,
        kinds: [.init(singular: "stream", plural: "streams"), .init(singular: "key", plural: "keys")],
        wireNames: ["XLEN", "XRANGE", "XADD", "CONFIG|GET", "CONFIG|SET", "EVAL", "EVAL_RO"],
        commandCategories: [
            "read": ["XLEN", "XRANGE", "EVAL_RO"], "write": ["XADD"], "scripting": ["EVAL", "EVAL_RO"],
        ], explicitCommands: ["EVAL", "EVAL_RO"])

    private func read(_ policies: String, routes: [String] = ["cache: redis", "orders: kafka"])
        -> ConfigurationReader
        .Reading
    {
        var text = "identity: { issuers: [{ issuer: https://idp.example.com, audience: tidegate }] }\n"
        text += "backends:\n  kafka: { kafka: { bootstrap: [127.0.0.1:9092] } }\n  redis: { redis: {} }\nroutes:\n"
        for (index, route) in routes.enumerated() {
            let parts = route.split(separator: ": ")
            text += "  - { name: \(parts[0]), listen: 127.0.0.1:\(7000 + 100 * index), backend: \(parts[1]),"
            text += " advertise: { host: localhost, ports: \(7001 + 100 * index)-\(7009 + 100 * index) } }\n"
        }
        text += "policies:\n" + policies
        return ConfigurationReader(
            backends: [KafkaBackend.declaration, CommandSettingsTests.redis], withSecrets: false
        ).read(text: Array(text.utf8), file: "t.yaml")
    }

    private func rule(_ commands: String, _ more: String = "", effect: String = "allow") -> String {
        "  - { name: r, subjects: \"*\", actions: \"*\", resources: \"*\", effect: \(effect), commands: \(commands)\(more) }\n"
    }

    private func commands(_ commands: String, _ more: String = "", effect: String = "allow") throws
        -> PolicyRule.Commands
    {
        let reading = read(rule(commands, more, effect: effect))
        let configuration = try #require(reading.configuration, "\(reading.problems)")
        return try #require(configuration.policies.first?.commands)
    }

    /// Severity, place, message and suggestion of each problem.
    private func problems(_ commands: String, _ more: String = "", effect: String = "allow") -> [String] {
        read(rule(commands, more, effect: effect)).problems.map {
            "\($0.severity == .error ? "" : "warning: ")\($0.path): \($0.message); \($0.suggestion)"
        }
    }

    @Test func `names in any case, subcommands either way, and containers`() throws {
        #expect(try commands("[xlen, XRANGE]") == .init(named: ["XLEN", "XRANGE"]))
        #expect(try commands("xadd") == .init(named: ["XADD"]))
        #expect(try commands("[\"CONFIG|GET\"]") == .init(named: ["CONFIG|GET"]))
        #expect(try commands("[config get]") == .init(named: ["CONFIG|GET"]))
        #expect(try commands("[CONFIG]") == .init(named: ["CONFIG|GET", "CONFIG|SET"]))
        #expect(try commands("[EVAL]") == .init(named: ["EVAL"]), "a prefix is no container")
        #expect(try commands("[fetch]", ", routes: orders") == .init(named: ["Fetch"]))
        #expect(try commands("[fetch, xlen]") == .init(named: ["Fetch", "XLEN"]))
    }

    @Test func `categories are expanded, and name nothing`() throws {
        #expect(try commands("\"@read\"") == .init(all: ["XLEN", "XRANGE", "EVAL_RO"]))
        #expect(try commands("[\"@READ\", EVAL_RO]") == .init(all: ["XLEN", "XRANGE", "EVAL_RO"], named: ["EVAL_RO"]))
        #expect(try commands("[\"@scripting\"]", effect: "deny") == .init(all: ["EVAL", "EVAL_RO"]))
    }

    @Test func `left out means any, which is no empty set`() throws {
        let reading = read(rule("XLEN").replacing(", commands: XLEN", with: ""))
        #expect(try #require(reading.configuration).policies.map(\.commands) == [nil])
        #expect(
            problems("[]") == ["policies[0].commands: the list is empty; at least one element, or leave the key out"])
    }

    @Test func `what none of the rule's backends has is refused, with what is near`() {
        let place = "policies[0].commands"
        #expect(problems("[XLEM]") == ["\(place)[0]: the rule's routes have no command 'XLEM'; did you mean 'XLEN'?"])
        #expect(
            problems("[XLEN, \"@reed\"]") == [
                "\(place)[1]: the rule's routes have no category '@reed'; did you mean '@read'?"
            ])
        #expect(problems("read") == ["\(place): the rule's routes have no command 'read'; did you mean '@read'?"])
        #expect(
            problems("nothing_like_it", ", routes: cache") == [
                "\(place): the rule's routes have no command 'nothing_like_it'; such as XLEN or \"@read\""
            ])
        #expect(
            problems("\"*\"") == [
                "\(place): the rule's routes have no command '*'; leave commands out, which means any"
            ])
        #expect(
            problems("[XLEN]", ", routes: [orders]").map { $0.prefix { $0 != ";" } } == [
                "\(place)[0]: the rule's routes have no command 'XLEN'"
            ])
        #expect(
            problems("[\"@read\"]", ", routes: [orders]") == [
                "\(place)[0]: the rule's routes have no category '@read'; such as Produce"
            ])
        #expect(problems("[CONFIG REWRITE, \"|GET\", \"@\"]").count == 3)
        #expect(problems("[Fetch, XLEN]", ", routes: [orders, cache]") == [])
    }

    @Test func `a rule that names no route is held against the backends that have one`() {
        let reading = read(rule("[Fetch]"), routes: ["cache: redis"])
        #expect(reading.problems.map(\.message) == ["the rule's routes have no command 'Fetch'"])
    }

    @Test func `a route that is wrong does not make its commands wrong too`() {
        #expect(problems("[XLEN]", ", routes: [cash]").map { $0.prefix { $0 != ":" } } == ["policies[0].routes[0]"])
    }

    @Test func `a category that opens nothing is told, where it should open something`() {
        let expected =
            "warning: policies[0].commands[0]: '@scripting' opens nothing: each of its commands must be named; names, such as EVAL"
        #expect(problems("[\"@scripting\"]") == [expected])
        #expect(problems("[\"@scripting\"]", effect: "deny") == [])
        #expect(problems("[\"@read\"]") == [])
    }

    @Test func `check tells what commands can never decide`() {
        let two = rule("[XLEN, XRANGE]") + rule("[XLEN]").replacing("name: r", with: "name: s")
        #expect(
            read(two).problems.map(\.message) == ["'s' can never decide: 'r' covers the same and stands before it"])
        let eval = rule("\"@read\"") + rule("[EVAL_RO]").replacing("name: r", with: "name: s")
        #expect(read(eval).problems.isEmpty, "the category leaves out what must be named")
    }

    @Test func `the published schema takes commands`() throws {
        let paths = SchemaDocument.paths(Fixture.schema).map(\.path)
        #expect(paths.contains("policies[].commands"))
        #expect(
            Fixture.read(Fixture.example.replacing("effect: allow", with: "effect: allow\n    commands: [fetch]"))
                .configuration != nil)
    }

    @Test func `a command line's command is one wire name`() {
        let names = CommandNames([KafkaBackend.declaration, CommandSettingsTests.redis])
        #expect(names.wireName("config get") == "CONFIG|GET" && names.wireName("FETCH") == "Fetch")
        #expect(names.wireName("CONFIG") == nil && names.wireName("@read") == nil && names.wireName("") == nil)
        #expect(names.mustBeNamed("EVAL") && !names.mustBeNamed("XLEN"))
    }
}
