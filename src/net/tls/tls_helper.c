/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's side of sockfs-tls.
 *
 * Happy path: the first link starts the process, with one end of the control channel as its
 * descriptor 3; a request goes into the channel with two descriptors; its answer, and later
 * the news of the connection, are put into the link that has its number.
 *
 * Should this process die, the helper and its connections do not: the channel is written down
 * (ledger->helper) as soon as there is somebody at its other end, and the next process goes on
 * with it. What comes in it is taken out of it last, so that nothing of it is lost meanwhile.
 *
 * Failure modes: the program is not there or does not start (ENOSYS and so on); the channel is
 * full (nothing here ever waits for the helper: requests stand in a queue until the loop
 * tells of room); the helper dies, which closes the
 * channel: what waits for an answer gets ECONNRESET at once, what is open when its stream
 * ends. A message that is not one is the end of that helper, too.
 */
#include "config.h"

#include "net/tls/tls_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/ledger.h"
#include "lib/log.h"
#include "lib/scm.h"
#include "mm/idtable.h"

#define CHANNEL_FD 3 /* in the helper */
#define TURN_MAX 32  /* messages at once; other files wait meanwhile */

extern char **environ;

/*
 * A helper. It is ours until its process has been waited for, a while after the channel's end.
 * One that a dead process has started is nobody's to wait for but init's (1).
 */
struct helper {
	LIST_ENTRY(helper) node;
	uv_poll_t channel, process; /* the process: by its pidfd; only of one that we have started */
	int channel_fd, pidfd;
	pid_t pid;
	unsigned int handles; /* that libuv knows */
};

TAILQ_HEAD(link_queue, tls_link);

static uv_loop_t *helper_loop;
static const char *helper_path; /* NULL: where it usually is */
static struct idtable links;
static LIST_HEAD(, helper) helpers = LIST_HEAD_INITIALIZER(helpers);
static struct helper *helper; /* the present one; NULL: none */
static uint32_t life;	      /* of the present or last one */
/* Links that wait for room in the channel, for their answer, and those that have it. */
static struct link_queue unsent = TAILQ_HEAD_INITIALIZER(unsent);
static struct link_queue waiting = TAILQ_HEAD_INITIALIZER(waiting);
static struct link_queue answered = TAILQ_HEAD_INITIALIZER(answered);
static uv_idle_t delivery; /* active while there are some of the latter */

/* ------------------------------------------------------------------------------ answers */

/*
 * Whoever waits for an answer may do anything when it comes, also with other links. So
 * answers are delivered by the loop, not in the midst of tls_link_end().
 */
static void on_delivery(uv_idle_t *handle)
{
	struct tls_link *link;

	while ((link = TAILQ_FIRST(&answered)) != NULL) {
		struct tls_msg *msg = link->answer;

		TAILQ_REMOVE(&answered, link, wait);
		link->opening = link->answered = false;
		link->answer = NULL;
		link->on_opened(link, msg);
		free(msg);
	}
	uv_idle_stop(handle);
}

/* In which of the queues is it? */
static struct link_queue *queue_of(const struct tls_link *link)
{
	if (link->answered)
		return &answered;
	return link->request != NULL ? &unsent : &waiting;
}

/* The request has been sent, or never will be. */
static void drop_request(struct tls_link *link)
{
	if (link->request != NULL && link->far_fd >= 0)
		close(link->far_fd);
	free(link->request);
	link->request = NULL;
}

/* @msg: NULL, there will be none. */
static void answer(struct tls_link *link, const struct tls_msg *msg)
{
	TAILQ_REMOVE(queue_of(link), link, wait);
	TAILQ_INSERT_TAIL(&answered, link, wait);
	drop_request(link);
	link->answered = true;
	if (msg != NULL) {
		link->answer = malloc(msg->head.len);
		if (link->answer != NULL)
			memcpy(link->answer, msg, msg->head.len);
	}
	if (delivery.loop == NULL)
		uv_idle_init(helper_loop, &delivery);
	uv_idle_start(&delivery, on_delivery);
}

/* ----------------------------------------------------------------- the end of a helper */

static void helper_free(struct helper *h)
{
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
	LIST_REMOVE(h, node);
	uv_close((uv_handle_t *)handle, on_handle_closed);
}

/* ----------------------------------------------------------------- for a successor */

/* Each word stands alone: the last one says that the others hold. */
static void write_down(const struct helper *h)
{
	struct stat st;

	if (ledger == NULL || fstat(h->channel_fd, &st) != 0)
		return;
	ledger->helper.version = TLS_VERSION;
	ledger->helper.fd_ino = st.st_ino;
	ledger->helper.pid = h->pid;
	ledger->helper.life = life;
	atomic_signal_fence(memory_order_seq_cst);
	ledger->helper.fd = h->channel_fd;
}

static void forget_channel(void)
{
	if (ledger != NULL)
		ledger->helper.fd = 0;
}

/* It has no links any more. Those that wait for an answer have it now. */
static void helper_lose(void)
{
	forget_channel();
	uv_close((uv_handle_t *)&helper->channel, on_handle_closed);
	helper = NULL;
	while (!TAILQ_EMPTY(&waiting))
		answer(TAILQ_FIRST(&waiting), NULL);
	while (!TAILQ_EMPTY(&unsent))
		answer(TAILQ_FIRST(&unsent), NULL);
}

