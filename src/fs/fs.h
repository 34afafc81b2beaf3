/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual file system: super block, inode, file, and a request in work.
 *
 * Twin of Linux include/linux/fs.h, cut down to what a file system of sockets
 * needs. Nothing here knows libfuse or libuv: the room fuse/ calls in with
 * numbers turned into objects, the room net/ hangs its operations on i_op and
 * i_fop.
 *
 * One thread runs all of it; there are no locks.
 */
#ifndef FS_FS_H
#define FS_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "fs/kiocb.h"
#include "mm/idtable.h"

struct dentry;
struct file;
struct inode;
struct kmem_cache;
struct super_block;

#define NAME_MAX_BYTES 255

/* --------------------------------------------------------------------- inode */

/* i_state bits */
#define I_PLAIN (1 << 0)    /* from inode_cache, not from s_op->alloc_inode */
#define I_CLEAR (1 << 1)    /* evict_inode has run: the object waits for its last FORGET */
#define I_UNSTABLE (1 << 2) /* names or size change by themselves: the kernel must not cache them */
#define I_FIXED (1 << 3)    /* .ctl, .proc, tcp: neither removed nor renamed */
#define I_CHARGED (1 << 4)  /* counts among the sockets of i_uid (fs/user.h) */
#define I_CONNECTED (1 << 5) /* ... and among his connections */
#define I_DIRTY (1 << 6)      /* is not as it was written down last (struct super_journal) */
#define I_DIRTY_TEXT (1 << 7) /* its names, labels or target are not, or options of a socket */
#define I_DIRTY_SOCK (1 << 8) /* what is behind a socket is not */
#define I_RECORDED (1 << 9)   /* it was written down */
#define I_RECORDED_SOCK (1 << 10) /* and so was what is behind it */

TAILQ_HEAD(dentry_list, dentry);

/*
 * An inode lives as long as something counts it. There are three counts, each
 * with one owner, beside the names (i_nlink):
 *
 *   i_nlookup  references that the kernel holds (lookup, create ... FORGET)
 *   i_opens    open files
 *   i_work     work in flight: parked requests, callbacks
 *
 * No names, no opens and no work: evict_inode() runs (a socket closes). No
 * lookups either: the object is freed. Only inode_put_work() and its kin free.
 */
struct inode {
	mode_t i_mode;
	uid_t i_uid;
	gid_t i_gid;
	uint32_t i_nlink;
	uint32_t i_opens;
	uint32_t i_work;
	uint64_t i_nlookup;
	uint64_t i_ino;	   /* st_ino: never used twice in the life of a mount */
	uint64_t i_nodeid; /* its number in sb->s_inodes, FUSE_ROOT_ID for the root */
	struct super_block *i_sb;
	const struct inode_operations *i_op;
	const struct file_operations *i_fop;
	struct dentry_list i_dentry; /* its names, the oldest first */
	struct inode *i_hash;	     /* in the table by st_ino: the next with the same hash */
	struct simple_xattrs *i_xattrs;
	int64_t i_atime_sec, i_mtime_sec, i_ctime_sec;
	uint32_t i_atime_nsec, i_mtime_nsec, i_ctime_nsec;
	uint32_t i_state;
};

/* What setattr changes: the bits of struct iattr.ia_valid. */
#define ATTR_MODE (1 << 0)
#define ATTR_UID (1 << 1)
#define ATTR_GID (1 << 2)
#define ATTR_SIZE (1 << 3)
#define ATTR_ATIME (1 << 4)
#define ATTR_MTIME (1 << 5)
#define ATTR_CTIME (1 << 6)

struct iattr {
	unsigned int ia_valid;
	mode_t ia_mode;
	uid_t ia_uid;
	gid_t ia_gid;
	struct timespec ia_atime, ia_mtime; /* that of its status is now */
};

/* A name as it comes from the kernel: bytes, NUL-terminated, len without the NUL. */
struct qstr {
	const char *name;
	size_t len;
};

/*
 * Called for each entry by iterate; false: no room, stop before this entry.
 * @next is the offset that continues behind the entry. @inode is NULL for
 * entries that have no object yet (then @ino and the type bits of @mode count).
 */
struct dir_context;
typedef bool filldir_t(struct dir_context *ctx, const struct qstr *name, uint64_t next,
		       struct inode *inode, uint64_t ino, mode_t mode);
