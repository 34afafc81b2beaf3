/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel for tests: speaks the raw FUSE protocol to a daemon that lives in
 * the same process, without a mount and without privileges.
 *
 * Requests go through a SOCK_SEQPACKET socket to the session, on its loop, as
 * from /dev/fuse; answers are caught where libfuse writes them, by a writev() of
 * our own. The wire knows which requests are open, and counts every answer to one
 * that is not. Notices that struct wire has no word for can be received from its fd.
 * One wire at a time.
 */
#ifndef TESTS_WIRE_H
#define TESTS_WIRE_H

#include <linux/fuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <uv.h>

#include "fs/fs.h"
#include "fuse/session.h"
#include "resume/restore.h"
#include "sockfs/ioctl.h"

/* Not an errno: the request has not been answered yet. */
#define WIRE_OPEN 1

struct wire_answer {
	TAILQ_ENTRY(wire_answer) link;
	uint64_t unique;
	int error; /* 0 or -errno, as on the wire */
	size_t len;
	char data[];
};

struct wire_request {
	TAILQ_ENTRY(wire_request) link;
	uint64_t unique;
};

struct wire {
	uv_loop_t loop;
	struct super_block sb;
	struct sockfs_session *session;
	int fd; /* the kernel's end */
	int daemon_fd;
	uint64_t unique;
	uid_t uid; /* of the caller of the next requests */
	gid_t gid;
	pid_t pid;
	uint64_t owner; /* of its locks; 0: follows from pid */
	TAILQ_HEAD(, wire_answer) answers;
	TAILQ_HEAD(, wire_request) requests; /* not answered yet */
	int refuse;	    /* errno that answers are refused with, 0: taken */
	unsigned int wrong; /* answers to requests that were not open, a second word of being ready */
	unsigned int notices; /* FUSE_NOTIFY_ messages */
	int refuse_others;    /* errno that notices are refused with that it does not count, 0: taken */
	unsigned int refused; /* those */
	uint64_t last_kh;   /* of FUSE_NOTIFY_POLL */
	uint64_t last_inval; /* nodeid of FUSE_NOTIFY_INVAL_INODE */
	bool ready, ended;
	size_t pipe_size; /* for large reads, when it begins to serve; 0: none */
	struct restored restored; /* by wire_resume() */
	bool resumed; /* it refuses what is none of its requests' answer, and does not count that */
	/* If there is one: in place of the answer or notice before which @answers_left went out. */
	void (*die)(struct wire *w);
	unsigned int answers_left;
	bool hold; /* send without letting the daemon work: several are there at once */
};

/* Up, with INIT answered; NULL: failed. wire_new_raw stops before INIT. */
struct wire *wire_new(void);
struct wire *wire_new_raw(void);
int wire_init(struct wire *w);

/*
 * The same in parts, for a daemon that dies and one that goes on in its place. The process
 * that has made the wire (wire_make) gives its descriptors to one that serves (0: wire_serve)
 * with a ledger, and when that is dead resumes: 0, or what has failed, and only wire_free()
 * is left. @keep[@nr]: descriptors that have nothing to do with it, and the wire's two.
 */
struct wire *wire_make(void);
/* The same one, in a process that has its descriptors but not its memory. */
struct wire *wire_adopt(int fd, int daemon_fd);
int wire_serve(struct wire *w);
int wire_resume(struct wire *w, const int *keep, size_t nr);
/* A request @unique is out. */
void wire_expect(struct wire *w, uint64_t unique);

/*
 * Down in the daemon's own order. The number of things that are wrong then:
 * unanswered requests, answers to nobody, objects and handles left.
 */
int wire_free(struct wire *w);
/* The first half of it: the session is stopped, everything parked has ended. */
void wire_stop(struct wire *w);

/* Send bytes as they are; the daemon has worked on them on return. */
void wire_send_raw(struct wire *w, const void *msg, size_t len);
/* Send a request of up to two parts; its number. */
uint64_t wire_send(struct wire *w, uint32_t opcode, uint64_t nodeid, const void *arg, size_t len,
		   const void *data, size_t data_len);
