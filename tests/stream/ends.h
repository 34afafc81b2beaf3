/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections over loopback whose one end is a plain socket or a file of a
 * mount, and whose other end, the peer, is a plain socket in the same process.
 *
 * Functions that can fail as a system call can give its result, or -errno.
 * Everything that must not go wrong ends the program with a message.
 */
#ifndef TESTS_STREAM_ENDS_H
#define TESTS_STREAM_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct end {
	bool is_file;
	bool dials;	/* else it was accepted */
	int fd;		/* the end under test */
	int peer;	/* -1: closed */
	char path[256]; /* of a file */
};

/* Sizes that both ends of every connection get, so that full queues compare. */
#define END_SNDBUF 65536
#define END_RCVBUF 65536

__attribute__((format(printf, 1, 2), noreturn)) void die(const char *fmt, ...);
/* Called by die() first, if set: says more about what was being done. */
extern void (*on_death)(void);
/* Waiting for a condition took too long: says for which. */
__attribute__((noreturn)) void die_waiting(const char *what);

/* The mount the files are made in; once, before anything else. */
void ends_init(const char *mount);
/* A number since the start of the program, in ms. */
uint64_t now_ms(void);

/* A connected pair; the end dials the peer, or the peer dials it. */
void end_open_plain(struct end *e, bool dials);
void end_open_file(struct end *e, bool dials);
/* Closes both ends; of a file also its names. */
void end_close(struct end *e);

/* A listening plain socket on 127.0.0.1, its port. */
int plain_listener(int *ret_port);
/* Connects a plain socket to 127.0.0.1:@port. */
int plain_dial(int port);
/* A new socket file in the mount, open with O_RDWR|@flags. */
int file_new(const char *name, int flags, char *ret_path, size_t size);
/* connect, and bind with listen, of a file; 0 or -errno, the port. */
int file_connect(int fd, int port);
int file_listen(int fd, int backlog, int *ret_port);
/* Accepts by ioctl and opens the new file. */
int file_accept(int fd, const char *listener, char *ret_path, size_t size);
/* An option of sockfs itself, or a level and name of setsockopt(2). */
void file_setsockopt(int fd, int level, int name, int value);

/* The same on both kinds. */
long end_read(struct end *e, void *buf, size_t size);
long end_write(struct end *e, const void *buf, size_t size);
long end_shutdown(struct end *e, int how);
long end_inq(struct end *e);
long end_outq(struct end *e);
unsigned int end_poll(struct end *e, unsigned int events, int timeout);
void end_nonblock(struct end *e, bool on);

/* RST, and FIN, from the peer. */
void peer_reset(struct end *e);
void peer_close(struct end *e);

/* Wait until @cond is true, for 20 s. */
#define wait_for(cond)                                                                             \
	do {                                                                                       \
		uint64_t end_ = now_ms() + 20000;                                                  \
		while (!(cond)) {                                                                  \
			if (now_ms() > end_)                                                       \
				die_waiting(#cond);                                                \
			wait_a_bit();                                                              \
		}                                                                                  \
	} while (0)
void wait_a_bit(void);

/* Byte number @pos of every stream. */
static inline unsigned char stream_byte(uint64_t pos)
{
	return (unsigned char)((pos * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}
void stream_fill(void *buf, uint64_t pos, size_t size);
/* Are these the bytes at @pos? */
bool stream_is(const void *buf, uint64_t pos, size_t size);

#endif
