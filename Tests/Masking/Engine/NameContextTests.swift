import Testing

/// A field's name is the best context that a detector has: wherever it stands, however it is written.
struct NameContextTests {
    @Test(arguments: [
        #"{"ssn":"PLANTED"}"#, #"{"\u0073sn":"PLANTED"}"#, #"{"s\u0073n":PLANTED}"#,
        #"{"ssn":[{"x":1},"PLANTED"]}"#, #"{"ssn":[{"x":1},PLANTED]}"#, #"{"ssn":[[{"x":{"y":1}}],["PLANTED"]]}"#,
        #"{"ssn":{"value":"PLANTED"}}"#, #"{"\u0073sn":{"value":"PLANTED"}}"#, #"{"ssn":{"v\u0061lue":"PLANTED"}}"#,
        #"{"ssn":[{"x":{"value":1},"number":PLANTED}]}"#, ##"{"ssn":{"#text":"PLANTED"}}"##,
        #"{"ssn":"{\"value\":\"PLANTED\"}"}"#, #"{"n":{"\u0073sn":"PLANTED"}}"#,
    ])
    func `a number that counts by its name only is found under it`(document: String) throws {
        let document = document.replacing("PLANTED", with: "536904399")
        let masked = try #require(try EngineFixture.detecting("us-ssn").json(document))
        #expect(!masked.contains("536904399"), "\(masked)")
    }

    @Test(arguments: [
        #"{"ssn":{"x":1},"n":"536904399"}"#, #"{"ssn":{"order":"536904399"}}"#, #"{"value":"536904399"}"#,
        #"{"ssn":[1],"value":536904399}"#, #"{"a":{"ssn":1},"b":{"value":"536904399"}}"#,
        #"{"order":{"number":"536904399"}}"#, #"{"ssn":{"a":{"value":"536904399"}}}"#,
    ])
    func `a name that is another value's is no context`(document: String) throws {
        #expect(try EngineFixture.detecting("us-ssn").json(document) == document)
    }
}
