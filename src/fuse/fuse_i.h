/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of this room share. The name is that of the kernel's
 * fs/fuse/fuse_i.h, the other end of the wire.
 *
 * Each operation decodes numbers into objects, calls the file system and
 * answers; no operation decides anything about sockets.
 */
#ifndef FUSE_FUSE_I_H
#define FUSE_FUSE_I_H

#define FUSE_USE_VERSION 35

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "fs/fs.h"
#include "fuse/reply_pipe.h"
#include "fuse/session.h"
#include "journal/journal.h"

/* The largest read and write of one request, and room for the headers before it. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define SESSION_MAX_IO (1u << 18) /* a session for each input: every page of its buffers is marked */
#else
#define SESSION_MAX_IO (1u << 20)
#endif
#define SESSION_BUF_SIZE (SESSION_MAX_IO + 4096u)
/* Zeros behind a message: names in a broken one end there, fixed structures are whole. */
#define SESSION_BUF_PAD 1024u
/* Buffers that are kept for the next parked writes. */
#define SESSION_FREE_BUFS 4

/* A read of fewer bytes is sooner copied than spliced. */
#define SESSION_SPLICE_MIN (32u << 10)

/* Arguments of most ioctls and remainders of small writes need no memory of their own. */
/* A remainder of at most this many bytes is copied, so that it does not hold a whole buffer. */
#define IOCB_COPY_MAX (32u << 10)
#define IOCB_INLINE 512

enum iocb_mem { IOCB_MEM_NONE, IOCB_MEM_HEAP, IOCB_MEM_RECEIVE };

/*
 * A request of the kernel that may have to wait. It lives from iocb_new until
 * its finish has answered it. Parked, it is in sb->s_waiting, counts in
 * its file's f_busy and holds its inode's i_work.
 */
struct fuse_iocb {
	struct kiocb kiocb;
	fuse_req_t req;
	uint64_t unique; /* the kernel's number of it */
	struct sockfs_session *session;
	struct inode *inode; /* that is worked on; an open may give its file another */
	/* Answers the request, once. The kiocb is over; the iocb goes afterwards. */
	void (*finish)(struct fuse_iocb *io, ssize_t ret);
	void *mem;	     /* given back with the iocb, by mem_kind */
	void *out;	     /* ioctl: the argument, which the answer takes the place of */
	size_t out_size;     /* ... of so many bytes */
	size_t data_cost;    /* bytes that count in VM_PARKED */
	enum iocb_mem mem_kind;
	bool has_data;	     /* ki_iter points into the receive buffer */
	bool kill_suid;	     /* write: takes the inode's setuid bits away */
	_Alignas(16) char arg[IOCB_INLINE];
};

struct sockfs_session {
	struct fuse_session *se;
	const char *mountpoint; /* of a mount that another program has made; else NULL */
	struct super_block *sb;
	struct kmem_cache *iocb_cache;
	char *buf;     /* the message that is being worked on */
	size_t len;    /* its bytes */
	size_t unmarked; /* of that buffer, so many bytes may have lost their marks (whole.h) */
	char *free_bufs[SESSION_FREE_BUFS];
	unsigned int nr_free_bufs;
	char *scratch; /* SESSION_BUF_SIZE bytes for answers: reads, lists, directories */
	struct reply_pipe pipe; /* for large reads */
	struct kiocb_queue bulk; /* large reads that stand back, parked (bulk.c) */
	size_t nr_bulk;		 /* of them */
	unsigned int passed;	 /* small requests since one of them was served */
	size_t nr_pollers;	 /* files with a poll handle: they wait for sockets */
	bool crowded;		 /* the request in work is not the only one that is there */
	bool got_init;
	/* With a ledger (answer.c, parked.c). */
	struct fuse_iocb *answering; /* whose answer is being made; NULL: the message in work's */
	char *message;		     /* the message in work */
	bool in_message;
	struct refused *refused; /* what is to be taken back when the transaction is over */
	uint32_t slot; /* it is that parked request, taken up again; 0: it is new */
	bool resuming; /* the ledger still tells of the last process's transfers, and of its pipe */
};