/* The same, under a number of the caller's choice; @expects: an answer will come. */
void wire_send_as(struct wire *w, uint64_t unique, uint32_t opcode, uint64_t nodeid,
		  const void *arg, size_t len, const void *data, size_t data_len, bool expects);

/* Take the answer: its error, or WIRE_OPEN. Up to @size bytes go to @buf. */
int wire_answer(struct wire *w, uint64_t unique, void *buf, size_t size, size_t *ret_len);
/* The same, but runs the loop until the answer comes or ten seconds are over. */
int wire_wait(struct wire *w, uint64_t unique, void *buf, size_t size, size_t *ret_len);
/* Run the loop until @cond(@arg) holds; false after ten seconds. */
bool wire_until(struct wire *w, bool (*cond)(void *arg), void *arg);
void wire_turn(struct wire *w);

/* One request each, answered at once: 0 or -errno (or WIRE_OPEN). Outputs may be NULL. */
int wire_call(struct wire *w, uint32_t opcode, uint64_t nodeid, const void *arg, size_t len,
	      const void *data, size_t data_len, void *ret, size_t size, size_t *ret_len);
int wire_lookup(struct wire *w, uint64_t dir, const char *name, struct fuse_entry_out *ret);
int wire_mknod(struct wire *w, uint64_t dir, const char *name, mode_t mode,
	       struct fuse_entry_out *ret);
int wire_mkdir(struct wire *w, uint64_t dir, const char *name, mode_t mode,
	       struct fuse_entry_out *ret);
int wire_symlink(struct wire *w, uint64_t dir, const char *name, const char *target,
		 struct fuse_entry_out *ret);
int wire_link(struct wire *w, uint64_t ino, uint64_t dir, const char *name,
	      struct fuse_entry_out *ret);
int wire_unlink(struct wire *w, uint64_t dir, const char *name);
int wire_rmdir(struct wire *w, uint64_t dir, const char *name);
int wire_rename(struct wire *w, uint64_t dir, const char *name, uint64_t newdir,
		const char *newname, uint32_t flags);
int wire_getattr(struct wire *w, uint64_t ino, struct fuse_attr *ret);
/* As for lseek(2) from the end of an open file: its size, or -errno. */
int64_t wire_size(struct wire *w, uint64_t ino, uint64_t fh);
/* As for sendfile(2) and mmap(2): the file's pages, not a read(2). 0 or -errno. */
int wire_read_page(struct wire *w, uint64_t ino, uint64_t fh, uint64_t offset);
int wire_create(struct wire *w, uint64_t dir, const char *name, uint32_t flags, mode_t mode,
		struct fuse_entry_out *ret_entry, struct fuse_open_out *ret_open);
int wire_open(struct wire *w, uint64_t ino, uint32_t flags, struct fuse_open_out *ret);
int wire_opendir(struct wire *w, uint64_t ino, uint64_t *ret_fh);
int wire_release(struct wire *w, uint64_t ino, uint64_t fh);
int wire_releasedir(struct wire *w, uint64_t ino, uint64_t fh);
void wire_forget(struct wire *w, uint64_t ino, uint64_t nlookup);
/* What ioctl(2) returns, or -errno. */
int wire_ioctl(struct wire *w, uint64_t ino, uint64_t fh, uint32_t cmd, void *arg);

/* These may park: the request's number, for wire_answer and wire_wait. */
uint64_t wire_start_open(struct wire *w, uint64_t ino, uint32_t flags);
uint64_t wire_read(struct wire *w, uint64_t ino, uint64_t fh, uint32_t size, uint32_t flags);
uint64_t wire_write(struct wire *w, uint64_t ino, uint64_t fh, const void *data, uint32_t size,
		    uint32_t flags);
uint64_t wire_start_ioctl(struct wire *w, uint64_t ino, uint64_t fh, uint32_t cmd,
			  const void *arg);
void wire_interrupt(struct wire *w, uint64_t unique);
uint64_t wire_poll(struct wire *w, uint64_t ino, uint64_t fh, uint64_t kh);

#endif /* TESTS_WIRE_H */
