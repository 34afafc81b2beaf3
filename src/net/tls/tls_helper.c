/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes sockfs-tls, from the daemon's side.
 *
 * Happy path: the first link starts the process, with one end of the control channel as its
 * descriptor 3; what it says is put into the link that has its number (tls_link.c).
 *
 * Should this process die, the helper and its connections do not: the channel is written down
 * (ledger->helpers) as soon as there is somebody at its other end, and the next process goes on
 * with it. What comes in it is taken out of it last, so that nothing of it is lost meanwhile.
 * Another program starts another helper for what is new, so that it is of its own version; the
 * old one ends with its last connection.
 *
 * Failure modes: the program is not there or does not start (ENOSYS and so on); the helper
 * dies, which closes the channel: what waits for an answer gets ECONNRESET at once, what is open
 * when its stream ends. A message that is not one is the end of that helper, too.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/ledger.h"
#include "lib/log.h"
#include "net/tls/tls_helper_i.h"

#define CHANNEL_FD 3 /* in the helper */
#define TURN_MAX 32  /* messages at once; other files wait meanwhile */

extern char **environ;

static uv_loop_t *helper_loop;
static const struct helper_users *users;
static const char *helper_path; /* NULL: where it usually is */
static LIST_HEAD(, helper) helpers = LIST_HEAD_INITIALIZER(helpers);
struct helper *present_helper;
static uint32_t life; /* of the last one that was started */

/* ----------------------------------------------------------------- the end of a helper */

static void helper_free(struct helper *h)
{
	LIST_REMOVE(h, node);
	if (h->channel_fd >= 0)
		close(h->channel_fd);
	if (h->pidfd >= 0)
		close(h->pidfd);
	free(h);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct helper *h = handle->data;

	if (--h->handles == 0)
		helper_free(h);
}

static void on_process(uv_poll_t *handle, int status, int events)
{
	struct helper *h = handle->data;
	int how;

	(void)status;
	(void)events;
	if (waitpid(h->pid, &how, WNOHANG) == 0)
		return;
	if (WIFSIGNALED(how))
		pr_err("sockfs-tls: %s", strsignal(WTERMSIG(how)));
	else if (WEXITSTATUS(how) != 0)
		pr_err("sockfs-tls: exit status %d", WEXITSTATUS(how));
	uv_close((uv_handle_t *)handle, on_handle_closed);
}

/* ----------------------------------------------------------------- for a successor */

/* Each word stands alone: the last one says that the others hold. */
static void write_down(struct helper *h)
{
	struct ledger_helper *r = NULL;
	struct stat st;

	for (size_t i = 0; ledger != NULL && r == NULL && i < LEDGER_HELPERS; i++)
		if (ledger->helpers[i].fd == 0)
			r = &ledger->helpers[i];
	if (r == NULL || fstat(h->channel_fd, &st) != 0)
		return;
	r->version = TLS_VERSION;
	r->fd_ino = st.st_ino;
	r->pid = h->pid;
	r->life = ledger->helper_life = h->life;
	r->program = ledger->programs;
	atomic_signal_fence(memory_order_seq_cst);
	r->fd = h->channel_fd;
	h->record = r;
}

void helper_lose(struct helper *h)
{
	bool was_present = h == present_helper;

	h->lost = true;
	if (h->record != NULL)
		h->record->fd = 0;
	uv_close((uv_handle_t *)&h->channel, on_handle_closed);
	if (was_present)
		present_helper = NULL;
	users->lost(h->life, was_present);
}

/* There are few of them. */
struct helper *helper_of(uint32_t in_life)
{
	struct helper *h;

	LIST_FOREACH(h, &helpers, node)
		if (h->life == in_life && !h->lost)
			return h;
	return NULL;
}

/* --------------------------------------------------------------------------- the channel */

/* Nobody is called with it, so there is one at a time. */
static struct tls_msg incoming;

bool helper_receive(struct helper *h)
{
	ssize_t n = recv(h->channel_fd, &incoming, sizeof(incoming), MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		helper_lose(h);
		return false;
	}
	if (tls_msg_check(&incoming, (size_t)n) != 0) {
		pr_err("sockfs-tls: it says what it should not; is it of another version?");
		helper_lose(h);
		return false;
	}
	users->message(&incoming);
	(void)recv(h->channel_fd, &incoming, 0, MSG_DONTWAIT);
	return true;
}

void helper_drain(struct helper *h)
{
	while (!h->lost && helper_receive(h))
		;
	if (!h->lost)
		helper_lose(h);
}

static void on_channel(uv_poll_t *handle, int status, int events)
{
	struct helper *h = handle->data;

	if (status < 0) {
		helper_drain(h);
		return;
	}
	if ((events & UV_WRITABLE) && h == present_helper)
		users->room();
	for (int i = 0; i < TURN_MAX && !h->lost; i++)
		if (!helper_receive(h))
			return;
}

void helper_watch(bool for_room)
{
	uv_poll_start(&present_helper->channel, UV_READABLE | (for_room ? UV_WRITABLE : 0), on_channel);
}

/* --------------------------------------------------------------------------- beginning */

