/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fscall: system calls on files, from words, with what each returned.
 *
 *	fscall [-u ID] DIR <script
 *
 * In DIR, as the user and group of that number.
 * Each line of the script is one call; it is printed with its result behind it:
 * a number, what the call said, or the name of its errno. So the same script can
 * run on two file systems, and what differs is what they do differently.
 *
 *	case NAME          a fresh directory, the identity of the start, umask 022
 *	as UID:GID[,GID]   be somebody else (of root: able to come back)
 *	f=open a O_RDWR    the descriptor's name is f
 *	# a comment
 *
 * In a word, %N{TEXT} is TEXT N times, and "" is the empty word.
 */
#include "config.h"

#include "tests/lib/fscall.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define WORD_SIZE 8192

int fscall_fds[26];
char fscall_answer[FSCALL_ANSWER];

static int base; /* DIR */
static int line_number;
static uid_t first_uid;
static gid_t first_gid;

void fscall_bad(const char *what, const char *word)
{
	fprintf(stderr, "fscall: line %d: %s: %s\n", line_number, what, word);
	exit(2);
}

void fscall_say(const char *fmt, ...)
{
	size_t used = strlen(fscall_answer);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fscall_answer + used, sizeof(fscall_answer) - used, fmt, ap);
	va_end(ap);
}

/* ------------------------------------------------------------------------ words */

/* %N{TEXT}: puts it at @to, returns what is behind it. */
static const char *expand(const char *p, char *to, size_t size)
{
	char *end;
	long times = strtol(p + 1, &end, 10);
	const char *close = strchr(end, '}');
	size_t len;

	if (*end != '{' || close == NULL)
		fscall_bad("not %N{TEXT}", p);
	len = (size_t)(close - end - 1);
	if (times < 0 || (size_t)times * len >= size)
		fscall_bad("too long", p);
	for (; times > 0; times--, to += len)
		memcpy(to, end + 1, len);
	*to = '\0';
	return close + 1;
}

static char *word_of(const char *text)
{
	char *word = malloc(WORD_SIZE);
	size_t len = 0;

	if (word == NULL)
		fscall_bad("no memory", text);
	word[0] = '\0';
	if (strcmp(text, "\"\"") == 0)
		return word;
	while (*text != '\0' && len < WORD_SIZE - 1) {
		if (*text == '%' && isdigit((unsigned char)text[1])) {
			text = expand(text, word + len, WORD_SIZE - len);
			len += strlen(word + len);
		} else {
			word[len++] = *text++;
			word[len] = '\0';
		}
	}
	return word;
}

/* ---------------------------------------------------------------------- identity */

/* UID:GID[,GID...]; the effective ids only go with the real ones, for access(2). */
static long be(char *who)
{
	gid_t groups[16];
	size_t n = 0;
	char *p = strchr(who, ':');

	if (p == NULL)
		fscall_bad("not UID:GID", who);
	for (*p++ = '\0'; n < 16 && (p = strtok(p, ",")) != NULL; p = NULL)
		groups[n++] = (gid_t)fscall_number(p);
	if (n == 0)
		fscall_bad("no group", who);
	if (setresuid(first_uid, first_uid, first_uid) != 0 || setgroups(n - 1, groups + 1) != 0 ||
	    setresgid(groups[0], groups[0], first_gid) != 0)
		return -1;
	return setresuid((uid_t)fscall_number(who), (uid_t)fscall_number(who), first_uid);
}

static void be_first(void)
{
	if (getuid() == first_uid && getgid() == first_gid)
		return;
	if (setresuid(first_uid, first_uid, first_uid) != 0 ||
	    setresgid(first_gid, first_gid, first_gid) != 0)
		fscall_bad("cannot come back", strerror(errno));
}

/* ------------------------------------------------------------------------- lines */

static void new_case(const char *name)
{
	be_first();
	umask(0);
	for (size_t i = 0; i < 26; i++) {
		if (fscall_fds[i] >= 0)
			close(fscall_fds[i]);
		fscall_fds[i] = -1;
	}
	if (fchdir(base) != 0 || mkdir(name, 0777) != 0 || chdir(name) != 0)
		fscall_bad("no directory for the case", strerror(errno));
	umask(022);
	printf("== %s\n", name);
}

static void result(char fd_name, long ret)
{
	if (ret < 0)
		printf("%s", strerrorname_np(errno));
	else if (fscall_answer[0] != '\0')
		printf("%s", fscall_answer);
	else if (fd_name != '\0')
		printf("open"); /* its number is nobody's business */
	else
		printf("%ld", ret);
	putchar('\n');
	if (fd_name == '\0')
		return;
	if (ret >= 0 && fscall_fds[fd_name - 'a'] >= 0)
		close(fscall_fds[fd_name - 'a']);
	if (ret >= 0)
		fscall_fds[fd_name - 'a'] = (int)ret;
}

static void run_words(char **w, int n)
{
	const struct fscall *call;
	char fd_name = '\0';
	char *name = w[0];
	long ret;

	if (name[0] >= 'a' && name[0] <= 'z' && name[1] == '=') {
		fd_name = name[0];
		name += 2;
	}
	fscall_answer[0] = '\0';
	if (strcmp(name, "as") == 0 && n == 2) {
		result('\0', be(w[1]));
		return;
	}
	call = fscall_find(name);
	if (call == NULL)
		fscall_bad("no such call", name);
	if (n - 1 < call->args_min || n - 1 > call->args_max)
		fscall_bad("wrong number of words", name);
	errno = 0;
	ret = call->run(w + 1);
	if (ret >= 0 && fd_name == '\0' && strcmp(name, "open") == 0)
		ret = close((int)ret);
	result(fd_name, ret);
}

static void run_line(char *line)
{
	char *w[FSCALL_WORDS + 1] = {NULL};
	int n = 0;

	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '#' || line[strspn(line, " \t")] == '\0')
		return;
	if (strncmp(line, "case ", 5) == 0) {
		new_case(line + 5);
		return;
	}
	printf("%3d %s -> ", line_number, line);
	for (char *p = line; (p = strtok(p, " \t")) != NULL; p = NULL) {
		if (n == FSCALL_WORDS)
			fscall_bad("too many words", p);
		w[n++] = word_of(p);
	}
	run_words(w, n);
	while (n > 0)
		free(w[--n]);
}

/* DIR, and for good the identity of -u: what leads to DIR may be closed to it. */
static bool begin(int argc, char **argv)
{
	unsigned int id = 0;
	int c;

	while ((c = getopt(argc, argv, "u:")) != -1) {
		if (c != 'u')
			return false;
		id = (unsigned int)fscall_number(optarg);
	}
	if (optind != argc - 1)
		return false;
	base = open(argv[optind], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (base < 0 || fchdir(base) != 0)
		return false;
	return id == 0 || (setgroups(0, NULL) == 0 && setresgid(id, id, id) == 0 &&
			   setresuid(id, id, id) == 0);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;

	if (!begin(argc, argv)) {
		fprintf(stderr, "usage: fscall [-u ID] DIR <script\n");
		return 2;
	}
	first_uid = geteuid();
	first_gid = getegid();
	for (size_t i = 0; i < 26; i++)
		fscall_fds[i] = -1;
	while (getline(&line, &size, stdin) > 0) {
		line_number++;
		run_line(line);
	}
	free(line);
	be_first();
	/* Who has been somebody else may not be traced, but the leak checker wants to. */
	prctl(PR_SET_DUMPABLE, 1);
	return line_number > 0 && fflush(stdout) == 0 ? 0 : 2;
}
