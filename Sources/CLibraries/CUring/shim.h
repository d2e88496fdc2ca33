#pragma once
// features.h and sys/types.h first: liburing.h defines _XOPEN_SOURCE, which would change the types of later modules.
#include <features.h>
#include <sys/types.h>
#include <liburing.h>
#include <sys/eventfd.h>

static inline int shim_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
static inline unsigned shim_uring_setup_flags(void) {
    return IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
}