static inline struct sockfs_session *req_session(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* turn.c ------------------------------------------------------------------ */

/* Around the answering of a parked request: more requests may follow soon. */
void session_work_begin(struct sockfs_session *s);
void session_work_end(struct sockfs_session *s);

/* answer.c ---------------------------------------------------------------- */

/*
 * Answer the request, once: 0 and @len bytes at @data, or @err, -errno. @gift and @given are
 * what the kernel has with it, taken back should it not want the answer any more.
 */
void answer(fuse_req_t req, int err, const void *data, size_t len, enum journal_gift gift,
	    uint64_t given);
/* Answer a read with the @n bytes that have come into the scratch buffer, or into the pipe. */
void answer_received(struct fuse_iocb *io, size_t n);
/* @err: 0 or -errno, as every function of the daemon returns it. The sign flips nowhere else. */
void reply_err(fuse_req_t req, ssize_t err);
void reply_buf(fuse_req_t req, const void *data, size_t len);

/* The ledger knows the pipe as it is now; not yet, while the last process's is needed. */
void keep_pipe(const struct sockfs_session *s);
/* What has changed is written down, and what has been answered goes to the kernel. */
void session_flush(struct sockfs_session *s);
/* In a successor: the same with a transaction that another process has sealed. */
void session_answer_again(struct sockfs_session *s);
/* Around the work on the message in s->buf. */
void session_message_begin(struct sockfs_session *s);
void session_message_end(struct sockfs_session *s);

/* settle.c ---------------------------------------------------------------- */

/* A session that cannot go on: the last process's pipe is closed. */
void settle_drop(struct sockfs_session *s);

/* parked.c ---------------------------------------------------------------- */

/* @io, which is being parked, gets a place in the ledger. 0, or -ENOMEM: there is none. */
int slot_take(struct fuse_iocb *io);
/*
 * The same with a message that wants no answer, in a buffer that was taken: the slot, 0: there
 * is none. slot_progress(): so much of it is done. @slot 0: nothing happens.
 */
uint32_t slot_take_message(const char *message);
void slot_progress(uint32_t slot, uint64_t done);
/* It is answered in this transaction. @slot 0: there is none. */
void slot_release(struct sockfs_session *s, uint32_t slot);
/* Those that were are free from now on. */
void slots_released(struct sockfs_session *s);
/* The session is over: nothing is known of any place. */
void slots_forget(void);
/* Where the progress of the one in @slot is written down. */
uint64_t *slot_done(uint32_t slot);
/* The place of the parked request @unique; 0: it is none. */
uint32_t slot_find(uint64_t unique);
/*
 * In a successor: which places and which buffers are taken. 0 or -errno. Of what is broken
 * the caller of that request hears by @lost.
 */
int slots_claim(struct sockfs_session *s, void (*lost)(struct sockfs_session *s, uint64_t unique));
struct ledger_slot *slot_at(uint32_t slot);
/* The numbers of all that are taken, the oldest first, and 0 behind them; to be freed. NULL: no memory. */
uint32_t *slots_by_age(void);

/* buf.c ------------------------------------------------------------------- */

/* 0 or -ENOMEM; session_free_bufs() is needed in both cases. */
int session_alloc_bufs(struct sockfs_session *s);
void session_free_bufs(struct sockfs_session *s);
/* In a successor, in place of session_alloc_bufs(): @taken are those of parked requests. */
int session_claim_bufs(struct sockfs_session *s, const bool *taken);

/* Do these bytes lie within the message? libfuse does not look. */
bool session_in_message(const struct sockfs_session *s, const void *p, size_t len);

/* Keep the message's buffer beyond the turn; the session gets another. NULL: out of memory. */
char *session_take_buf(struct sockfs_session *s);
/* Give back a buffer that was taken. */
void session_put_buf(struct sockfs_session *s, char *buf);

/* mount.c ----------------------------------------------------------------- */

/* libfuse's session with the options @args and @s for its user data. NULL: why was logged. */
struct fuse_session *session_new_fuse(struct fuse_args *args, const struct fuse_lowlevel_ops *ops,
				      struct sockfs_session *s);
/* Was the device's connection ended from outside: unmounted, or aborted? */
bool session_is_severed(int fd);
/* Unmount, whoever has mounted it. */
void mount_take_down(struct sockfs_session *s);

/* iocb.c ------------------------------------------------------------------ */

/*
 * A request for @file on @inode, to be answered by @finish. @flags are
 * those of open(2) at this moment. NULL when out of memory: it was answered.
 */
struct fuse_iocb *iocb_new(fuse_req_t req, struct inode *inode, struct file *file,
			   unsigned int flags, void (*finish)(struct fuse_iocb *io, ssize_t ret));

/*
 * @ret is what the operation has returned: finish or park. The iocb may be
 * gone afterwards.
 */
void iocb_started(struct fuse_iocb *io, ssize_t ret);

/* Memory for @size bytes that lives as long as the iocb; NULL: out of memory. */
void *iocb_mem(struct fuse_iocb *io, size_t size);

/* Free one that was not started; its request is the caller's again. */
void iocb_free(struct fuse_iocb *io);

/* End the parked requests of @file (NULL: all) with @err. */
void iocb_cancel(struct sockfs_session *s, const struct file *file, int err);

/* bulk.c ------------------------------------------------------------------ */

/* f_op->read_iter, now or when no smaller request is left. */
ssize_t bulk_read(struct fuse_iocb *io);
/* A request has been worked on before which @nr_bulk large reads stood back. */
void bulk_passed(struct sockfs_session *s, size_t nr_bulk);
/* Have so many requests gone by that it is a large read's turn? */
bool bulk_is_due(const struct sockfs_session *s);
/* Serve the next large read that stands back; false: there is none. */
bool bulk_next(struct sockfs_session *s);

/* reply.c ----------------------------------------------------------------- */

/* How long the kernel may believe what it is told about @inode, in seconds. */
double inode_timeout(const struct inode *inode);
/* Everything but taking the lookup. */
void fill_entry(struct inode *inode, struct fuse_entry_param *ret_e);
/* A nodeid for a name: one lookup, taken back if the kernel does not get it. */
void reply_entry(fuse_req_t req, struct inode *inode);
void reply_attr(fuse_req_t req, struct inode *inode);
void reply_stat(fuse_req_t req, const struct stat *st, double timeout);
/* @inode NULL: OPEN or OPENDIR; else CREATE, with a lookup. On failure the file is closed. */
void reply_open(fuse_req_t req, struct file *file, struct inode *inode);

/* refuse.c ---------------------------------------------------------------- */

/*
 * Answer ESHUTDOWN to all requests that are there, and with @wait to those that follow
 * soon. Nothing may be parked any more. Blocks, but not for long: the daemon ends.
 */
void session_refuse(struct sockfs_session *s, bool wait);

/* notify.c ---------------------------------------------------------------- */

/* Set what the super block @sb asks of the kernel, if a kernel of that protocol can do it. */
void notify_init(struct super_block *sb, unsigned int proto_minor);
/* Wake who polls by the kernel's number @kh. */
void notify_poll(const struct sockfs_session *s, uint64_t kh);

/* ops.c ------------------------------------------------------------------- */

extern const struct fuse_lowlevel_ops sockfs_ll_ops;

/* req.c ------------------------------------------------------------------- */

/*
 * Numbers to objects. NULL: the request has been answered (ESTALE, EBADF,
 * ENOTDIR) and is gone, so nothing may be asked of it any more.
 */
struct inode *req_inode(fuse_req_t req, fuse_ino_t ino);
struct inode *req_dir(fuse_req_t req, fuse_ino_t ino);
/* A file that was opened by inode number @ino, a directory's if @dir. */
struct file *req_file(fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi, bool dir);
struct cred req_cred(fuse_req_t req);

/* namei.c, attr.c, xattr.c, file.c, ioctl.c, poll.c, dir.c: the operations - */

void ll_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void ll_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void ll_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi);
void ll_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void ll_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void ll_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void ll_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void ll_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void ll_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
	       const char *newname, unsigned int flags);
void ll_readlink(fuse_req_t req, fuse_ino_t ino);

void ll_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ll_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int valid,
		struct fuse_file_info *fi);
void ll_statfs(fuse_req_t req, fuse_ino_t ino);

void ll_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
		 size_t size, int flags);
void ll_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void ll_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void ll_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);

void ll_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
/* Open @inode by its f_op; answers as OPEN, or as CREATE when @created. */
void open_inode(fuse_req_t req, struct inode *inode, unsigned int flags, bool created);
void ll_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ll_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void ll_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
	      struct fuse_file_info *fi);
void ll_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void ll_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
	      struct fuse_file_info *fi, unsigned int flags, const void *in_buf, size_t in_size,
	      size_t out_size);
void ll_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
	     struct fuse_pollhandle *ph);
/* Of file->f_poll: tell who polls to look again, and let it go. */
void poll_reply(struct poll_waiter *waiter);
/* Let who polls @file go, untold. */
void poll_drop(struct file *file);

void ll_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ll_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		struct fuse_file_info *fi);
void ll_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi);

#endif /* FUSE_FUSE_I_H */
