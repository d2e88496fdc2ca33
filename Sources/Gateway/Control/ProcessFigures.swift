import Glibc

/// What the kernel says about this process, by the names that Prometheus clients use.
public struct ProcessFigures: Sendable, Equatable {
    public var residentBytes: UInt64 = 0
    public var cpuSeconds = 0.0
    /// Seconds since 1970.
    public var startTime = 0.0
    public var openDescriptors = 0
    public init() {}

    /// Reads `/proc/self`; what cannot be read is zero.
    public static func current() -> ProcessFigures {
        var figures = ProcessFigures()
        // Fields behind the name, which may hold spaces: proc(5), /proc/pid/stat, from field 3 on.
        let stat = read("/proc/self/stat")
        let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
        let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        if fields.count > 21 {
            figures.cpuSeconds = ((Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)) / ticks
            figures.residentBytes = (UInt64(fields[21]) ?? 0) * UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
            let boot = read("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }
            if let boot, let seconds = Double(boot.dropFirst(6)), let start = Double(fields[19]) {
                figures.startTime = seconds + start / ticks
            }
        }
        figures.openDescriptors = descriptors()
        return figures
    }

    private static func descriptors() -> Int {
        guard let directory = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(directory) }
        var count = 0
        while unsafe readdir(directory) != nil { count += 1 }
        return max(0, count - 3)  // `.`, `..`, and the one that is read
    }

    private static func read(_ path: String) -> String {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += buffer[..<count]
        }
    }
}