struct dir_context {
	filldir_t *actor;
	uint64_t pos; /* where to begin; iterate keeps it at what comes next */
};

/*
 * Operations on an inode. Those on names are called on the directory. A NULL
 * operation means: not allowed here (EPERM; ENOTDIR for lookup, ENOENT for
 * create). All of them answer at once and never block. Names have been checked
 * (1..255 bytes, no slash) before. Outputs are untouched on failure.
 */
struct inode_operations {
	/* Find @name. The result carries no reference: the caller takes one at once. */
	int (*lookup)(struct inode *dir, const struct qstr *name, struct inode **ret_inode);
	/* Make a regular file, that is: a socket. @mode holds the permission bits. */
	int (*create)(struct inode *dir, const struct qstr *name, mode_t mode,
		      const struct cred *cred, struct inode **ret_inode);
	int (*mkdir)(struct inode *dir, const struct qstr *name, mode_t mode,
		     const struct cred *cred, struct inode **ret_inode);
	int (*symlink)(struct inode *dir, const struct qstr *name, const char *target,
		       const struct cred *cred, struct inode **ret_inode);
	int (*link)(struct inode *inode, struct inode *dir, const struct qstr *name);
	int (*unlink)(struct inode *dir, const struct qstr *name);
	int (*rmdir)(struct inode *dir, const struct qstr *name);
	/* @flags: 0, RENAME_NOREPLACE, RENAME_EXCHANGE */
	int (*rename)(struct inode *dir, const struct qstr *name, struct inode *newdir,
		      const struct qstr *newname, unsigned int flags);
	const char *(*get_link)(const struct inode *inode);
	/* NULL: generic_fillattr alone. */
	void (*getattr)(const struct inode *inode, struct stat *ret_st);
	/* NULL: simple_setattr. */
	int (*setattr)(struct inode *inode, const struct iattr *attr);
	/* As getxattr(2), listxattr(2): size 0 asks for the length; -ERANGE, -ENODATA. */
	ssize_t (*getxattr)(struct inode *inode, const char *name, void *value, size_t size);
	ssize_t (*listxattr)(struct inode *inode, char *list, size_t size);
	int (*setxattr)(struct inode *inode, const char *name, const void *value, size_t size,
			int flags);
	int (*removexattr)(struct inode *inode, const char *name);
};

/*
 * Operations on an open file. Those with a kiocb may return -EIOCBQUEUED (see
 * struct kiocb). NULL: read and write EINVAL, ioctl ENOTTY, poll always ready,
 * fsync 0, iterate ENOTDIR.
 */
struct file_operations {
	/* The file is new and private to the caller; a failed open is never released. */
	int (*open)(struct inode *inode, struct file *file, struct kiocb *iocb);
	void (*release)(struct inode *inode, struct file *file);
	ssize_t (*read_iter)(struct kiocb *iocb, struct iov_iter *to);
	ssize_t (*write_iter)(struct kiocb *iocb, struct iov_iter *from);
	ssize_t (*fsync)(struct kiocb *iocb);
	/* Where reading ends, or -errno, for lseek(2) from the end. NULL: what stat(2) says. */
	off_t (*size)(struct file *file);
	/*
	 * The poll(2) events that hold now. @arm: also wake file->f_poll once when
	 * that may have changed (spurious calls are allowed).
	 */
	unsigned int (*poll)(struct file *file, bool arm);
	/*
	 * @arg holds in_size bytes of argument (already of the size that the
	 * command encodes) and has room for out_size bytes of answer; it stays
	 * valid until the request ends. Result >= 0: the ioctl's own value.
	 */
	ssize_t (*ioctl)(struct kiocb *iocb, unsigned int cmd, void *arg);
	/*
	 * Give ctx->actor what comes from ctx->pos on. -EAGAIN: that was enough
	 * for one turn, and there is more to come.
	 */
	int (*iterate)(struct file *file, struct dir_context *ctx);
};

/* ---------------------------------------------------------------------- file */

/* f_mode bits, include/linux/fs.h */
#define FMODE_STREAM (1 << 0) /* no position: sockets */
#define FMODE_OPENED (1 << 1) /* its open has succeeded: set by who answers it */
#define FMODE_DIRTY (1 << 2)  /* as I_DIRTY */
#define FMODE_RECORDED (1 << 3)

