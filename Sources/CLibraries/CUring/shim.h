#pragma once
// features.h and sys/types.h first: liburing.h defines _XOPEN_SOURCE, which would change the types of later modules.
#include <features.h>
#include <sys/types.h>
#include <liburing.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static inline int shim_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
static inline unsigned shim_uring_setup_flags(void) {
    return IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
}
// What glibc declares under _GNU_SOURCE only, or as an enumerator that imports as another type than its macro.
static inline int shim_accept(int listener) {
    extern int accept4(int, struct sockaddr *, socklen_t *, int);
    return accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
static inline int shim_socket_type(int nonblocking) {
    return SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
}
static inline unsigned shim_epoll_in(void) { return EPOLLIN; }
static inline unsigned shim_epoll_out(void) { return EPOLLOUT; }
static inline unsigned shim_epoll_gone(void) { return EPOLLHUP | EPOLLERR; }
static inline int shim_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }
static inline int shim_accept_flags(void) { return SOCK_CLOEXEC; }
static inline int shim_no_signal(void) { return MSG_NOSIGNAL; }

#include <pthread.h>
static inline void shim_name_thread(pthread_t thread, const char *name) {
    extern int pthread_setname_np(pthread_t, const char *);
    pthread_setname_np(thread, name);
}
// `set` is a bit for each core, `size` bytes of them.
static inline void shim_pin_thread(pthread_t thread, size_t size, const void *set) {
    extern int pthread_setaffinity_np(pthread_t, size_t, const cpu_set_t *);
    pthread_setaffinity_np(thread, size, (const cpu_set_t *)set);
}
