import Glibc

/// How many descriptors the process may have, and how many connections they are enough for.
public enum Descriptors {
    /// Raises the soft limit to the hard one: what is inherited (often 1024) is meant for programs that call `select`.
    ///
    /// - Returns: how many there may be from here on.
    public static func raise() -> Int {
        let files = __rlimit_resource_t(7)  // RLIMIT_NOFILE, whose import is of another type
        var limit = rlimit()
        guard unsafe getrlimit(files, &limit) == 0 else { return 1024 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        return Int(clamping: unsafe setrlimit(files, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur)
    }

    /// Connections that so many descriptors are enough for: each is one of a client and one of a backend.
    ///
    /// An eighth, 64 to 512 of them, stays free: for the files of evidence, and for connections that a loop has accepted in one
    /// go and only then refuses.
    ///
    /// - Parameter others: what else is opened.
    static func connections(of descriptors: Int, others: Int) -> Int {
        max(1, (descriptors - others - min(512, max(64, descriptors / 8))) / 2)
    }
}
