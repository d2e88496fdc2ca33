import Glibc

/// How much longer than usual a test waits before it gives up: sanitizers and busy machines are slow
/// (`TIDEGATE_TEST_PATIENCE`).
public let patienceFactor = getenv("TIDEGATE_TEST_PATIENCE").flatMap { Int(String(cString: $0)) } ?? 1

/// How many times longer a limit is than what a quiet machine needs: it is there for what hangs, and to measure nothing.
public let hangFactor = 5.0 * Double(patienceFactor)
