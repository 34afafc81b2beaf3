/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transactions of the ledger: see journal.h. */
#include "config.h"

#include "journal/journal.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/* One change: where, how much, and what. */
struct redo {
	uint64_t offset;
	uint32_t len;
	uint32_t pad;
	char bytes[];
};

/* What is left for the end of a request when it is called full. */
#define ENOUGH (64u << 10)

/* The compiler must not move a store across it; the processor's order is no matter on one machine. */
static void barrier(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

/* --------------------------------------------------------------------- transactions */

void journal_write(void *at, const void *bytes, size_t len)
{
	size_t size = ALIGN_UP(sizeof(struct redo) + len, (size_t)8);
	struct redo *r;

	if (!journal_is_on())
		return;
	/* It cannot be noted: then it is done. Nobody notes so much at once. */
	if (ledger->redo_len + size > sizeof(ledger->redo)) {
		memcpy(at, bytes, len);
		return;
	}
	r = (struct redo *)(ledger->redo + ledger->redo_len);
	r->offset = (uint64_t)((char *)at - (char *)ledger);
	r->len = (uint32_t)len;
	memcpy(r->bytes, bytes, len);
	ledger->redo_len += (uint32_t)size;
}

bool journal_has_begun(void)
{
	return journal_is_on() && (ledger->redo_len != 0 || ledger->answers_len != 0);
}

bool journal_is_full(void)
{
	return journal_is_on() && (ledger->redo_len + ENOUGH > sizeof(ledger->redo) ||
				   ledger->answers_len + ENOUGH > sizeof(ledger->answers));
}

struct journal_answer *journal_answer(size_t len)
{
	size_t size = ALIGN_UP(sizeof(struct journal_answer) + len, (size_t)8);
	struct journal_answer *a;

	if (ledger->answers_len + size > sizeof(ledger->answers))
		return NULL;
	a = (struct journal_answer *)(ledger->answers + ledger->answers_len);
	*a = (struct journal_answer){.len = (uint32_t)len};
	ledger->answers_len += (uint32_t)size;
	return a;
}

struct journal_answer *journal_next_answer(const struct journal_answer *answer)
{
	size_t pos = 0;

	if (answer != NULL)
		pos = (size_t)((const char *)answer - ledger->answers) +
		      ALIGN_UP(sizeof(*answer) + answer->len, (size_t)8);
	if (pos + sizeof(*answer) > ledger->answers_len)
		return NULL;
	answer = (const struct journal_answer *)(ledger->answers + pos);
	return answer->len <= ledger->answers_len - pos - sizeof(*answer)
		       ? (struct journal_answer *)(ledger->answers + pos)
		       : NULL;
}

/* Any number of times: the same bytes to the same places. */
static void apply(void)
{
	const struct redo *r;

	for (size_t pos = 0; pos + sizeof(*r) <= ledger->redo_len;
	     pos += ALIGN_UP(sizeof(*r) + r->len, (size_t)8)) {
		r = (const struct redo *)(ledger->redo + pos);
		if (r->len > ledger->redo_len - pos - sizeof(*r) || r->offset > ledger_size() ||
		    r->len > ledger_size() - r->offset)
			return;
		memcpy((char *)ledger + r->offset, r->bytes, r->len);
	}
}

void journal_seal(void)
{
	barrier();
	ledger->sealed = 1;
	barrier();
	apply();
	barrier();
}

void journal_end(void)
{
	barrier();
	ledger->sealed = 0;
	barrier();
	ledger->redo_len = 0;
	ledger->answers_len = 0;
}

bool journal_replay(void)
{
	if (!ledger->sealed) {
		journal_end();
		return false;
	}
	if (ledger->redo_len > sizeof(ledger->redo))
		ledger->redo_len = sizeof(ledger->redo);
	if (ledger->answers_len > sizeof(ledger->answers))
		ledger->answers_len = sizeof(ledger->answers);
	apply();
	return true;
}

/* ------------------------------------------------------------------------ transfers */

static void transfer_begin(struct ledger_transfer *t, const void *buf, size_t len,
			   uint64_t unique, uint64_t base)
{
	t->iov = (struct iovec){.iov_base = (void *)buf, .iov_len = len};
	t->msg.msg_hdr = (struct msghdr){.msg_iov = &t->iov, .msg_iovlen = 1};
	t->msg.msg_len = 0;
	t->base = base;
	t->piped = 0;
	barrier();
	t->unique = unique;
	barrier();
}

static void transfer_end(struct ledger_transfer *t)
{
	barrier();
	t->unique = 0;
	barrier();
}

ssize_t journal_recv(int fd, void *buf, size_t len, uint64_t unique)
{
	struct ledger_transfer *t;

	if (unique == 0 || !journal_is_on())
		return recv(fd, buf, len, MSG_DONTWAIT);
	t = &ledger->in;
	transfer_begin(t, buf, len, unique, 0);
	if (recvmmsg(fd, &t->msg, 1, MSG_DONTWAIT, NULL) != 1) {
		transfer_end(t);
		return -1;
	}
	if (t->msg.msg_len == 0)
		transfer_end(t);
	return (ssize_t)t->msg.msg_len;
}

ssize_t journal_send(int fd, const void *buf, size_t len, uint64_t unique, uint64_t base)
{
	struct ledger_transfer *t;

	if (unique == 0 || !journal_is_on())
		return send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	t = &ledger->out;
	transfer_begin(t, buf, len, unique, base);
	if (sendmmsg(fd, &t->msg, 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1) {
		transfer_end(t);
		return -1;
	}
	return (ssize_t)t->msg.msg_len;
}

void journal_pipe(uint64_t unique)
{
	if (unique == 0 || !journal_is_on())
		return;
	transfer_begin(&ledger->in, NULL, 0, 0, 0);
	ledger->in.piped = 1;
	barrier();
	ledger->in.unique = unique;
	barrier();
}

bool journal_has_received(uint64_t unique)
{
	return journal_is_on() && unique != 0 && ledger->in.unique == unique;
}

void journal_received(void)
{
	if (ledger != NULL)
		transfer_end(&ledger->in);
}

void journal_sent(void)
{
	if (ledger != NULL)
		transfer_end(&ledger->out);
}

/* ------------------------------------------------------------------------- in work */

uint32_t journal_work_on(uint32_t slot)
{
	uint32_t before;

	if (!journal_is_on())
		return 0;
	before = ledger->slot_in_work;
	ledger->slot_in_work = slot;
	barrier();
	return before;
}
