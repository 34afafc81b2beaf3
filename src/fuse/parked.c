/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parked requests in the ledger: each keeps its message there, as it came from the kernel,
 * and how far it is done. So whoever serves next takes it up as if it had just come.
 *
 * A short message lies in the slot, a longer one in cells of text, and one whose data is kept
 * in its receive buffer stays there (iocb.c); the buffer is the slot's then.
 */
#include "config.h"

#include "fuse/fuse_i.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>

/* The kernel gives no such number to a request. */
#define NO_ANSWER (UINT64_C(1) << 63)

static struct slots {
	uint32_t *free; /* a stack of numbers, as all of these are one more than the record's */
	size_t nr_free, room_free;
	uint32_t *released; /* in this transaction */
	size_t nr_released, room_released;
} slots;

struct ledger_slot *slot_at(uint32_t slot)
{
	return ledger_at(LEDGER_SLOTS, slot - 1);
}

static bool push(uint32_t **stack, size_t *nr, size_t *room, uint32_t slot)
{
	if (*nr == *room) {
		size_t more = *room != 0 ? *room * 2 : 64;
		uint32_t *p = realloc(*stack, more * sizeof(*p));

		if (p == NULL)
			return false;
		*stack = p;
		*room = more;
	}
	(*stack)[(*nr)++] = slot;
	return true;
}

uint64_t *slot_done(uint32_t slot)
{
	return &slot_at(slot)->done;
}

/* ------------------------------------------------------------------------- taking */

/* One that nobody has, with room for its release; 0: no memory. */
static uint32_t slot_new(void)
{
	uint32_t slot = slots.nr_free > 0 ? slots.free[slots.nr_free - 1]
					  : ledger->nr[LEDGER_SLOTS] + 1;

	if (ledger_use(LEDGER_SLOTS, slot - 1) != 0)
		return 0;
	if (slots.nr_free > 0)
		slots.nr_free--;
	return slot;
}

/*
 * Of a write that is cut (iocb.c: iocb_keep_data) so much is kept that the caller gets the
 * same short answer.
 */
static uint32_t cut_message(const struct fuse_iocb *io, char *message)
{
	struct fuse_in_header *in = (struct fuse_in_header *)message;
	struct fuse_write_in *w = (struct fuse_write_in *)(in + 1);
	uint32_t head = sizeof(*in) + sizeof(*w);
	uint32_t left = (uint32_t)(io->kiocb.ki_done + io->kiocb.ki_iter.count);

	if (io->has_data && in->opcode == FUSE_WRITE && left < w->size) {
		w->size = left;
		in->len = head + left;
	}
	return in->len;
}

/* The message into the slot. False: no memory. */
static bool keep_message(struct fuse_iocb *io, struct ledger_slot *s)
{
	bool buffer = io->mem_kind == IOCB_MEM_RECEIVE;
	char *message = buffer ? io->mem : io->session->buf;

	s->len = cut_message(io, message);
	s->buf = buffer ? ledger_number(LEDGER_BUFS, message) + 1 : 0;
	s->text = 0;
	if (buffer)
		return true;
	if (s->len > sizeof(s->message)) {
		s->text = text_write(message, s->len);
		return s->text != 0;
	}
	memcpy(s->message, message, s->len);
	return true;
}

int slot_take(struct fuse_iocb *io)
{
	struct ledger_slot *s;
	uint32_t slot;

	/* One that waits again keeps its place. */
	if (!journal_is_on() || io->kiocb.ki_slot != 0)
		return 0;
	slot = slot_new();
	if (slot == 0)
		return -ENOMEM;
	s = slot_at(slot);
	s->unique = 0;
	if (!keep_message(io, s)) {
		ledger_unuse(LEDGER_SLOTS, slot - 1);
		(void)push(&slots.free, &slots.nr_free, &slots.room_free, slot);
		return -ENOMEM;
	}
	s->seq = ledger->next_seq++;
	s->done = io->kiocb.ki_progress;
	s->tries = 0;
	journal_write(&s->unique, &io->unique, sizeof(s->unique));
	io->kiocb.ki_slot = slot;
	io->kiocb.ki_kept = &s->done;
	return 0;
}

uint32_t slot_take_message(const char *message)
{
	const struct fuse_in_header *in = (const struct fuse_in_header *)message;
	uint32_t slot = journal_is_on() ? slot_new() : 0;
	struct ledger_slot *s;
	uint64_t unique;

	if (slot == 0)
		return 0;
	s = slot_at(slot);
	*s = (struct ledger_slot){.seq = ledger->next_seq++,
				  .len = in->len,
				  .buf = ledger_number(LEDGER_BUFS, message) + 1};
	unique = NO_ANSWER | s->seq;
	journal_write(&s->unique, &unique, sizeof(unique));
	return slot;
}

