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
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/ledger.h"
#include "lib/log.h"

#define VARIABLE "SOCKFS_RESUME"
#define QUESTION "--can-resume="
#define ASK_SECONDS 10
#define SELF "/proc/self/exe"
#define DELETED " (deleted)" /* proc(5) */

static char **args; /* with room for one more in front of them */
static char program[PATH_MAX], folder[PATH_MAX];
static bool may_change; /* what lies at `program' has said that it can */

/* Where this program lies, or lay, which is where the next version will; false: the latter. */
static bool find_program(char path[PATH_MAX])
{
	ssize_t n = readlink(SELF, path, PATH_MAX - 1);
	size_t len = n > 0 ? (size_t)n : 0, end = strlen(DELETED);

	path[len] = '\0';
	if (len <= end || strcmp(path + len - end, DELETED) != 0)
		return true;
	path[len - end] = '\0';
	return false;
}

void again_init(int argc, char **argv)
{
	(void)find_program(program);
	if (getcwd(folder, sizeof(folder)) == NULL)
		folder[0] = '\0';
	args = calloc((size_t)argc + 2, sizeof(*args));
	if (args != NULL)
		args++;
	for (int i = 0; args != NULL && i < argc; i++) {
		args[i] = strdup(argv[i]);
		if (args[i] == NULL) {
			free(args - 1);
			args = NULL;
		}
	}
}

/* What was said relative to it still is. */
static void enter_folder(void)
{
	if (folder[0] == '\0' || chdir(folder) != 0)
		pr_debug("not from the folder where it was started");
}

/* In a process of its own: it does not return. */
static _Noreturn void ask(bool to_syslog)
{
	const struct itimerval most = {.it_value.tv_sec = ASK_SECONDS};
	char question[64];
	sigset_t none;

	snprintf(question, sizeof(question), QUESTION "%u,%d,%d", LEDGER_VERSION, ledger_fd(),
		 to_syslog);
	args[-1] = args[0];
	args[0] = question;
	fcntl(ledger_fd(), F_SETFD, 0);
	enter_folder();
	/* Nobody watches over the mount meanwhile: it ends, even if it hangs. */
	signal(SIGALRM, SIG_DFL);
	setitimer(ITIMER_REAL, &most, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(program, args - 1);
	_exit(127);
}

bool again_ask(bool to_syslog)
{
	int status = -1;
	pid_t pid = args != NULL ? fork() : -1;

	if (pid == 0)
		ask(to_syslog);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	may_change = pid > 0 && status == 0;
	if (may_change)
		return true;
	if (pid > 0)
		status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	pr_err("%s cannot go on with this mount (status %d): it stays with the old program",
	       program, status);
	return false;
}

bool again_asked(int *argc, char ***argv, struct again_question *ret)
{
	char **words = *argv;
	int to_syslog = 0;

	*ret = (struct again_question){.ledger = -1};
	if (*argc < 2 || strncmp(words[1], QUESTION, strlen(QUESTION)) != 0)
		return false;
	/* Another version may want to know something else, and has another number. */
	if (sscanf(words[1] + strlen(QUESTION), "%u,%d,%d", &ret->version, &ret->ledger,
		   &to_syslog) == 3)
		ret->to_syslog = to_syslog != 0;
	words[1] = words[0];
	(*argv)++;
	(*argc)--;
	return true;
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
	char words[PATH_MAX + 64], now[PATH_MAX];
	sigset_t none;

	if (args == NULL)
		return -ENOMEM;
	enter_folder();
	snprintf(words, sizeof(words), "%d %d %d %s", ledger_fd(), dev, unmounter, mountpoint);
	if (setenv(VARIABLE, words, 1) != 0)
		return -errno;
	log_close();
	keep_descriptors();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (may_change || (find_program(now) && strcmp(now, program) == 0))
		execv(program, args);
	execv(SELF, args);
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
	/* What is called SELF is called "exe". */
	if (strrchr(program, '/') != NULL)
		prctl(PR_SET_NAME, strrchr(program, '/') + 1);
	return true;
}
