/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names below the directories that dial, by age: of all, and of each user.
 */
#include "config.h"

#include "ctl/dial_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/dcache.h"
#include "mm/slab.h"
#include "mm/vmstat.h"

/* The kernel forgets so many at a time, once in as many new names. */
#define PRUNE_BATCH 128u

/* Those that are open are passed over, but not for ever. */
#define VICTIMS_MAX 16

#define USER_BUCKETS 256u

/* A process may look up so many names a second without using one. */
#define BARREN_MAX 256u
#define BARREN_SLOTS 256u

TAILQ_HEAD(dial_list, dial_link);

struct dial_user {
	SLIST_ENTRY(dial_user) next;
	struct dial_list names; /* the youngest first */
	size_t count;
	uid_t uid;
};

SLIST_HEAD(dial_users, dial_user);

size_t dial_names_max = 65536;

static struct dial_list all_names = TAILQ_HEAD_INITIALIZER(all_names); /* the youngest first */
static size_t nr_names;
static size_t nr_since_prune;
static struct dial_users users[USER_BUCKETS];
static size_t nr_users;

/* ------------------------------------------------------------------------ users */

static struct dial_users *user_bucket(uid_t uid)
{
	return &users[(uid ^ uid >> 8 ^ uid >> 16) % USER_BUCKETS];
}

static struct dial_user *user_find(uid_t uid)
{
	struct dial_user *user;

	SLIST_FOREACH(user, user_bucket(uid), next)
		if (user->uid == uid)
			return user;
	return NULL;
}

static struct dial_user *user_get(uid_t uid)
{
	struct dial_user *user = user_find(uid);

	if (user != NULL)
		return user;
	user = should_failslab() ? NULL : malloc(sizeof(*user));
	if (user == NULL)
		return NULL;
	*user = (struct dial_user){.uid = uid};
	TAILQ_INIT(&user->names);
	SLIST_INSERT_HEAD(user_bucket(uid), user, next);
	nr_users++;
	vm_account(VM_USERS, sizeof(*user));
	return user;
}

static void user_put(struct dial_user *user)
{
	if (user->count > 0)
		return;
	SLIST_REMOVE(user_bucket(user->uid), user, dial_user, next);
	nr_users--;
	vm_unaccount(VM_USERS, sizeof(*user));
	free(user);
}

/* ------------------------------------------------------- names that nobody calls */

/* Processes that look; those whose ids fall together have one place in turn. */
static struct looker {
	uid_t uid;
	pid_t pid;
	unsigned int barren; /* names looked up since `second` began, or since one was used */
	time_t second;
} lookers[BARREN_SLOTS];

static struct looker *looker_get(const struct cred *cred)
{
	struct looker *l = &lookers[(unsigned int)cred->pid % BARREN_SLOTS];

	if (l->pid != cred->pid || l->uid != cred->uid)
		*l = (struct looker){.uid = cred->uid, .pid = cred->pid};
	return l;
}

void dial_names_use(const struct cred *cred)
{
	looker_get(cred)->barren = 0;
}

int dial_names_may_look(const struct cred *cred)
{
	struct looker *l = looker_get(cred);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec != l->second) {
		l->second = now.tv_sec;
		l->barren = 0;
	}
	if (l->barren >= BARREN_MAX)
		return -EAGAIN;
	l->barren++;
	return 0;
}

/* ------------------------------------------------------------------------ the bound */

void dial_names_touch(struct dial_link *link)
{
	TAILQ_REMOVE(&all_names, link, all);
	TAILQ_INSERT_HEAD(&all_names, link, all);
	TAILQ_REMOVE(&link->user->names, link, mine);
	TAILQ_INSERT_HEAD(&link->user->names, link, mine);
}

/*
 * The oldest, which the kernel forgets unless it is in use there: then it is
 * young again. A port's is older than its host's, and must go first.
 */
static void prune(struct super_block *sb)
{
	uint64_t nodeids[PRUNE_BATCH];
	unsigned int n;

	if (sb->s_prune == NULL || nr_names < dial_names_max / 2 ||
	    nr_since_prune < PRUNE_BATCH / 2)
		return;
	nr_since_prune = 0;
	for (n = 0; n < PRUNE_BATCH && n < nr_names; n++) {
		struct dial_link *link = TAILQ_LAST(&all_names, dial_list);

		nodeids[n] = link->inode->i_nodeid;
		dial_names_touch(link);
	}
	sb->s_prune(sb, nodeids, n);
}

/* Whose name goes for one more of @user. */
static struct dial_link *victim(const struct dial_user *user)
{
	/* The one that is coming has been counted. */
	if (!TAILQ_EMPTY(&user->names) && user->count > dial_names_max / nr_users)
		return TAILQ_LAST(&user->names, dial_list);
	return TAILQ_LAST(&all_names, dial_list);
}

/* Make room for one more of @user, who stays. 0 or -ENFILE. */
static int make_room(struct dial_user *user)
{
	for (int i = 0; nr_names >= dial_names_max && i < VICTIMS_MAX; i++) {
		struct dial_link *link = victim(user);

		if (link->inode->i_opens > 0 || link->inode->i_work > 0)
			dial_names_touch(link);
		else /* as if the kernel had forgotten it; when it does, that is nobody's number */
			inode_forget(link->inode, UINT64_MAX);
	}
	return nr_names < dial_names_max ? 0 : -ENFILE;
}

int dial_names_add(struct inode *inode, struct dial_link *link, size_t size)
{
	struct super_block *sb = inode->i_sb;
	struct dial_user *user = user_get(sb->s_cred.uid);
	int err;

	if (user == NULL)
		return -ENOMEM;
	user->count++; /* so that it is not freed with the last name it has */
	err = make_room(user);
	if (err != 0) {
		user->count--;
		user_put(user);
		return err;
	}
	*link = (struct dial_link){.user = user, .inode = inode, .size = size};
	TAILQ_INSERT_HEAD(&all_names, link, all);
	TAILQ_INSERT_HEAD(&user->names, link, mine);
	nr_names++;
	nr_since_prune++;
	vm_account(VM_DIALLED, size + sizeof(struct plain_inode));
	prune(sb);
	return 0;
}

void dial_names_remove(struct dial_link *link)
{
	struct dial_user *user = link->user;

	TAILQ_REMOVE(&all_names, link, all);
	TAILQ_REMOVE(&user->names, link, mine);
	nr_names--;
	vm_unaccount(VM_DIALLED, link->size + sizeof(struct plain_inode));
	user->count--;
	user_put(user);
}

uid_t dial_link_uid(const struct dial_link *link)
{
	return link->user->uid;
}
