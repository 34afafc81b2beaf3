/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: fuse_opt splits it, the tables below say what is known.
 */
#include "config.h"

#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_log.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "net/unix/unix.h"
#include "policy/file.h"
#include "policy/policy.h"

/* A megabyte and a header, in the power of two that the kernel makes of it. */
#define DEFAULT_PIPE (2u << 20)
#define MAX_PIPE (1u << 30)

/* Not given. To read from a socket is to take from it, so others may not unless they are let. */
#define UMASK_DEFAULT ((mode_t)-1)
#define UMASK_OTHERS 077

#define DEFAULT_SPIN 50
#define MAX_SPIN 10000

static const char help_text[] =
	"Usage: sockfs [OPTION]... [SOURCE] MOUNTPOINT\n"
	"       sockfs run [OPTION]... -- PROGRAM [ARGUMENT]...\n"
	"Mount a directory in which every regular file is a TCP socket.\n"
	"run starts a program that has no other network: sockfs run --help.\n"
	"\n"
	"  -f                     stay in the foreground\n"
	"  -d                     the same, and tell every step on stderr\n"
	"  -o OPT[,OPT]...        mount options, see below\n"
	"  -h, --help             show this and exit\n"
	"  -V, --version          show the version and exit\n"
	"      --check-policy FILE [connect|listen ADDRESS [uid USER] [gid GROUP]]\n"
	"                         say what FILE would, and exit\n"
	"      --notify-fd=N      write a newline to descriptor N when the mount answers\n"
	"      --store            mount, leave the device with the service manager, and exit\n"
	"\n"
	"Options of sockfs:\n"
	"  mode=OCTAL             mode of the root directory (0755)\n"
	"  umask=OCTAL            mode bits that new sockets do not get (0; 077 with allow_other)\n"
	"  uid=N, gid=N           its owner and group (who mounts)\n"
	"  max_sockets=N          how many sockets there may be (16777216)\n"
	"  max_sockets_per_uid=N  how many of them one user may have; 0: all (0)\n"
	"  max_connections_per_uid=N  how many of a user's may be connected; 0: all (0)\n"
	"  dials=N                how many connects a user may begin in a second; 0: all (0)\n"
	"  max_parked=BYTES       how much data of writes that wait is kept (134217728)\n"
	"  max_parked_per_uid=BYTES  how much of it of one user's; 0: all (67108864)\n"
	"  max_text=BYTES         how much there may be of labels, targets of symlinks and\n"
	"                         long names (268435456)\n"
	"  connect_timeout=SEC    how long a connect may take; 0: as long as TCP tries (0)\n"
	"  rcvtimeo=SEC           how long a read may wait; 0: for ever (0)\n"
	"  sndtimeo=SEC           how long a write may wait; 0: for ever (0)\n"
	"  allow=RULE, deny=RULE  where to connect: ADDRESS, ADDRESS/BITS or any; may be\n"
	"                         repeated, deny wins, one allow refuses all others\n"
	"  policy=FILE            who may connect and listen where, see sockfs.policy(5)\n"
	"  unix=PATH              UNIX sockets that others than who mounts may use: PATH and what\n"
	"                         is below it, or @ and the begin of a name; may be repeated\n"
	"  unix_remote            let paths of UNIX sockets lead into file systems that others\n"
	"                         serve; one that hangs holds up the daemon\n"
	"  pipe=BYTES             what large reads pass through; 0: copy instead (2097152)\n"
	"  spin=USEC              how long to look for the next request before sleeping, while\n"
	"                         that pays; 0: never (50)\n"
	"  nonempty               mount over a directory that is not empty\n"
	"  nosurvive              one process, without a supervisor\n"
	"  user=NAME              root only: who serves, when the mount is made\n"
	"  fsname=NAME            the same as SOURCE (socket:)\n"
	"\n"
	"Options of every FUSE file system:\n"
	"  allow_other, allow_root, auto_unmount, ro, noexec, ...: see mount.fuse3(8)\n"
	"\n"
	"umount or fusermount3 -u ends it. See sockfs(8) and sockfs(7).\n";

