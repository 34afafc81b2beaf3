/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names: random calls on names, on a mount and on tmpfs side by side.
 *
 *	names [-s SEED] [-n STEPS] [-v] MOUNT-DIR TMPFS-DIR
 *	names [-s SEED] [-n STEPS] [-v] -r DIR
 *
 * Both directories must be empty. After each call its result, its errno and
 * what one sees of the paths it was about must be the same; every 256 steps,
 * and at the end, the whole trees. Exit status 1 and the step if they are not:
 * the same seed runs into it again, -n ends before it, -v tells all steps.
 * By root, other users take part.
 *
 * With -r there is one side only, on which others may work at the same time:
 * nobody can tell then what a call should have said.
 */
#include "config.h"

#include "tests/lib/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define OTHER_UID 1001

static struct names n;
static char said[512]; /* the step in words */
static bool root;      /* may be somebody else, and come back */
static int sides = SIDES;
static uint64_t rng;

static unsigned int pick(unsigned int below)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)(rng >> 33) % below;
}

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

/* One to three of a few names, so that they meet often. */
static const char *pick_path(char path[NAMES_PATH])
{
	unsigned int depth = 1 + (pick(2) == 0) + (pick(4) == 0);
	char *p = path;

	for (; depth > 0; depth--) {
		*p++ = (char)('a' + pick(5));
		*p++ = depth > 1 ? '/' : '\0';
	}
	return path;
}

static mode_t pick_mode(void)
{
	static const mode_t modes[] = {0777, 0755, 0777, 0700, 01777, 02775, 0644, 06755, 0};

	return modes[pick(sizeof(modes) / sizeof(modes[0]))];
}

/* ------------------------------------------------------------------------- calls */

/* What a step is made of; each call uses what it needs. */
struct step {
	char a[NAMES_PATH], b[NAMES_PATH];
	mode_t mode;
	unsigned int flags;
	uid_t uid;
	gid_t gid;
	int slot;
	struct timespec times[2];
};

static int call_open(const struct step *s, int side)
{
	int fd = openat(n.root[side], s->a, (int)s->flags | O_CLOEXEC | O_NONBLOCK, s->mode);

	if (fd < 0)
		return -1;
	if (n.slots[side][s->slot] >= 0)
		close(n.slots[side][s->slot]);
	n.slots[side][s->slot] = fd;
	return 0;
}

static int call_close(const struct step *s, int side)
{
	int fd = n.slots[side][s->slot];

	n.slots[side][s->slot] = -1;
	return close(fd);
}

static int call_mkdir(const struct step *s, int side)
{
	return mkdirat(n.root[side], s->a, s->mode);
}

static int call_mknod(const struct step *s, int side)
{
	return mknodat(n.root[side], s->a, S_IFREG | s->mode, 0);
}

static int call_rmdir(const struct step *s, int side)
{
	return unlinkat(n.root[side], s->a, AT_REMOVEDIR);
}

static int call_unlink(const struct step *s, int side)
{
	return unlinkat(n.root[side], s->a, 0);
}

static int call_symlink(const struct step *s, int side)
{
	return symlinkat(s->b, n.root[side], s->a);
}

static int call_link(const struct step *s, int side)
{
	return linkat(n.root[side], s->a, n.root[side], s->b, (int)s->flags);
}

static int call_flink(const struct step *s, int side)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", n.slots[side][s->slot]);
	return linkat(AT_FDCWD, path, n.root[side], s->b, AT_SYMLINK_FOLLOW);
}

static int call_rename(const struct step *s, int side)
{
	return renameat2(n.root[side], s->a, n.root[side], s->b, s->flags);
}

static int call_chmod(const struct step *s, int side)
{
	return fchmodat(n.root[side], s->a, s->mode, 0);
}

static int call_fchmod(const struct step *s, int side)
{
	return fchmod(n.slots[side][s->slot], s->mode);
}

static int call_chown(const struct step *s, int side)
{
	return fchownat(n.root[side], s->a, s->uid, s->gid, AT_SYMLINK_NOFOLLOW);
}

static int call_utimens(const struct step *s, int side)
{
	return utimensat(n.root[side], s->a, s->times, AT_SYMLINK_NOFOLLOW);
}

static int call_access(const struct step *s, int side)
{
	return faccessat(n.root[side], s->a, (int)s->flags, AT_EACCESS);
}

static int call_stat(const struct step *s, int side)
{
	struct stat st;

	return fstatat(n.root[side], s->a, &st, 0) == 0 ? (int)st.st_mode : -1;
}

static int call_readlink(const struct step *s, int side)
{
	char target[256];
	ssize_t len = readlinkat(n.root[side], s->a, target, sizeof(target));
	unsigned int sum = 0;

	for (ssize_t i = 0; i < len; i++)
		sum = sum * 31 + (unsigned char)target[i];
	return len < 0 ? -1 : (int)(sum >> 1);
}

static const struct call {
	const char *name;
	unsigned int weight;
	bool two; /* paths */
	int (*run)(const struct step *s, int side);
} calls[] = {
	{"open", 14, false, call_open},
	{"close", 6, false, call_close},
	{"mkdir", 14, false, call_mkdir},
	{"mknod", 6, false, call_mknod},
	{"rmdir", 5, false, call_rmdir},
	{"unlink", 8, false, call_unlink},
	{"symlink", 4, true, call_symlink},
	{"link", 8, true, call_link},
	{"flink", 2, true, call_flink},
	{"rename", 18, true, call_rename},
	{"chmod", 5, false, call_chmod},
	{"fchmod", 2, false, call_fchmod},
	{"chown", 4, false, call_chown},
	{"utimens", 3, false, call_utimens},
	{"access", 3, false, call_access},
	{"stat", 3, false, call_stat},
	{"readlink", 2, false, call_readlink},
};

