/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program once more: see again.h. */
#include "config.h"

#include "super/again.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/ledger.h"
#include "lib/log.h"

#define VARIABLE "SOCKFS_RESUME"
#define QUESTION "--can-resume="

static char **args;
static char program[PATH_MAX], folder[PATH_MAX];

void again_init(int argc, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	program[n > 0 ? n : 0] = '\0';
	if (getcwd(folder, sizeof(folder)) == NULL)
		folder[0] = '\0';
	args = calloc((size_t)argc + 1, sizeof(*args));
	for (int i = 0; args != NULL && i < argc; i++) {
		args[i] = strdup(argv[i]);
		if (args[i] == NULL) {
			free(args);
			args = NULL;
		}
	}
}

int again_answer(const char *arg)
{
	if (strncmp(arg, QUESTION, strlen(QUESTION)) != 0)
		return -1;
	return strtoul(arg + strlen(QUESTION), NULL, 10) == LEDGER_VERSION ? 0 : 1;
}

bool again_ask(void)
{
	char question[64];
	int status = -1;
	pid_t pid;

	snprintf(question, sizeof(question), QUESTION "%u", LEDGER_VERSION);
	pid = fork();
	if (pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execl(program, program, question, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	pr_err("%s cannot go on with this mount (status %d): it stays with the old program",
	       program, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return false;
}

/* All but 0 to 2 are to be closed by exec, as each was made; those go along. */
static void keep_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		int fd = entry->d_name[0] != '.' ? (int)strtol(entry->d_name, NULL, 10) : -1;

		if (fd > STDERR_FILENO && fd != dirfd(dir))
			fcntl(fd, F_SETFD, 0);
	}
	if (dir != NULL)
		closedir(dir);
}

int again_exec(int dev, int unmounter, const char *mountpoint)
{
	char words[PATH_MAX + 64];
	sigset_t none;

	if (args == NULL)
		return -ENOMEM;
	/* What was said relative to it still is. */
	if (folder[0] == '\0' || chdir(folder) != 0)
		pr_debug("not from the folder where it was started");
	snprintf(words, sizeof(words), "%d %d %d %s", ledger_fd(), dev, unmounter, mountpoint);
	if (setenv(VARIABLE, words, 1) != 0)
		return -errno;
	log_close();
	keep_descriptors();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(program, args);
	return -errno;
}

bool again_resumed(struct again *ret)
{
	static char *copy; /* what *@ret points to */
	const char *words = getenv(VARIABLE);
	int used = 0;

	if (words == NULL)
		return false;
	copy = strdup(words);
	unsetenv(VARIABLE);
	if (copy == NULL || sscanf(copy, "%d %d %d %n", &ret->ledger, &ret->dev, &ret->unmounter,
				   &used) != 3 ||
	    copy[used] != '/')
		return false;
	ret->mountpoint = copy + used;
	return true;
}
