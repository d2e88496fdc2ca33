#include "cbench.h"

#include <benchmark/benchmark.h>

namespace {
benchmark::State &of(cbench_state *state) { return *reinterpret_cast<benchmark::State *>(state); }
}  // namespace

extern "C" {

void cbench_register(const char *name, cbench_body body, void *context) {
    benchmark::RegisterBenchmark(name, [body, context](benchmark::State &state) {
        body(reinterpret_cast<cbench_state *>(&state), context);
    });
}

int cbench_run(int argc, char **argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}

int64_t cbench_iterations(const cbench_state *state) {
    return reinterpret_cast<const benchmark::State *>(state)->max_iterations;
}

bool cbench_keep_running(cbench_state *state) { return of(state).KeepRunningBatch(of(state).max_iterations); }

void cbench_set_bytes(cbench_state *state, int64_t bytes) { of(state).SetBytesProcessed(bytes); }

void cbench_set_items(cbench_state *state, int64_t items) { of(state).SetItemsProcessed(items); }

void cbench_set_counter(cbench_state *state, const char *name, double value) { of(state).counters[name] = value; }

void cbench_fail(cbench_state *state, const char *reason) { of(state).SkipWithError(reason); }
}