enum {
	KEY_HELP,
	KEY_VERSION,
	KEY_FOREGROUND,
	KEY_DEBUG,
	KEY_NOTIFY,
	KEY_STORE,
	KEY_MODE,
	KEY_UMASK,
	KEY_UID,
	KEY_GID,
	KEY_MAX_SOCKETS,
	KEY_MAX_PER_UID,
	KEY_CONNECTIONS_PER_UID,
	KEY_PARKED_PER_UID,
	KEY_DIALS,
	KEY_MAX_PARKED,
	KEY_MAX_TEXT,
	KEY_CONNECT_TIMEOUT,
	KEY_RCVTIMEO,
	KEY_SNDTIMEO,
	KEY_ALLOW,
	KEY_DENY,
	KEY_POLICY,
	KEY_UNIX,
	KEY_UNIX_REMOTE,
	KEY_PIPE,
	KEY_SPIN,
	KEY_NONEMPTY,
	KEY_NOSURVIVE,
	KEY_USER,
	KEY_FSNAME,
	KEY_OTHERS, /* one of the next kind that changes a default */
	KEY_PASS,   /* libfuse's and the kernel's */
	KEY_IGNORE, /* of mount(8) and fstab(5), done by those or without a meaning here */
};

static const struct fuse_opt option_table[] = {
	FUSE_OPT_KEY("-h", KEY_HELP),
	FUSE_OPT_KEY("--help", KEY_HELP),
	FUSE_OPT_KEY("-V", KEY_VERSION),
	FUSE_OPT_KEY("--version", KEY_VERSION),
	FUSE_OPT_KEY("-f", KEY_FOREGROUND),
	FUSE_OPT_KEY("-d", KEY_DEBUG),
	FUSE_OPT_KEY("debug", KEY_DEBUG),
	FUSE_OPT_KEY("--notify-fd=", KEY_NOTIFY),
	FUSE_OPT_KEY("--store", KEY_STORE),
	FUSE_OPT_KEY("mode=", KEY_MODE),
	FUSE_OPT_KEY("umask=", KEY_UMASK),
	FUSE_OPT_KEY("uid=", KEY_UID),
	FUSE_OPT_KEY("gid=", KEY_GID),
	FUSE_OPT_KEY("max_sockets=", KEY_MAX_SOCKETS),
	FUSE_OPT_KEY("max_sockets_per_uid=", KEY_MAX_PER_UID),
	FUSE_OPT_KEY("max_connections_per_uid=", KEY_CONNECTIONS_PER_UID),
	FUSE_OPT_KEY("max_parked_per_uid=", KEY_PARKED_PER_UID),
	FUSE_OPT_KEY("dials=", KEY_DIALS),
	FUSE_OPT_KEY("max_parked=", KEY_MAX_PARKED),
	FUSE_OPT_KEY("max_text=", KEY_MAX_TEXT),
	FUSE_OPT_KEY("connect_timeout=", KEY_CONNECT_TIMEOUT),
	FUSE_OPT_KEY("rcvtimeo=", KEY_RCVTIMEO),
	FUSE_OPT_KEY("sndtimeo=", KEY_SNDTIMEO),
	FUSE_OPT_KEY("allow=", KEY_ALLOW),
	FUSE_OPT_KEY("deny=", KEY_DENY),
	FUSE_OPT_KEY("policy=", KEY_POLICY),
	FUSE_OPT_KEY("unix=", KEY_UNIX),
	FUSE_OPT_KEY("unix_remote", KEY_UNIX_REMOTE),
	FUSE_OPT_KEY("pipe=", KEY_PIPE),
	FUSE_OPT_KEY("spin=", KEY_SPIN),
	FUSE_OPT_KEY("nonempty", KEY_NONEMPTY),
	FUSE_OPT_KEY("nosurvive", KEY_NOSURVIVE),
	FUSE_OPT_KEY("user=", KEY_USER),
	FUSE_OPT_KEY("fsname=", KEY_FSNAME),

	FUSE_OPT_KEY("allow_other", KEY_OTHERS),
	FUSE_OPT_KEY("allow_root", KEY_PASS),
	FUSE_OPT_KEY("auto_unmount", KEY_PASS),
	FUSE_OPT_KEY("ro", KEY_PASS),
	FUSE_OPT_KEY("rw", KEY_PASS),
	FUSE_OPT_KEY("suid", KEY_PASS),
	FUSE_OPT_KEY("nosuid", KEY_PASS),
	FUSE_OPT_KEY("dev", KEY_PASS),
	FUSE_OPT_KEY("nodev", KEY_PASS),
	FUSE_OPT_KEY("exec", KEY_PASS),
	FUSE_OPT_KEY("noexec", KEY_PASS),
	FUSE_OPT_KEY("async", KEY_PASS),
	FUSE_OPT_KEY("sync", KEY_PASS),
	FUSE_OPT_KEY("dirsync", KEY_PASS),
	FUSE_OPT_KEY("atime", KEY_PASS),
	FUSE_OPT_KEY("noatime", KEY_PASS),
	FUSE_OPT_KEY("context=", KEY_PASS),
	FUSE_OPT_KEY("fscontext=", KEY_PASS),
	FUSE_OPT_KEY("defcontext=", KEY_PASS),
	FUSE_OPT_KEY("rootcontext=", KEY_PASS),

	FUSE_OPT_KEY("default_permissions", KEY_IGNORE), /* always on */
	FUSE_OPT_KEY("defaults", KEY_IGNORE),
	FUSE_OPT_KEY("auto", KEY_IGNORE),
	FUSE_OPT_KEY("noauto", KEY_IGNORE),
	FUSE_OPT_KEY("user", KEY_IGNORE),
	FUSE_OPT_KEY("users", KEY_IGNORE),
	FUSE_OPT_KEY("nouser", KEY_IGNORE),
	FUSE_OPT_KEY("owner", KEY_IGNORE),
	FUSE_OPT_KEY("group", KEY_IGNORE),
	FUSE_OPT_KEY("_netdev", KEY_IGNORE),
	FUSE_OPT_KEY("nofail", KEY_IGNORE),
	FUSE_OPT_KEY("comment=", KEY_IGNORE),
	FUSE_OPT_KEY("relatime", KEY_IGNORE),
	FUSE_OPT_KEY("norelatime", KEY_IGNORE),
	FUSE_OPT_KEY("strictatime", KEY_IGNORE),
	FUSE_OPT_KEY("nostrictatime", KEY_IGNORE),
	FUSE_OPT_KEY("lazytime", KEY_IGNORE),
	FUSE_OPT_KEY("nolazytime", KEY_IGNORE),
	FUSE_OPT_KEY("diratime", KEY_IGNORE),
	FUSE_OPT_KEY("nodiratime", KEY_IGNORE),
	FUSE_OPT_END,
};

