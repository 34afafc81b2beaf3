/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Daemons and their mounts, and the four ways to open a connection.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sockfs/ioctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/* ------------------------------------------------------------------- processes */

pid_t spawn(char *const argv[], int in, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = null < 0 ? -1 : fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(in < 0 ? null : in, STDIN_FILENO);
		dup2(out < 0 ? null : out, STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(null);
	return pid;
}

int spawn_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return -ENOENT;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* ---------------------------------------------------------------------- mounts */

int daemon_start(struct bench *b, const char *program, const char *option, char *mnt, size_t len,
		 pid_t *ret_pid)
{
	char notify[40], c;
	char *argv[] = { (char *)program, notify, (char *)"-f", mnt, (char *)option, NULL };
	int fds[2];
	pid_t pid;
	ssize_t n;

	snprintf(mnt, len, "%s/mnt%u", b->dir, b->next_name++);
	if (mkdir(mnt, 0755) != 0 || pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	snprintf(notify, sizeof(notify), "--notify-fd=%d", fds[1]);
	fcntl(fds[1], F_SETFD, 0);
	pid = spawn(argv, -1, STDERR_FILENO);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return pid;
	}
	n = read(fds[0], &c, 1);
	close(fds[0]);
	if (n != 1) {
		kill(pid, SIGTERM);
		spawn_wait(pid);
		return -EIO;
	}
	*ret_pid = pid;
	return 0;
}

int daemon_stop(const char *mnt, pid_t pid)
{
	char *argv[] = { (char *)"fusermount3", (char *)"-u", (char *)"-z", (char *)mnt, NULL };
	int err;

	/* Both know the signal: they unmount themselves. */
	kill(pid, SIGTERM);
	err = spawn_wait(pid);
	if (rmdir(mnt) == 0)
		return err;
	/* One that was killed did not. */
	pid = spawn(argv, -1, -1);
	if (pid > 0)
		spawn_wait(pid);
	if (rmdir(mnt) != 0 && err == 0)
		err = -errno;
	return err;
}

/* ----------------------------------------------------------------- connections */

static struct sockfs_addr addr_of(const struct peer *peer, enum way way, enum service service,
				  unsigned int host)
{
	struct sockfs_addr addr = { .host = "" };

	if (way == BY_UNIX) {
		snprintf(addr.host, sizeof(addr.host), "unix:@" PEER_UNIX_NAME, peer->unix_id, service);
		return addr;
	}
	snprintf(addr.host, sizeof(addr.host), way == BY_UDP ? "udp:127.0.0.1" : "127.0.0.%u", host);
	snprintf(addr.port, sizeof(addr.port), "%u",
		 way == BY_UDP ? peer->udp_port : peer->port[service]);
	return addr;
}

int sockfs_connect(const struct peer *peer, const char *path, enum way way, enum service service,
		   unsigned int host)
{
	struct sockfs_addr addr = addr_of(peer, way, service, host);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), err;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, SOCKFS_IOC_CONNECT, &addr) == 0)
		return fd;
	err = -errno;
	close(fd);
	unlink(path);
	return err;
}

static int open_sockfs(struct bench *b, enum way way, enum service service, struct chan *c)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/chan%u", b->mnt[SOCKFS], b->next_name++);
	c->rfd = c->wfd = sockfs_connect(&b->peer, path, way, service, next_host(b));
	if (c->rfd < 0)
		return c->rfd;
	/* It lives as long as it is open. */
	return unlink(path) == 0 ? 0 : -errno;
}

static int open_floor(struct bench *b, enum service service, struct chan *c)
{
	char path[320];

	if (service == SERVE_LIMITED)
		snprintf(path, sizeof(path), "%s/l%llu", b->mnt[FLOOR],
			 (unsigned long long)b->peer.limit);
	else
		snprintf(path, sizeof(path), "%s/data", b->mnt[FLOOR]);
	c->rfd = c->wfd = open(path, O_RDWR | O_CLOEXEC);
	return c->rfd >= 0 ? 0 : -errno;
}

/* As people do it, with socat's defaults; one way where one way is enough. */
static int open_socat(struct bench *b, enum service service, struct chan *c)
{
	bool reads = service != SERVE_SINK, writes = service == SERVE_SINK || service == SERVE_ECHO;
	char in[300], out[300], tcp[40], fifo[700], one_way[] = "-u";
	/* It says that its pipe is broken when we have measured enough. */
	char *argv[7] = { (char *)"socat", (char *)"-lf", (char *)"/dev/null" };
	int argc = 3;

	snprintf(in, sizeof(in), "%s/in", b->dir);
	snprintf(out, sizeof(out), "%s/out", b->dir);
	snprintf(tcp, sizeof(tcp), "TCP4:127.0.0.1:%u", b->peer.port[service]);
	if ((writes && mkfifo(in, 0600) != 0) || (reads && mkfifo(out, 0600) != 0))
		return -errno;
	if (reads && writes)
		snprintf(fifo, sizeof(fifo), "OPEN:%s,rdonly!!OPEN:%s,wronly", in, out);
	else
		snprintf(fifo, sizeof(fifo), "OPEN:%s,%s", reads ? out : in,
			 reads ? "wronly" : "rdonly");
	if (!reads || !writes)
		argv[argc++] = one_way;
	argv[argc++] = reads ? tcp : fifo;
	argv[argc] = reads ? fifo : tcp;
	c->relay = spawn(argv, -1, -1);
	if (c->relay < 0)
		return c->relay;
	/* Each open waits for socat's. */
	c->wfd = writes ? open(in, O_WRONLY | O_CLOEXEC) : -1;
	c->rfd = reads ? open(out, O_RDONLY | O_CLOEXEC) : c->wfd;
	unlink(in);
	unlink(out);
	return c->rfd >= 0 ? 0 : -errno;
}

int chan_open_by(struct bench *b, enum kind kind, enum way way, enum service service,
		 struct chan *ret)
{
	int err;

	*ret = (struct chan){ -1, -1, 0 };
	switch (kind) {
	case PLAIN:
		ret->rfd = ret->wfd = peer_connect(&b->peer, way, service, next_host(b));
		err = ret->rfd < 0 ? ret->rfd : 0;
		break;
	case SOCKFS:
		err = open_sockfs(b, way, service, ret);
		break;
	case FLOOR:
		err = open_floor(b, service, ret);
		break;
	case SOCAT:
		err = open_socat(b, service, ret);
		break;
	default:
		err = -EINVAL;
		break;
	}
	if (err != 0)
		chan_close(ret);
	return err;
}

void chan_close(struct chan *c)
{
	if (c->wfd >= 0 && c->wfd != c->rfd)
		close(c->wfd);
	if (c->rfd >= 0)
		close(c->rfd);
	if (c->relay > 0) {
		kill(c->relay, SIGTERM);
		spawn_wait(c->relay);
	}
	*c = (struct chan){ -1, -1, 0 };
}
