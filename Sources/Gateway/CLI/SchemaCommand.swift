import TidegateConfiguration

extension Command {
    static let schema = Command(
        name: "schema", summary: "prints the configuration's JSON Schema, or its reference",
        usage: "[--reference]", example: "tidegate schema > tidegate.schema.json", flags: ["--reference"]
    ) { arguments in
        let root = ConfigurationSchema.root(Backends.declarations)
        Output.text(
            arguments.flags.contains("--reference") ? SchemaDocument.reference(root) : SchemaDocument.json(root))
        return 0
    }
}
