/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes (tls_helper.c), for those who have links to them (tls_link.c). */
#ifndef NET_TLS_TLS_HELPER_I_H
#define NET_TLS_TLS_HELPER_I_H

#include <sys/types.h>

#include "net/tls/tls_helper.h"

/*
 * A helper. It is ours until its process has been waited for, a while after the channel's end.
 * One that a dead process has started is nobody's to wait for but init's (1).
 */
struct helper {
	LIST_ENTRY(helper) node;
	uv_poll_t channel, process; /* the process: by its pidfd; only of one that we have started */
	int channel_fd, pidfd;
	pid_t pid;
	uint32_t life; /* they are counted */
	bool lost;     /* the channel has ended */
	size_t nr_links;
	unsigned int handles;	      /* that libuv knows */
	struct ledger_helper *record; /* NULL: it will not outlive us */
};

/* Who is told. */
struct helper_users {
	/* A message has come, which has been checked. */
	void (*message)(const struct tls_msg *msg);
	/* There is room in the present one's channel. */
	void (*room)(void);
	/* One has been lost, maybe the present one. Nothing comes from it any more. */
	void (*lost)(uint32_t life, bool was_present);
};

extern struct helper *present_helper; /* the one for new links; NULL: none */

/* As tls_helper_init() and _stop(). */
void helper_init(uv_loop_t *loop, const char *path, const struct helper_users *users);
void helper_stop(void);

/* Have one. 0 or -errno, as tls_link_open(). */
int helper_get(void);
/* That of a link's life; NULL: it is lost. */
struct helper *helper_of(uint32_t in_life);
/* Its channel ends, here or there: users are told. */
void helper_lose(struct helper *h);
/* ... and there is nobody at the other end: what it has said before is heard first. */
void helper_drain(struct helper *h);
/* Take one message of @h, which is not lost: false when there is none now, or never again. */
bool helper_receive(struct helper *h);
/* Tell of room in the present one's channel, or not. */
void helper_watch(bool for_room);

#endif /* NET_TLS_TLS_HELPER_I_H */