/* --------------------------------------------------------------------------- messages */

static void said(struct tls_link *link)
{
	if (link->on_said != NULL)
		link->on_said(link);
}

static void take_message(const struct tls_msg *msg)
{
	struct tls_link *link = idtable_find(&links, msg->head.id);

	/* A link that has been closed is still spoken of. */
	if (link == NULL)
		return;
	switch (msg->head.type) {
	case TLS_MSG_OPENED:
		if (link->opening && !link->answered)
			answer(link, msg);
		break;
	case TLS_MSG_EOF:
		link->eof = true;
		said(link);
		break;
	case TLS_MSG_END:
		link->ended = true;
		link->err = msg->end.err;
		snprintf(link->reason, sizeof(link->reason), "%s",
			 tls_msg_text(msg, TLS_END_REASON));
		said(link);
		break;
	default:
		break;
	}
}

/* Nobody is called with it, so there is one at a time. */
static struct tls_msg incoming;

/* One message: false when there is none now, or no helper any more. */
static bool receive(void)
{
	ssize_t n = recv(helper->channel_fd, &incoming, sizeof(incoming), MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		helper_lose();
		return false;
	}
	if (tls_msg_check(&incoming, (size_t)n) != 0) {
		pr_err("sockfs-tls: it says what it should not; is it of another version?");
		helper_lose();
		return false;
	}
	take_message(&incoming);
	(void)recv(helper->channel_fd, &incoming, 0, MSG_DONTWAIT);
	return true;
}

/* The request and both descriptors (-1: none), in one packet or not at all. */
static int send_open(const struct tls_msg *msg, int net_fd, int file_fd)
{
	const int fds[] = {net_fd, file_fd};

	return scm_send(helper->channel_fd, msg, msg->head.len, fds,
			file_fd >= 0 ? ARRAY_SIZE(fds) : 0, MSG_DONTWAIT);
}

/* Is there no room now, or are too many descriptors under way (unix(7))? */
static bool is_full(int err)
{
	return err == -EAGAIN || err == -ETOOMANYREFS || err == -EINTR || err == -ENOBUFS;
}

static void on_channel(uv_poll_t *handle, int status, int events);

static void watch_channel(void)
{
	uv_poll_start(&helper->channel,
		      UV_READABLE | (TAILQ_EMPTY(&unsent) ? 0 : UV_WRITABLE), on_channel);
}

/* There is room in the channel. */
static void send_unsent(void)
{
	struct tls_link *link;

	for (int i = 0; i < TURN_MAX && (link = TAILQ_FIRST(&unsent)) != NULL; i++) {
		int err = send_open(link->request, link->net_fd, link->far_fd);

		if (is_full(err))
			return;
		if (err == -EPIPE || err == -ECONNRESET) {
			helper_lose();
			return;
		}
		if (err != 0) {
			answer(link, NULL);
			continue;
		}
		TAILQ_REMOVE(&unsent, link, wait);
		drop_request(link);
		TAILQ_INSERT_TAIL(&waiting, link, wait);
	}
	if (TAILQ_EMPTY(&unsent))
		watch_channel();
}

static void on_channel(uv_poll_t *handle, int status, int events)
{
	(void)handle;
	if (status < 0) {
		helper_lose();
		return;
	}
	if (events & UV_WRITABLE)
		send_unsent();
	for (int i = 0; i < TURN_MAX && helper != NULL; i++)
		if (!receive())
			return;
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

/* Let go of one that has not become the present one. */
static void helper_drop(struct helper *h)
{
	if (h->process.data != NULL)
		uv_close((uv_handle_t *)&h->process, on_handle_closed);
	if (h->channel.data != NULL)
		uv_close((uv_handle_t *)&h->channel, on_handle_closed);
	if (h->handles == 0)
		helper_free(h);
}

static struct helper *helper_alloc(void)
{
	struct helper *h = calloc(1, sizeof(*h));

	if (h != NULL)
		h->pidfd = -1;
	return h;
}

static int helper_get(void)
{
	struct helper *h;
	int pair[2], err;

	if (helper != NULL)
		return 0;
	h = helper_alloc();
	if (h == NULL)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
		err = -errno;
		free(h);
		return err;
	}
	h->channel_fd = pair[0];
	err = helper_begin(h, pair[1]);
	close(pair[1]);
	if (err == 0) {
		helper = h;
		LIST_INSERT_HEAD(&helpers, h, node);
		life++;
		write_down(h);
		return 0;
	}
	/* Without its channel it ends by itself; init(1) is the one who waits for it then. */
	helper_drop(h);
	return err;
}

/*
 * The one that the ledger has, if it speaks as we do. Else it goes on with the connections that
 * it has, and nobody is told how they end.
 */