/* The last word on the command line; parsing stops there. */
static int bad(const char *fmt, ...) __printf(1, 2);
static int bad(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pr_err("%s", text);
	return -1;
}

/* The number behind the = of @arg: digits of @base only, at most @max. */
static int parse_number(const char *arg, int base, uint64_t max, uint64_t *ret_value)
{
	const char *text = strchr(arg, '=') + 1;
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, base);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value > max)
		return base == 8 ? bad("%s: not an octal number from 0 to %llo", arg,
				       (unsigned long long)max)
				 : bad("%s: not a number from 0 to %llu", arg,
				       (unsigned long long)max);
	*ret_value = value;
	return 0;
}

/* A day at most, in ms still an int. */
static int parse_seconds(const char *arg, int *ret_seconds)
{
	uint64_t n;

	if (parse_number(arg, 10, 86400, &n) != 0)
		return -1;
	*ret_seconds = (int)n;
	return 0;
}

/* What main needs beside the options while it parses. */
struct parse {
	struct options *opt;
	enum options_use use;
	char *names[2]; /* positionals */
	unsigned int nr_names;
	int status; /* -1: go on */
	char *mount_opts;
};

static int parse_rule(const char *arg, bool allow)
{
	int err = policy_add(strchr(arg, '=') + 1, allow);

	return err == 0 ? 0 : bad("%s: %s", arg, err == -EINVAL ? "not an address" : strerror(-err));
}