/* ------------------------------------------------------------------------- steps */

static bool be(uid_t uid)
{
	if (!root || n.uid == uid)
		return true;
	n.uid = uid;
	if (uid == 0)
		return seteuid(0) == 0 && setegid(0) == 0;
	return setegid(uid) == 0 && seteuid(uid) == 0;
}

static const struct call *pick_call(void)
{
	unsigned int sum = 0, at;
	const struct call *c = calls;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		sum += calls[i].weight;
	for (at = pick(sum); at >= c->weight; c++)
		at -= c->weight;
	return c;
}

static void pick_step(const struct call *c, struct step *s)
{
	static const unsigned int opens[] = {O_RDONLY | O_CREAT, O_RDWR | O_CREAT, O_RDONLY,
					     O_RDWR | O_CREAT | O_EXCL, O_RDONLY | O_NOFOLLOW,
					     O_RDONLY | O_DIRECTORY};
	static const unsigned int renames[] = {0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE};
	static const uid_t ids[] = {0, OTHER_UID, 1002, (uid_t)-1};

	memset(s, 0, sizeof(*s));
	pick_path(s->a);
	pick_path(s->b);
	s->mode = pick_mode();
	s->slot = (int)pick(NAMES_SLOTS);
	s->uid = ids[pick(4)];
	s->gid = ids[pick(4)];
	s->times[0] = (struct timespec){.tv_sec = pick(1000000), .tv_nsec = pick(1000000000)};
	s->times[1] = (struct timespec){.tv_sec = pick(1000000),
					.tv_nsec = pick(3) == 0 ? UTIME_OMIT : pick(1000000000)};
	if (c->run == call_open)
		s->flags = opens[pick(6)];
	else if (c->run == call_rename)
		s->flags = renames[pick(5)];
	else if (c->run == call_access)
		s->flags = pick(8);
	else if (c->run == call_link)
		s->flags = pick(3) == 0 ? AT_SYMLINK_FOLLOW : 0;
}

static void watch(const struct call *c, const struct step *s)
{
	n.nr_watched = 0;
	names_watch(&n, s->a);
	if (c->two)
		names_watch(&n, s->b);
}

/* One call on both sides: false: they differ. */
static bool run_step(uid_t who)
{
	const struct call *c = pick_call();
	int ret[SIDES], err[SIDES];
	struct step s;

	pick_step(c, &s);
	say("%s a %s b %s mode %o flags %x slot %d owner %d:%d by %u", c->name, s.a, s.b, s.mode,
	    s.flags, s.slot, (int)s.uid, (int)s.gid, who);
	watch(c, &s);
	names_look(&n);
	for (int side = 0; side < sides && be(who); side++) {
		errno = 0;
		ret[side] = c->run(&s, side);
		err[side] = ret[side] < 0 ? errno : 0;
	}
	if (!be(0))
		return false;
	if (sides == 1)
		return true;
	n.failed = ret[MODEL] < 0;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), " -> %s",
		 n.failed ? strerrorname_np(err[MODEL]) : "done");
	n.slot_open[s.slot] = n.slots[MODEL][s.slot] >= 0;
	if (ret[MOUNT] == ret[MODEL] && err[MOUNT] == err[MODEL])
		return names_compare(&n);
	snprintf(names_why, sizeof(names_why), "result %d (%s), not %d (%s)", ret[MOUNT],
		 strerror(err[MOUNT]), ret[MODEL], strerror(err[MODEL]));
	return false;
}

static int run(unsigned long steps, bool verbose)
{
	uid_t who = 0;
	bool same = true;
	unsigned long i;

	for (i = 0; same && i < steps; i++) {
		if (pick(16) == 0)
			who = root && pick(2) == 0 ? OTHER_UID : 0;
		same = run_step(who);
		if (verbose)
			printf("%lu %s\n", i, said);
		if (same && sides == SIDES && i % 256 == 255)
			same = names_compare_all(&n);
	}
	if (same && (sides == 1 || names_compare_all(&n)))
		return 0;
	printf("step %lu: %s\n%s\n", i - 1, said, names_why);
	return 1;
}

static bool begin(char **dirs)
{
	for (int side = 0; side < sides; side++) {
		n.root[side] = open(dirs[side], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (n.root[side] < 0 || fchmod(n.root[side], 0777) != 0)
			return false;
		for (int i = 0; i < NAMES_SLOTS; i++)
			n.slots[side][i] = -1;
	}
	root = geteuid() == 0;
	umask(022);
	return true;
}

int main(int argc, char **argv)
{
	unsigned long steps = 4000, seed;
	bool verbose = false;
	int c;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return 2;
	seed %= 1000000000;
	while ((c = getopt(argc, argv, "rs:n:v")) != -1) {
		if (c == 's')
			seed = strtoul(optarg, NULL, 10);
		else if (c == 'n')
			steps = strtoul(optarg, NULL, 10);
		else if (c == 'v')
			verbose = true;
		else if (c == 'r')
			sides = 1;
		else
			return 2;
	}
	if (optind != argc - sides || !begin(argv + optind)) {
		fprintf(stderr, "usage: names [-s SEED] [-n STEPS] [-v] MOUNT-DIR TMPFS-DIR | -r DIR\n");
		return 2;
	}
	printf("names -s %lu -n %lu\n", seed, steps);
	rng = seed;
	return run(steps, verbose);
}
