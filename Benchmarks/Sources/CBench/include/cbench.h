// Google Benchmark as Swift can call it: registration, the loop, and what a benchmark reports.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/// benchmark::State of one run.
typedef struct cbench_state cbench_state;
typedef void (*cbench_body)(cbench_state *_Nonnull state, void *_Nullable context);

/// Registers `body`, which is called with `context` for each run.
void cbench_register(const char *_Nonnull name, cbench_body _Nonnull body, void *_Nullable context);
/// Takes Google Benchmark's own options (--benchmark_filter and so on) from `argv` and runs what is registered.
/// Returns 0, or 1 where an argument is not known.
int cbench_run(int argc, char *_Nullable *_Nonnull argv);

/// How many iterations this run has; the body's loop is written in Swift.
int64_t cbench_iterations(const cbench_state *_Nonnull state);
/// Starts the clock on the first call and stops it on the second: `while (cbench_keep_running(s)) { all iterations }`.
bool cbench_keep_running(cbench_state *_Nonnull state);
/// Bytes of all iterations together, reported as a rate.
void cbench_set_bytes(cbench_state *_Nonnull state, int64_t bytes);
/// Items of all iterations together, reported as a rate.
void cbench_set_items(cbench_state *_Nonnull state, int64_t items);
/// A figure of the run in a column of its own.
void cbench_set_counter(cbench_state *_Nonnull state, const char *_Nonnull name, double value);
/// Ends the run as failed.
void cbench_fail(cbench_state *_Nonnull state, const char *_Nonnull reason);

#ifdef __cplusplus
}
#endif