/*
 * The whole path: the daemon changes its directory, and reads the file again. Links stay as they
 * are, so that one can be made to lead to another file.
 */
static int parse_policy(struct options *opt, const char *arg, enum options_use use)
{
	const char *name = strchr(arg, '=') + 1;
	char *cwd = *name != '/' ? getcwd(NULL, 0) : NULL;
	char message[512], *path = NULL;
	struct policy *policy;
	int n;

	if (*name != '/' && cwd == NULL && use != OPTIONS_RESUME)
		return bad("%s: %s", arg, strerror(errno));
	n = asprintf(&path, "%s%s%s", cwd != NULL ? cwd : "", cwd != NULL ? "/" : "", name);
	free(cwd);
	if (n < 0)
		return bad("%s", strerror(ENOMEM));
	free(opt->policy);
	opt->policy = path;
	if (use == OPTIONS_RESUME)
		return 0;
	if (policy_read(path, &policy, message, sizeof(message)) != 0)
		return bad("%s", message);
	policy_set(policy);
	return 0;
}

static int parse_unix(const char *arg, enum options_use use)
{
	int err = unix_policy_add(strchr(arg, '=') + 1);

	if (err == -ELOOP && use == OPTIONS_RESUME)
		return 0;
	if (err == -EINVAL)
		return bad("%s: begins neither with / nor with @", arg);
	if (err == -ELOOP)
		return bad("%s: has a symbolic link in it; give the path that it leads to", arg);
	return err == 0 ? 0 : bad("%s: %s", arg, strerror(-err));
}

/*
 * Of an ordinary user mount(8) says so who he is, which changes nothing: he cannot be anybody
 * else.
 */
static int parse_user(struct options *opt, const char *arg)
{
	struct priv_user user;
	int err = priv_find_user(strchr(arg, '=') + 1, &user);

	if (err != 0)
		return bad("%s: %s", arg, err == -ENOENT ? "no such user" : strerror(-err));
	if (geteuid() != 0 && user.uid != geteuid()) {
		free(user.name);
		return bad("%s: only root chooses who serves", arg);
	}
	free(opt->user.name);
	opt->user = user;
	return 0;
}

static int parse_notify_fd(struct options *opt, const char *arg)
{
	uint64_t n;

	if (parse_number(arg, 10, INT_MAX, &n) != 0)
		return -1;
	if (n <= STDERR_FILENO || fcntl((int)n, F_GETFD) < 0)
		return bad("%s: not an open descriptor above 2", arg);
	fcntl((int)n, F_SETFD, FD_CLOEXEC);
	opt->notify_fd = (int)n;
	return 0;
}

static int parse_value(struct options *opt, const char *arg, int key)
{
	uint64_t n = 0;

	switch (key) {
	case KEY_MODE:
		if (parse_number(arg, 8, 07777, &n) != 0)
			return -1;
		opt->mode = (mode_t)n;
		return 0;
	case KEY_UMASK:
		if (parse_number(arg, 8, 0777, &n) != 0)
			return -1;
		opt->umask = (mode_t)n;
		return 0;
	case KEY_UID:
		if (parse_number(arg, 10, UINT32_MAX - 1, &n) != 0)
			return -1;
		opt->uid = (uid_t)n;
		return 0;
	case KEY_GID:
		if (parse_number(arg, 10, UINT32_MAX - 1, &n) != 0)
			return -1;
		opt->gid = (gid_t)n;
		return 0;
	case KEY_MAX_SOCKETS:
		return parse_number(arg, 10, UINT32_MAX, &opt->max_sockets);
	case KEY_MAX_PER_UID:
		return parse_number(arg, 10, UINT32_MAX, &opt->per_uid.sockets);
	case KEY_CONNECTIONS_PER_UID:
		return parse_number(arg, 10, UINT32_MAX, &opt->per_uid.connections);
	case KEY_PARKED_PER_UID:
		return parse_number(arg, 10, INT64_MAX, &opt->per_uid.parked);
	case KEY_DIALS:
		return parse_number(arg, 10, 1000000, &opt->per_uid.dials);
	case KEY_MAX_PARKED:
		return parse_number(arg, 10, INT64_MAX, &opt->max_parked);
	case KEY_MAX_TEXT:
		return parse_number(arg, 10, INT64_MAX, &opt->max_text);
	case KEY_PIPE:
		if (parse_number(arg, 10, MAX_PIPE, &n) != 0)
			return -1;
		opt->tuning.pipe_size = (size_t)n;
		return 0;
	case KEY_SPIN:
		if (parse_number(arg, 10, MAX_SPIN, &n) != 0)
			return -1;
		opt->tuning.spin_us = (unsigned int)n;
		return 0;
	case KEY_RCVTIMEO:
		return parse_seconds(arg, &opt->rcvtimeo);
	case KEY_SNDTIMEO:
		return parse_seconds(arg, &opt->sndtimeo);
	default: /* KEY_CONNECT_TIMEOUT */
		return parse_seconds(arg, &opt->connect_timeout);
	}
}

