/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tls_helper.c, the processes, and tls_link.c, what they have, know of each other. */
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

/* tls_helper.c ------------------------------------------------------------ */

extern struct helper *present_helper; /* the one for new links; NULL: none */

/* Have one. 0 or -errno, as tls_link_open(). */
int helper_get(void);
/* That of a link's life; NULL: it is lost. */
struct helper *helper_of(uint32_t in_life);
/* Its channel ends, here or there. Calls links_lost(). */
void helper_lose(struct helper *h);
/* Take one message of @h, which is not lost: false when there is none now, or never again. */
bool helper_receive(struct helper *h);
/* Have links_send() called when the present one's channel has room, or not. */
void helper_watch(bool for_room);

/* tls_link.c -------------------------------------------------------------- */

/* As the tls_helper_ of the same name. */
int links_init(uv_loop_t *loop);
void links_stop(void);
void links_exit(void);
/* A message has come, which has been checked. Calls nobody but on_said. */
void links_take(const struct tls_msg *msg);
/* There is room in the channel. */
void links_send(void);
/* Links of that life that wait for an answer have it now, and if it was the present one those not sent. */
void links_lost(uint32_t life, bool was_present);

#endif /* NET_TLS_TLS_HELPER_I_H */
