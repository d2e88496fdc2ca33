// Preloaded by scripts/sanitize: tells the thread sanitizer about Swift's Mutex.
//
// The uncontended way of a Mutex is inlined into its callers, where the sanitizer sees the atomics. The contended way stands
// in libswiftSynchronization, which is not instrumented: a lock that was waited for looks like no lock at all. These two
// functions stand in front of that library's own (`_MutexHandle._lockSlow` and `_unlockSlow`) and say what they do.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) __asm__(LOCK_SLOW);
SWIFT void unlock_slow(SELF void *mutex) __asm__(UNLOCK_SLOW);

static SWIFT void (*real_lock_slow)(uint32_t, SELF void *);
static SWIFT void (*real_unlock_slow)(SELF void *);
static void (*acquired)(void *);
static void (*releasing)(void *);

// Absent in processes without the sanitizer, such as SwiftPM itself: there the library's functions are called and nothing is said.
__attribute__((constructor)) static void find(void) {
    acquired = (void (*)(void *))dlsym(RTLD_DEFAULT, "__tsan_acquire");
    releasing = (void (*)(void *))dlsym(RTLD_DEFAULT, "__tsan_release");
    real_lock_slow = (SWIFT void (*)(uint32_t, SELF void *))dlsym(RTLD_NEXT, LOCK_SLOW);
    real_unlock_slow = (SWIFT void (*)(SELF void *))dlsym(RTLD_NEXT, UNLOCK_SLOW);
    if (acquired && (!real_lock_slow || !real_unlock_slow)) {
        fputs("swift-mutex-for-tsan: this Swift's Mutex has other functions; look for _MutexHandle in its library\n", stderr);
        abort();
    }
}

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) {
    if (!real_lock_slow) find();  // the library came after the process's start
    real_lock_slow(thread, mutex);
    if (acquired) acquired(mutex);
}

SWIFT void unlock_slow(SELF void *mutex) {
    if (!real_unlock_slow) find();
    if (releasing) releasing(mutex);
    real_unlock_slow(mutex);
}