static int set_source(struct options *opt, const char *name)
{
	char *copy = strdup(*name != '\0' ? name : "none");

	if (copy == NULL)
		return bad("%s", strerror(ENOMEM));
	free(opt->source);
	opt->source = copy;
	return 0;
}

static int parse_name(struct parse *p, const char *arg)
{
	if (p->nr_names == ARRAY_SIZE(p->names))
		return bad("too many arguments: %s (see sockfs --help)", arg);
	p->names[p->nr_names] = strdup(arg);
	return p->names[p->nr_names++] != NULL ? 0 : bad("%s", strerror(ENOMEM));
}

/* Is it an option whose "=" is missing? */
static bool wants_value(const char *arg)
{
	const size_t len = strlen(arg);

	for (const struct fuse_opt *o = option_table; o->templ != NULL; o++)
		if (strncmp(o->templ, arg, len) == 0 && strcmp(o->templ + len, "=") == 0)
			return true;
	return false;
}

static int parse_unknown(const char *arg)
{
	if (strncmp(arg, "x-", 2) == 0) /* of mount(8), for others to read */
		return 0;
	if (*arg == '\0') /* between two commas, where mount(8) sees nothing either */
		return 0;
	if (wants_value(arg))
		return bad("%s wants a value: %s=... (see sockfs --help)", arg, arg);
	return bad("unknown option: %s (see sockfs --help)", arg);
}

/* fuse_opt calls this for each word: -1 ends it, 0 takes the word. */
static int on_option(void *data, const char *arg, int key, struct fuse_args *outargs)
{
	struct parse *p = data;
	struct options *opt = p->opt;

	(void)outargs;
	switch (key) {
	case KEY_HELP:
		fputs(help_text, stdout);
		p->status = 0;
		return -1;
	case KEY_VERSION:
		puts("sockfs " PACKAGE_VERSION);
		p->status = 0;
		return -1;
	case KEY_DEBUG:
		opt->debug = true;
		opt->foreground = true;
		opt->nosurvive = true;
		return 0;
	case KEY_FOREGROUND:
		opt->foreground = true;
		return 0;
	case KEY_STORE:
		opt->store = true;
		return 0;
	case KEY_NOTIFY:
		return p->use == OPTIONS_START ? parse_notify_fd(opt, arg) : 0;
	case KEY_ALLOW:
	case KEY_DENY:
		return parse_rule(arg, key == KEY_ALLOW);
	case KEY_POLICY:
		return parse_policy(opt, arg, p->use);
	case KEY_UNIX:
		return parse_unix(arg, p->use);
	case KEY_UNIX_REMOTE:
		unix_mounts_remote();
		return 0;
	case KEY_USER:
		return parse_user(opt, arg);
	case KEY_NONEMPTY:
		opt->nonempty = true;
		return 0;
	case KEY_NOSURVIVE:
		opt->nosurvive = true;
		return 0;
	case KEY_FSNAME:
		return set_source(opt, strchr(arg, '=') + 1);
	case KEY_OTHERS:
		opt->others = true;
		return fuse_opt_add_opt_escaped(&p->mount_opts, arg);
	case KEY_PASS:
		return fuse_opt_add_opt_escaped(&p->mount_opts, arg);
	case KEY_IGNORE:
		return 0;
	case FUSE_OPT_KEY_NONOPT:
		return parse_name(p, arg);
	case FUSE_OPT_KEY_OPT:
		return parse_unknown(arg);
	default:
		return parse_value(opt, arg, key);
	}
}