static void helper_resume(void)
{
	struct helper *h;

	life = ledger->helper.life;
	idtable_resume(&links, ledger->helper.generation);
	if (ledger->helper.fd <= 0)
		return;
	h = ledger->helper.version == TLS_VERSION ? helper_alloc() : NULL;
	if (h == NULL) {
		close(ledger->helper.fd);
		forget_channel();
		return;
	}
	h->channel_fd = ledger->helper.fd;
	h->pid = ledger->helper.pid;
	if (watch(h, &h->channel, h->channel_fd, on_channel) == 0) {
		helper = h;
		return;
	}
	forget_channel();
	helper_drop(h);
}

int tls_helper_init(uv_loop_t *loop, const char *path)
{
	int err = idtable_init(&links, 0);

	helper_loop = loop;
	helper_path = path;
	if (err != 0)
		return err;
	if (ledger != NULL)
		helper_resume();
	return 0;
}

void tls_helper_stop(void)
{
	struct helper *h;

	if (helper != NULL)
		helper_lose();
	while ((h = LIST_FIRST(&helpers)) != NULL) {
		LIST_REMOVE(h, node);
		uv_close((uv_handle_t *)&h->process, on_handle_closed);
	}
	if (delivery.loop != NULL)
		uv_close((uv_handle_t *)&delivery, NULL);
	delivery.loop = NULL;
}

void tls_helper_exit(void)
{
	idtable_fini(&links);
}

pid_t tls_helper_pid(void)
{
	return helper != NULL ? helper->pid : 0;
}

/* ------------------------------------------------------------------------------- links */

/* Keep it until there is room. @far_fd is the link's from then on. */
static int keep_request(struct tls_link *link, const struct tls_msg *msg, int net_fd, int far_fd)
{
	bool first = TAILQ_EMPTY(&unsent);

	link->request = malloc(msg->head.len);
	if (link->request == NULL)
		return -ENOMEM;
	memcpy(link->request, msg, msg->head.len);
	link->net_fd = net_fd;
	link->far_fd = far_fd;
	TAILQ_INSERT_TAIL(&unsent, link, wait);
	if (first)
		watch_channel();
	return 0;
}

/* To the present helper, or to a new one where it has just died. @far_fd is the callee's. */
static int request(struct tls_link *link, const struct tls_msg *msg, int net_fd, int far_fd)
{
	int err = helper_get();

	if (err == 0)
		err = TAILQ_EMPTY(&unsent) ? send_open(msg, net_fd, far_fd) : -EAGAIN;
	if (err == -EPIPE || err == -ECONNRESET) {
		helper_lose();
		err = helper_get();
		if (err == 0)
			err = send_open(msg, net_fd, far_fd);
	}
	if (is_full(err)) {
		err = keep_request(link, msg, net_fd, far_fd);
		if (err == 0)
			return 0;
	} else if (err == 0) {
		TAILQ_INSERT_TAIL(&waiting, link, wait);
	}
	if (far_fd >= 0)
		close(far_fd);
	return err;
}

static int link_begin(struct tls_link *link, struct tls_msg *msg, int net_fd, int far_fd)
{
	int err = idtable_alloc(&links, link, &link->id);

	if (err != 0) {
		if (far_fd >= 0)
			close(far_fd);
		return err;
	}
	if (ledger != NULL)
		ledger->helper.generation = links.generation;
	msg->head.id = link->id;
	link->eof = link->ended = link->opening = link->answered = false;
	link->request = link->answer = NULL;
	link->err = 0;
	link->reason[0] = '\0';
	err = request(link, msg, net_fd, far_fd);
	if (err != 0) {
		tls_link_close(link);
		return err;
	}
	link->life = life;
	link->opening = true;
	return 0;
}

int tls_link_open(struct tls_link *link, struct tls_msg *msg, int net_fd)
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return -errno;
	err = link_begin(link, msg, net_fd, pair[1]);
	if (err == 0)
		return pair[0];
	close(pair[0]);
	return err;
}

int tls_link_check(struct tls_link *link, struct tls_msg *msg)
{
	msg->open.flags |= TLS_OPEN_CHECK;
	return link_begin(link, msg, -1, -1);
}

int tls_link_resume(struct tls_link *link, uint64_t id, uint32_t in_life)
{
	/* The table has a place for each number up to the largest. */
	bool likely = (uint32_t)id % IDTABLE_MAX < ledger_max(LEDGER_SOCKS);
	int err = likely ? idtable_insert_at(&links, id, link) : -EINVAL;

	if (err == 0) {
		link->id = id;
		link->life = in_life;
	}
	return err;
}

void tls_link_close(struct tls_link *link)
{
	if (link->id != 0)
		(void)idtable_remove(&links, link->id);
	if (link->opening)
		TAILQ_REMOVE(queue_of(link), link, wait);
	drop_request(link);
	free(link->answer);
	link->answer = NULL;
	link->id = 0;
	link->opening = link->answered = false;
}

int tls_link_end(struct tls_link *link)
{
	/* What was said before the end lies in the channel. */
	while (!link->eof && !link->ended && link->life == life && helper != NULL && receive())
		;
	if (link->ended)
		return link->err;
	if (link->eof)
		return 0;
	snprintf(link->reason, sizeof(link->reason), "sockfs-tls has died");
	return ECONNRESET;
}
