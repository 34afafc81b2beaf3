/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the program streams share. */
#ifndef TESTS_STREAM_STREAMS_H
#define TESTS_STREAM_STREAMS_H

#include <pthread.h>

#include "tests/stream/ends.h"

/* The file under test. */
extern struct end end;

/* All of it, by as many calls as it takes. */
void write_all(int fd, const void *buf, size_t size);
void read_all(int fd, void *buf, size_t size);

pthread_t thread(void *(*run)(void *arg), void *arg);
void join(pthread_t t);
/* A child that runs the function; reap: it must have ended well. */
pid_t process(void *(*run)(void *arg), void *arg);
void reap(pid_t pid);
/* Does it wait for an answer of the daemon? */
bool is_parked(pid_t pid);
/* A thread of the peer: sends back what comes, until its end. */
void *echo_peer(void *arg);

/* streams_cut.c */
void interrupted(void);
void signals(void);
void killed(void);

#endif