/* fuse_opt's own complaint, of a missing argument, has "fuse: " in front. */
__attribute__((format(printf, 2, 0))) static void
on_fuse_opt_log(enum fuse_log_level level, const char *fmt, va_list ap)
{
	char text[256];

	(void)level;
	vsnprintf(text, sizeof(text), fmt, ap);
	bad("%s", strncmp(text, "fuse: ", 6) == 0 ? text + 6 : text);
}

static int add_mount_args(struct options *opt, struct parse *p)
{
	char *fsname = NULL;
	int err = -1;

	if (asprintf(&fsname, "fsname=%s", opt->source) < 0)
		return bad("%s", strerror(ENOMEM));
	if (fuse_opt_add_opt_escaped(&p->mount_opts, fsname) == 0 &&
	    fuse_opt_add_opt(&p->mount_opts, "subtype=sockfs") == 0 &&
	    fuse_opt_add_opt(&p->mount_opts, "default_permissions") == 0 &&
	    fuse_opt_add_arg(&opt->mount_args, "sockfs") == 0 &&
	    fuse_opt_add_arg(&opt->mount_args, "-o") == 0 &&
	    fuse_opt_add_arg(&opt->mount_args, p->mount_opts) == 0 &&
	    (!opt->debug || fuse_opt_add_arg(&opt->mount_args, "-d") == 0))
		err = 0;
	free(fsname);
	return err == 0 ? 0 : bad("%s", strerror(ENOMEM));
}

static int take_names(struct options *opt, struct parse *p)
{
	if (p->nr_names == 0)
		return bad("no mount point given (see sockfs --help)");
	if (p->nr_names == 2 && set_source(opt, p->names[0]) != 0)
		return -1;
	if (opt->umask == UMASK_DEFAULT)
		opt->umask = opt->others ? UMASK_OTHERS : 0;
	opt->mountpoint = p->names[p->nr_names - 1];
	p->names[p->nr_names - 1] = NULL;
	return 0;
}

int options_parse(int argc, char **argv, enum options_use use, struct options *ret_opt)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct parse p = {.opt = ret_opt, .use = use, .status = -1};

	*ret_opt = (struct options){
		.notify_fd = -1,
		.mode = 0755,
		.umask = UMASK_DEFAULT,
		.uid = geteuid(),
		.gid = getegid(),
		.max_sockets = 16777216,
		.max_parked = 128 << 20,
		.per_uid.parked = 64 << 20,
		.max_text = 256 << 20,
		.tuning = {.pipe_size = DEFAULT_PIPE, .spin_us = DEFAULT_SPIN},
	};
	fuse_set_log_func(on_fuse_opt_log);
	if (set_source(ret_opt, "socket:") != 0 ||
	    fuse_opt_parse(&args, &p, option_table, on_option) != 0 ||
	    take_names(ret_opt, &p) != 0 || add_mount_args(ret_opt, &p) != 0) {
		if (p.status < 0)
			p.status = 1;
	}
	fuse_opt_free_args(&args);
	free(p.mount_opts);
	free(p.names[0]);
	free(p.names[1]);
	/* Help that nobody could read is a failure. */
	if (p.status == 0 && fflush(stdout) != 0)
		return 1;
	return p.status;
}

void options_free(struct options *opt)
{
	free(opt->source);
	free(opt->mountpoint);
	free(opt->policy);
	free(opt->user.name);
	fuse_opt_free_args(&opt->mount_args);
}
