// `codec-benchmarks [--benchmark_filter=REGEX ...]`: what runs per field, decision, request and batch, and what it allocates.
import CBench
import Glibc

let suite = Suite()
suite.addWire()
suite.addGovernor()
suite.addCompression()
try suite.addMasking()
let backend = try await CannedCluster.makeBackend()
suite.addKafka(backend)
try suite.addHeldFetch(
    backend,
    [
        ("no field edited", CopyingMasker(edits: false)), ("each value edited", CopyingMasker(edits: true)),
        ("3 paths masked", try Profiles.threePaths()),
    ])
guard unsafe cbench_run(CommandLine.argc, CommandLine.unsafeArgv) == 0 else { exit(2) }
let failures = suite.failures()
for failure in failures { print("FAILED: \(failure)") }
exit(failures.isEmpty ? 0 : 1)