/*
 * Who polls an open file, on the list of what is polled. Who wakes it takes it off
 * that first. Twin of include/linux/wait.h: wait_queue_entry.
 */
struct poll_waiter {
	void (*wake)(struct poll_waiter *waiter);
	void *private;	     /* of who polls */
	unsigned int events; /* what the last one to poll wants to know */
	bool waits;	     /* is on a list */
	LIST_ENTRY(poll_waiter) entry;
};

LIST_HEAD(poll_waiters, poll_waiter);

/*
 * An open file description. f_inode is what read and write reach; a dialled
 * path's open points it at a nameless socket of its own.
 */
struct file {
	struct inode *f_inode; /* holds one of its i_opens */
	const struct file_operations *f_op;
	unsigned int f_flags;	  /* of open(2): O_ACCMODE, O_NONBLOCK, ... */
	uint64_t f_nodeid;	  /* of the inode that it was opened by; twin of f_path */
	unsigned int f_mode;	  /* FMODE_ */
	uint32_t f_busy;	  /* parked requests of this file */
	uint64_t f_id;		  /* its number in sb->s_files */
	void *private_data;	  /* of f_op */
	uint64_t f_dir_end;	  /* directory: names with a larger d_off are not listed */
	struct poll_waiter f_poll;
};

/* Have @waiter woken by who walks @list. Once more changes nothing. */
static inline void poll_wait(struct poll_waiter *waiter, struct poll_waiters *list)
{
	if (waiter->waits)
		return;
	LIST_INSERT_HEAD(list, waiter, entry);
	waiter->waits = true;
}

/* Not any more. */
static inline void poll_unwait(struct poll_waiter *waiter)
{
	if (!waiter->waits)
		return;
	LIST_REMOVE(waiter, entry);
	waiter->waits = false;
}

static inline bool file_readable(const struct file *f)
{
	return (f->f_flags & 3) != 1; /* O_WRONLY */
}

static inline bool file_writable(const struct file *f)
{
	return (f->f_flags & 3) != 0; /* O_RDONLY */
}

/* --------------------------------------------------------------- super_block */

struct super_operations {
	/* Make the object around a regular file's inode; NULL: out of memory. */
	struct inode *(*alloc_inode)(struct super_block *sb);
	/* Give it back to its cache. */
	void (*free_inode)(struct inode *inode);
	/* The last name, open and work are gone: let go of what it stands for. */
	void (*evict_inode)(struct inode *inode);
};

/*
 * Who writes down what has to outlive the process (resume/save.h): is told what is not as
 * it was any more, and looks at it when a request is answered. Twin of dirty_inode and
 * write_inode of include/linux/fs.h: struct super_operations.
 */
struct super_journal {
	void (*dirty_inode)(struct inode *inode);
	void (*forget_inode)(struct inode *inode); /* it is being freed */
	void (*dirty_file)(struct file *file);
	void (*forget_file)(struct file *file);
	bool (*is_dirty)(void);
	/* Note what they are now in the transaction; and it holds. */
	void (*save)(struct super_block *sb);
	void (*saved)(struct super_block *sb);
};

struct dentry_hash {
	struct dentry **table[2]; /* [1] is the one being moved to; else NULL */
	size_t size[2];		  /* buckets, powers of two */
	size_t moved;		  /* buckets of table[0] moved so far */
	size_t count;		  /* dentries in both */
	uint64_t salt;		  /* so that nobody can choose names that collide */
};

