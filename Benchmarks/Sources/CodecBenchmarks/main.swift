// `codec-benchmarks [--benchmark_filter=REGEX ...]`: what runs per field, decision, request and batch, and what it allocates.
// `codec-benchmarks documents KIND`: the documents that are masked, one a line, for others to mask.
import CBench
import Glibc

if CommandLine.argc == 3, CommandLine.arguments[1] == "documents" {
    guard let kind = Documents(rawValue: CommandLine.arguments[2]) else {
        print("kinds of documents: \(Documents.allCases.map(\.rawValue).joined(separator: ", "))")
        exit(2)
    }
    for document in kind.all { print(String(decoding: document, as: UTF8.self)) }
    exit(0)
}
let suite = Suite()
suite.addWire()
suite.addGovernor()
suite.addCompression()
try suite.addMasking()
try suite.addDetection()
try suite.addMaskedCompression()
try suite.addTokens()
suite.addYardsticks()
let backend = try await CannedCluster.makeBackend()
suite.addKafka(backend)
try suite.addHeldFetch(
    backend,
    [
        ("no field edited", CopyingMasker(edits: false)), ("each value edited", CopyingMasker(edits: true)),
        ("3 paths masked", try Profiles.threePaths()),
    ])
suite.addRedis(
    try Suite.makeRedis(),
    [("no field edited", CopyingMasker(edits: false)), ("3 paths masked", try Profiles.threePaths(below: "order."))])
guard unsafe cbench_run(CommandLine.argc, CommandLine.unsafeArgv) == 0 else { exit(2) }
let failures = suite.failures()
for failure in failures { print("FAILED: \(failure)") }
exit(failures.isEmpty ? 0 : 1)
