/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links: the connections that a helper has, or is about to have.
 *
 * Happy path: a request goes into the channel with two descriptors; its answer, and later
 * the news of the connection, are put into the link that has its number.
 *
 * Failure modes: the channel is full (nothing here ever waits for the helper: requests stand
 * in a queue until the loop tells of room); the helper is lost (on_lost).
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "journal/ledger.h"
#include "lib/scm.h"
#include "mm/idtable.h"
#include "net/tls/tls_helper_i.h"

#define TURN_MAX 32 /* requests at once; other files wait meanwhile */

TAILQ_HEAD(link_queue, tls_link);

static uv_loop_t *link_loop;
static struct idtable links;
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
		uv_idle_init(link_loop, &delivery);
	uv_idle_start(&delivery, on_delivery);
}

/* Those that wait for an answer have it now, and of the present one those that were not sent. */
static void on_lost(uint32_t life, bool was_present)
{
	struct tls_link *link, *next;

	for (link = TAILQ_FIRST(&waiting); link != NULL; link = next) {
		next = TAILQ_NEXT(link, wait);
		if (link->life == life)
			answer(link, NULL);
	}
	while (was_present && !TAILQ_EMPTY(&unsent))
		answer(TAILQ_FIRST(&unsent), NULL);
}

/* --------------------------------------------------------------------------- messages */

static void said(struct tls_link *link)
{
	if (link->on_said != NULL)
		link->on_said(link);
}

static void on_message(const struct tls_msg *msg)
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

/* The request and both descriptors (-1: none), in one packet or not at all. */
static int send_open(const struct tls_msg *msg, int net_fd, int file_fd)
{
	const int fds[] = {net_fd, file_fd};

	return scm_send(present_helper->channel_fd, msg, msg->head.len, fds,
			file_fd >= 0 ? ARRAY_SIZE(fds) : 0, MSG_DONTWAIT);
}

/* Is there no room now, or are too many descriptors under way (unix(7))? */
static bool is_full(int err)
{
	return err == -EAGAIN || err == -ETOOMANYREFS || err == -EINTR || err == -ENOBUFS;
}

static void on_room(void)
{
	struct tls_link *link;

	for (int i = 0; i < TURN_MAX && (link = TAILQ_FIRST(&unsent)) != NULL; i++) {
		int err = send_open(link->request, link->net_fd, link->far_fd);

		if (is_full(err))
			return;
		if (err == -EPIPE || err == -ECONNRESET) {
			helper_drain(present_helper);
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
		helper_watch(false);
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
		helper_watch(true);
	return 0;
}

/* To the present helper, or to a new one where it has just died. @far_fd is the callee's. */
static int request(struct tls_link *link, const struct tls_msg *msg, int net_fd, int far_fd)
{
	int err = helper_get();

	if (err == 0)
		err = TAILQ_EMPTY(&unsent) ? send_open(msg, net_fd, far_fd) : -EAGAIN;
	if (err == -EPIPE || err == -ECONNRESET) {
		helper_drain(present_helper);
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
		ledger->helper_generation = links.generation;
	msg->head.id = link->id;
	link->life = 0;
	link->eof = link->ended = link->opening = link->answered = false;
	link->request = link->answer = NULL;
	link->err = 0;
	link->reason[0] = '\0';
	err = request(link, msg, net_fd, far_fd);
	if (err != 0) {
		tls_link_close(link);
		return err;
	}
	link->life = present_helper->life;
	link->opening = true;
	present_helper->nr_links++;
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
	struct helper *h;

	if (err != 0)
		return err;
	link->id = id;
	link->life = in_life;
	h = helper_of(link->life);
	if (h != NULL)
		h->nr_links++;
	return 0;
}

/* The last one of a helper of an earlier program takes that with it. */
static void leave_helper(struct tls_link *link)
{
	struct helper *h = helper_of(link->life);

	link->life = 0;
	if (h != NULL && --h->nr_links == 0 && h != present_helper)
		helper_lose(h);
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
	leave_helper(link);
}

static int died(struct tls_link *link)
{
	snprintf(link->reason, sizeof(link->reason), "sockfs-tls has died");
	return ECONNRESET;
}

int tls_link_end(struct tls_link *link)
{
	struct helper *h = helper_of(link->life);

	/* What was said before the end lies in the channel. */
	while (!link->eof && !link->ended && h != NULL && !h->lost && helper_receive(h))
		;
	if (link->ended)
		return link->err;
	return link->eof ? 0 : died(link);
}

int tls_link_over(struct tls_link *link)
{
	struct helper *h = helper_of(link->life);

	while (!link->ended && h != NULL && !h->lost && helper_receive(h))
		;
	if (link->ended)
		return link->err;
	return h == NULL || h->lost ? died(link) : 0;
}

/* ---------------------------------------------------------------- all of them */

static const struct helper_users told = {
	.message = on_message,
	.room = on_room,
	.lost = on_lost,
};

int tls_helper_init(uv_loop_t *loop, const char *path)
{
	int err = idtable_init(&links, 0);

	if (err != 0)
		return err;
	link_loop = loop;
	if (ledger != NULL)
		idtable_resume(&links, ledger->helper_generation);
	helper_init(loop, path, &told);
	return 0;
}

void tls_helper_stop(void)
{
	helper_stop();
	if (delivery.loop != NULL)
		uv_close((uv_handle_t *)&delivery, NULL);
	delivery.loop = NULL;
}

void tls_helper_exit(void)
{
	idtable_fini(&links);
}