void slot_progress(uint32_t slot, uint64_t done)
{
	if (slot != 0)
		journal_write(slot_done(slot), &done, sizeof(done));
}

/* ---------------------------------------------------------------------- giving back */

void slot_release(struct sockfs_session *s, uint32_t slot)
{
	const uint64_t none = 0;

	(void)s;
	if (slot == 0 || !journal_is_on())
		return;
	journal_write(&slot_at(slot)->unique, &none, sizeof(none));
	/* Without memory the place is lost until somebody else serves. */
	(void)push(&slots.released, &slots.nr_released, &slots.room_released, slot);
}

void slots_released(struct sockfs_session *s)
{
	while (slots.nr_released > 0) {
		uint32_t slot = slots.released[--slots.nr_released];
		struct ledger_slot *ls = slot_at(slot);

		text_free(ls->text);
		if (ls->buf != 0)
			session_put_buf(s, ledger_at(LEDGER_BUFS, ls->buf - 1));
		ledger_unuse(LEDGER_SLOTS, slot - 1);
		(void)push(&slots.free, &slots.nr_free, &slots.room_free, slot);
	}
}

void slots_forget(void)
{
	free(slots.free);
	free(slots.released);
	slots = (struct slots){.free = NULL};
}

/* --------------------------------------------------------------------- in a successor */

static uint32_t nr_slots(void)
{
	return min(ledger->nr[LEDGER_SLOTS], ledger_max(LEDGER_SLOTS));
}

/* Can it be one? Else the request is lost, and the kernel is told so. */
static bool slot_is_sane(const struct ledger_slot *s)
{
	if (s->len < sizeof(struct fuse_in_header) || s->len > SESSION_BUF_SIZE)
		return false;
	if (s->seq == UINT64_MAX)
		return false;
	if (s->buf != 0)
		return s->buf <= min(ledger->nr[LEDGER_BUFS], ledger_max(LEDGER_BUFS)) && s->buf != 2;
	if (s->text == 0)
		return s->len <= sizeof(s->message);
	/* With more to be done it would have kept its buffer (iocb_data_mem). */
	return s->len - min(s->done, (uint64_t)s->len) <=
		       sizeof(struct fuse_in_header) + sizeof(struct fuse_write_in) + IOCB_COPY_MAX &&
	       text_len(s->text) == s->len;
}

/* Where its message lies is its own from here on: not another's, nor that of the message in work. */
static bool slot_claim(struct ledger_slot *s, bool *taken)
{
	if (!slot_is_sane(s))
		return false;
	if (s->buf == 0)
		return s->text == 0 || text_claim(s->text);
	s->text = 0;
	if (taken[s->buf - 1] || s->buf - 1 == ledger->buf)
		return false;
	taken[s->buf - 1] = true;
	return true;
}

uint32_t slot_find(uint64_t unique)
{
	for (uint32_t slot = 1; slot <= nr_slots(); slot++)
		if (slot_at(slot)->unique == unique)
			return slot;
	return 0;
}

int slots_claim(struct sockfs_session *s, void (*lost)(struct sockfs_session *s, uint64_t unique))
{
	bool *taken = calloc(ledger_max(LEDGER_BUFS), sizeof(*taken));
	int err;

	if (taken == NULL)
		return -ENOMEM;
	for (uint32_t slot = 1; slot <= nr_slots(); slot++) {
		struct ledger_slot *ls = slot_at(slot);

		if (ls->unique != 0 && !slot_claim(ls, taken)) {
			lost(s, ls->unique);
			ls->unique = 0;
		}
		if (ls->unique == 0) {
			(void)push(&slots.free, &slots.nr_free, &slots.room_free, slot);
			continue;
		}
		if (ledger_use(LEDGER_SLOTS, slot - 1) != 0) {
			free(taken);
			return -ENOMEM;
		}
		/* Else it would be taken for one that has been parked since. */
		ledger->next_seq = max(ledger->next_seq, ls->seq + 1);
	}
	err = session_claim_bufs(s, taken);
	free(taken);
	return err;
}

static int by_age(const void *a, const void *b)
{
	uint64_t x = slot_at(*(const uint32_t *)a)->seq, y = slot_at(*(const uint32_t *)b)->seq;

	return x < y ? -1 : x > y;
}

uint32_t *slots_by_age(void)
{
	uint32_t *order = calloc(nr_slots() + 1u, sizeof(*order)), n = 0;

	for (uint32_t slot = 1; order != NULL && slot <= nr_slots(); slot++)
		if (slot_at(slot)->unique != 0)
			order[n++] = slot;
	if (order != NULL)
		qsort(order, n, sizeof(*order), by_age);
	return order;
}
