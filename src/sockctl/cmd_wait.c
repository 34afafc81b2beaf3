/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wait: until a socket is in a state.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sockctl/sockctl.h"
#include "uapi/state.h"

/*
 * Asked at this pace: poll(2) is of no help, since a socket that is readable
 * all the time says nothing of the next change of its state.
 */
#define PACE_MS 20

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/*
 * Removed, and our descriptor keeps it alive: nothing would come any more. Who has given
 * us the descriptor has it open as well; and to have a control file open, which has
 * another st_ino, is no use of the socket.
 */
static bool is_ours_alone(const char *file, const struct stat *st, const struct sockfs_info *info)
{
	return st->st_nlink == 0 && st->st_ino == info->ino && !is_fd_name(file);
}

static int wait_for(int fd, const struct args *args, unsigned int state)
{
	const char *file = args->file;
	int64_t rest, end = now_ms() + args->timeout_ms;
	struct sockfs_info info;
	struct stat st;

	for (;;) {
		memset(&info, 0, sizeof(info));
		if (socket_ioctl(fd, file, SOCKFS_IOC_INFO, &info, args->command, NULL))
			return EXIT_FAILED;
		if (info.state == state)
			return EXIT_DONE;
		rest = args->timeout_ms < 0 ? PACE_MS : end - now_ms();
		if (rest <= 0) {
			complain("%s: %s %s: still %s", file, args->command, args->argv[0],
				 state_name(info.state));
			return EXIT_FAILED;
		}
		if (fstat(fd, &st) != 0 || is_ours_alone(file, &st, &info)) {
			complain("%s: %s %s: %s", file, args->command, args->argv[0],
				 strerror(ENOENT));
			return EXIT_FAILED;
		}
		poll(NULL, 0, (int)(rest < PACE_MS ? rest : PACE_MS));
	}
}

int cmd_wait(const struct args *args)
{
	unsigned int state = state_by_name(args->argv[0]);
	int fd, status;

	if (!state)
		return bad_usage(args, "there is no state '%s'; 'sockctl help wait' lists them",
				 args->argv[0]);
	fd = socket_open(args->file, O_RDONLY, true);
	if (fd < 0)
		return EXIT_FAILED;
	status = wait_for(fd, args, state);
	close(fd);
	return status;
}