struct super_block {
	const struct super_operations *s_op;
	struct inode *s_root;
	struct idtable s_inodes; /* nodeid -> struct inode */
	struct idtable s_files;	 /* file handle -> struct file */
	struct inode **s_inode_hash; /* st_ino -> inode, of those that are found so */
	struct dentry_hash s_dentries;
	uint64_t s_next_ino;
	mode_t s_umask;		/* bits that no new socket has, unless by chmod */
	uint64_t s_max_sockets; /* more: ENOSPC */
	uint64_t s_nr_sockets;	/* regular files (sockets) that have not been evicted */
	/*
	 * Set by fuse/: the daemon itself changed attributes that the kernel
	 * may have cached (not in answer to a request on them). May be NULL.
	 */
	void (*s_inval_attr)(struct super_block *sb, struct inode *inode);
	/*
	 * Set by fuse/: have the kernel forget these inodes unless somebody uses them
	 * there. Their FORGETs come as requests of later. NULL: it cannot.
	 */
	void (*s_prune)(struct super_block *sb, const uint64_t *nodeids, unsigned int n);
	struct cred s_cred; /* who asks for the lookup or list in work. Twin of current->cred */
	/* Set by fuse/: have run_work() called in each turn until there is none. May be NULL. */
	void (*s_begin_work)(struct super_block *sb);
	struct work_queue s_work;
	struct idtable s_waiting; /* of fuse/: struct kiocb, every parked request */
	const struct super_journal *s_journal; /* NULL: nothing is written down */
	/*
	 * Set by fuse/: have what has changed hold, before something is done that cannot be done
	 * again. Within a request nothing, for that holds together. May be NULL.
	 */
	void (*s_commit)(struct super_block *sb);
	void *s_fs_info;
};

/*
 * Ready an empty super block and its caches (inode_cache, dentry, filp), with
 * a root directory owned by @uid:@gid of mode @mode and no entries. @i_op is
 * the root's and is inherited by every directory made below it.
 * Returns 0 or -ENOMEM; on failure nothing is held. fs/super.c: sget, fill_super.
 */
int super_init(struct super_block *sb, const struct super_operations *s_op,
	       const struct inode_operations *dir_iop, mode_t mode, uid_t uid, gid_t gid);

/*
 * Unmount: forget every name, open file and lookup count (the kernel sends no
 * FORGET at unmount), evict and free every inode, destroy the caches. All
 * parked requests must have been cancelled before. generic_shutdown_super.
 */
void super_fini(struct super_block *sb);

/*
 * Have work->func called in one of the next turns of the loop. False: there is
 * no loop, so the caller goes on by itself. kernel/workqueue.c: schedule_work.
 */
bool schedule_work(struct super_block *sb, struct work_struct *work);
/* Not any more; @work must be waiting. */
void cancel_work(struct super_block *sb, struct work_struct *work);
/* Do the piece that has waited longest. False: nothing is left. */
bool run_work(struct super_block *sb);

/*
 * How long a piece may take: @begin is what work_begin() has returned. A piece
 * always does one step, whatever that takes, and looks then.
 */
uint64_t work_begin(void);
bool work_is_over(uint64_t begin);

/* What statfs(2) says: f_files sockets at most, f_ffree left, f_namelen 255. */
struct statvfs;
/* May @cred see what is others'? Root and the daemon's user may. */
bool cred_sees_all(const struct cred *cred);
void super_statfs(const struct super_block *sb, uid_t uid, struct statvfs *ret_st);

/* -------------------------------------------------------------------- inodes */

/*
 * A new inode without a name, from s_op->alloc_inode, with a number, the times
 * set to now and all counts zero; i_nlink 1. NULL with errno ENOMEM or ENOSPC.
 * fs/inode.c: new_inode_pseudo.
 */
struct inode *new_inode_pseudo(struct super_block *sb);

/* The same from inode_cache: directories, symlinks, control files, tables. */
struct inode *new_inode_plain(struct super_block *sb, mode_t mode, uid_t uid, gid_t gid);

/* What stays valid across reuse of an object; for constructors. fs/inode.c. */
void inode_init_once(struct inode *inode);

/* Nodeid to inode; NULL for a number that was not given out or is gone (ESTALE). */
struct inode *ilookup(struct super_block *sb, uint64_t nodeid);

/*
 * Inodes by their st_ino: sockets are in this table from their making until they are
 * evicted, others from insert_inode_hash() until remove_inode_hash(), which has to come
 * before they are freed; i_ino must not change meanwhile. NULL: none has it. fs/inode.c.
 */
struct inode *find_inode_by_ino(const struct super_block *sb, uint64_t ino);
void insert_inode_hash(struct inode *inode);
void remove_inode_hash(struct inode *inode);