/* Beside our own program, as in a build, else where it is installed. */
static const char *usual_path(char *buf, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", buf, size - 1);
	char *slash;

	buf[n < 0 ? 0 : n] = '\0';
	slash = strrchr(buf, '/');
	if (slash != NULL && (size_t)(slash - buf) + sizeof("/sockfs-tls") <= size) {
		strcpy(slash, "/sockfs-tls");
		if (access(buf, X_OK) == 0)
			return buf;
	}
	return SOCKFS_TLS_PATH;
}

/* posix_spawn(3): unlike fork(2) it copies no page tables. 0 or -errno. */
static int spawn(int channel_fd, pid_t *ret_pid)
{
	char buf[PATH_MAX], number[16];
	const char *path = helper_path != NULL ? helper_path : usual_path(buf, sizeof(buf));
	char *argv[] = {(char *)"sockfs-tls", number, NULL};
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);

	if (err != 0)
		return -err;
	snprintf(number, sizeof(number), "%d", CHANNEL_FD);
	/* A descriptor that has its number already would stay close-on-exec; ours is above. */
	err = posix_spawn_file_actions_adddup2(&actions, channel_fd, CHANNEL_FD);
	if (err == 0)
		err = posix_spawn(ret_pid, path, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err == ENOENT ? -ENOSYS : -err;
}

static int watch(struct helper *h, uv_poll_t *poll, int fd, uv_poll_cb cb)
{
	int err = uv_poll_init(helper_loop, poll, fd);

	if (err != 0)
		return err;
	poll->data = h;
	h->handles++;
	return uv_poll_start(poll, UV_READABLE, cb);
}

/* A process for @channel, whose other end is ours. */
static int helper_begin(struct helper *h, int channel)
{
	int err = spawn(channel, &h->pid);

	if (err != 0)
		return err;
	h->pidfd = (int)syscall(SYS_pidfd_open, h->pid, 0);
	err = h->pidfd < 0 ? -errno : watch(h, &h->process, h->pidfd, on_process);
	if (err == 0)
		err = watch(h, &h->channel, h->channel_fd, on_channel);
	return err;
}

/* Let go of one that has not become a present one. */
static void helper_drop(struct helper *h)
{
	h->lost = true;
	if (h->process.data != NULL)
		uv_close((uv_handle_t *)&h->process, on_handle_closed);
	if (h->channel.data != NULL)
		uv_close((uv_handle_t *)&h->channel, on_handle_closed);
	if (h->handles == 0)
		helper_free(h);
}

static struct helper *helper_alloc(uint32_t in_life)
{
	struct helper *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->pidfd = h->channel_fd = -1;
	h->life = in_life;
	LIST_INSERT_HEAD(&helpers, h, node);
	return h;
}

/* Those of earlier programs end with what they have. */
static void lose_idle(void)
{
	struct helper *h;

	LIST_FOREACH(h, &helpers, node)
		if (h != present_helper && !h->lost && h->nr_links == 0)
			helper_lose(h);
}

int helper_get(void)
{
	struct helper *h;
	int pair[2], err;

	if (present_helper != NULL)
		return 0;
	lose_idle();
	h = helper_alloc(life + 1);
	if (h == NULL)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
		err = -errno;
		helper_drop(h);
		return err;
	}
	h->channel_fd = pair[0];
	err = helper_begin(h, pair[1]);
	close(pair[1]);
	if (err == 0) {
		present_helper = h;
		life = h->life;
		write_down(h);
		return 0;
	}
	/* Without its channel it ends by itself; init(1) is the one who waits for it then. */
	helper_drop(h);
	return err;
}

/*
 * One that the ledger has, if it speaks as we do. Else it goes on with the connections that
 * it has, and nobody is told how they end.
 */
static void helper_resume(struct ledger_helper *r)
{
	struct helper *h = r->version == TLS_VERSION ? helper_alloc(r->life) : NULL;

	if (h == NULL) {
		close(r->fd);
		r->fd = 0;
		return;
	}
	h->channel_fd = r->fd;
	h->pid = r->pid;
	h->record = r;
	if (watch(h, &h->channel, h->channel_fd, on_channel) != 0) {
		r->fd = 0;
		helper_drop(h);
		return;
	}
	if (r->program == ledger->programs && r->life == life)
		present_helper = h;
}

static void helpers_resume(void)
{
	life = ledger->helper_life;
	for (size_t i = 0; i < LEDGER_HELPERS; i++)
		if (ledger->helpers[i].fd > 0)
			helper_resume(&ledger->helpers[i]);
}

void helper_init(uv_loop_t *loop, const char *path, const struct helper_users *told)
{
	helper_loop = loop;
	helper_path = path;
	users = told;
	if (ledger != NULL)
		helpers_resume();
}

void helper_stop(void)
{
	struct helper *h;

	LIST_FOREACH(h, &helpers, node) {
		if (!h->lost)
			helper_lose(h);
		if (h->process.data != NULL && !uv_is_closing((uv_handle_t *)&h->process))
			uv_close((uv_handle_t *)&h->process, on_handle_closed);
	}
}

pid_t tls_helper_pid(void)
{
	return present_helper != NULL ? present_helper->pid : 0;
}
