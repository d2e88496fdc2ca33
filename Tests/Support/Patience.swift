import Glibc

/// How much longer than usual a test waits before it gives up: sanitizers and busy machines are slow
/// (`TIDEGATE_TEST_PATIENCE`).
public let patienceFactor = getenv("TIDEGATE_TEST_PATIENCE").flatMap { Int(String(cString: $0)) } ?? 1