/* Something of it has changed. @what: I_DIRTY_TEXT, I_DIRTY_SOCK, 0. fs/fs-writeback.c. */
static inline void __mark_inode_dirty(struct inode *inode, uint32_t what)
{
	const struct super_journal *journal = inode->i_sb->s_journal;

	if (journal == NULL || (inode->i_state & (I_DIRTY | what)) == (I_DIRTY | what))
		return;
	if (!(inode->i_state & I_DIRTY))
		journal->dirty_inode(inode);
	inode->i_state |= I_DIRTY | what;
}
static inline void mark_inode_dirty(struct inode *inode)
{
	__mark_inode_dirty(inode, 0);
}

/* The same of an open file, once its opening has been answered. */
static inline void mark_file_dirty(struct file *file)
{
	const struct super_journal *journal = file->f_inode->i_sb->s_journal;

	if (journal == NULL || (file->f_mode & (FMODE_DIRTY | FMODE_OPENED)) != FMODE_OPENED)
		return;
	journal->dirty_file(file);
	file->f_mode |= FMODE_DIRTY;
}

/* The three counts. Each put may free the inode. */
static inline void inode_get_work(struct inode *inode)
{
	inode->i_work++;
}
void inode_put_work(struct inode *inode);
static inline void inode_get_lookup(struct inode *inode)
{
	inode->i_nlookup++;
	mark_inode_dirty(inode);
}
/* More than were taken: counts as all. */
void inode_forget(struct inode *inode, uint64_t nlookup);
static inline void inode_get_open(struct inode *inode)
{
	inode->i_opens++;
}
void inode_put_open(struct inode *inode);
/* One name less. May free. fs/inode.c: drop_nlink and iput. */
void inode_drop_nlink(struct inode *inode);

/* Set times to now: any of ATTR_ATIME, ATTR_MTIME, ATTR_CTIME. */
void inode_touch(struct inode *inode, unsigned int which);
/*
 * It was read. Noted as a mount with relatime does: only if it was changed since the
 * last time, or that is a day ago. fs/inode.c: touch_atime.
 */
void touch_atime(struct inode *inode);

/*
 * Size, st_blksize and blocks of what only reading tells the end of. @size is a power
 * of two, 4096 at least, and never 0: the kernel reads nothing for sendfile(2), splice(2)
 * and asynchronous reads of an empty file.
 */
void fill_notional_size(struct stat *ret_st, off_t size);
/* struct stat of any inode; regular files have a notional size of 1 MiB. fs/stat.c. */
void generic_fillattr(const struct inode *inode, struct stat *ret_st);
/* i_op->getattr or generic_fillattr. */
void vfs_getattr(const struct inode *inode, struct stat *ret_st);
/* chmod, chown, utimens; the kernel has checked the caller. Size is ignored. */
int simple_setattr(struct inode *inode, const struct iattr *attr);
int vfs_setattr(struct inode *inode, const struct iattr *attr);

/* --------------------------------------------------------------------- files */

/* A file for @inode, with its number and one i_opens. NULL: out of memory. */
struct file *alloc_file(struct inode *inode, unsigned int flags);
/* Handle to file; NULL for a number that was not given out or is gone (EBADF). */
struct file *fget(struct super_block *sb, uint64_t id);
/* Calls f_op->release, leaves the list of who polls, frees. May free the inode. */
void file_release(struct file *file);
/* What it is open on was read: touch_atime, unless O_NOATIME. include/linux/fs.h */
void file_accessed(struct file *file);
/* Drop a file whose open failed: as file_release without f_op->release. */
void file_discard(struct file *file);

/* ----------------------------------------------------- made again: resume.c */

/*
 * What another process has had, with the numbers that it had there. NULL, with errno:
 * ENOMEM, or EEXIST or EINVAL for a number that another has or nothing could have had.
 */
struct inode *inode_resume(struct super_block *sb, bool plain, uint64_t nodeid, uint64_t ino);
/* @inode, made by this process, gets the number that its like had in the other one. 0 or -errno. */
int inode_renumber(struct inode *inode, uint64_t nodeid);
/* A name, at its place @off, not 0, in the directory, as the youngest of @inode's. 0 or -ENOMEM, -EEXIST. */
int d_resume(struct inode *dir, const struct qstr *name, uint64_t off, struct inode *inode);
/* An open file of @inode with the handle @id. */
struct file *file_resume(struct inode *inode, uint64_t id, unsigned int flags);
/* All inodes are there with all that they had: one that nothing holds goes. */
void inode_resumed(struct inode *inode);

#endif /* FS_FS_H */
