/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages between the daemon and sockfs-tls: whatever is not whole is refused. */
#include "config.h"

#include "uapi/tls.h"

#include <errno.h>
#include <stdio.h>

#include "lib/util.h"
#include "unit.h"

static struct tls_msg msg;

static void make_open(void)
{
	tls_msg_init(&msg, TLS_MSG_OPEN, 77);
	msg.open.kind = TLS_SERVER;
	msg.open.flags = TLS_OPEN_VERIFY;
	ck_assert_int_eq(tls_msg_add(&msg, "localhost"), 0);
	ck_assert_int_eq(tls_msg_add(&msg, NULL), 0);
	ck_assert_int_eq(tls_msg_add(&msg, "/etc/cert.pem"), 0);
	ck_assert_int_eq(tls_msg_add(&msg, ""), 0);
	ck_assert_int_eq(tls_msg_add(&msg, "h2"), 0);
}

START_TEST(what_goes_in_comes_out)
{
	make_open();
	ck_assert_int_eq(tls_msg_check(&msg, msg.head.len), 0);
	ck_assert_uint_eq(msg.head.id, 77);
	ck_assert_str_eq(tls_msg_text(&msg, TLS_OPEN_NAME), "localhost");
	ck_assert_str_eq(tls_msg_text(&msg, TLS_OPEN_CA), "");
	ck_assert_str_eq(tls_msg_text(&msg, TLS_OPEN_CERT), "/etc/cert.pem");
	ck_assert_str_eq(tls_msg_text(&msg, TLS_OPEN_KEY), "");
	ck_assert_str_eq(tls_msg_text(&msg, TLS_OPEN_ALPN), "h2");
}
END_TEST

START_TEST(each_type_wants_its_strings)
{
	static const unsigned int texts[] = {
		[TLS_MSG_HELLO] = TLS_HELLO_TEXTS,
		[TLS_MSG_OPEN] = TLS_OPEN_TEXTS,
		[TLS_MSG_OPENED] = TLS_OPENED_TEXTS,
		[TLS_MSG_EOF] = TLS_EOF_TEXTS,
		[TLS_MSG_END] = TLS_END_TEXTS,
	};

	for (unsigned int type = TLS_MSG_HELLO; type < ARRAY_SIZE(texts); type++) {
		tls_msg_init(&msg, type, 0);
		if (type == TLS_MSG_OPEN)
			msg.open.kind = TLS_CLIENT;
		for (unsigned int i = 0; i < texts[type]; i++) {
			ck_assert_int_eq(tls_msg_check(&msg, msg.head.len), -EPROTO);
			tls_msg_add_cut(&msg, "x");
		}
		ck_assert_int_eq(tls_msg_check(&msg, msg.head.len), 0);
		tls_msg_add_cut(&msg, "x");
		ck_assert_int_eq(tls_msg_check(&msg, msg.head.len), -EPROTO);
	}
}
END_TEST

START_TEST(no_part_of_a_message_is_one)
{
	make_open();
	for (size_t len = 0; len < msg.head.len; len++)
		ck_assert_int_eq(tls_msg_check(&msg, len), -EPROTO);
	for (uint32_t len = 0; len < msg.head.len; len++) {
		uint32_t whole = msg.head.len;

		msg.head.len = len;
		ck_assert_int_eq(tls_msg_check(&msg, len), -EPROTO);
		msg.head.len = whole;
	}
	ck_assert_int_eq(tls_msg_check(&msg, msg.head.len + 1), -EPROTO);
}
END_TEST

START_TEST(numbers_have_their_limits)
{
	make_open();
	msg.open.kind = 0;
	ck_assert_int_eq(tls_msg_check(&msg, msg.head.len), -EPROTO);
	msg.open.kind = TLS_SERVER + 1;
	ck_assert_int_eq(tls_msg_check(&msg, msg.head.len), -EPROTO);
	make_open();
	msg.open.flags = TLS_OPEN_FLAGS + 1;
	ck_assert_int_eq(tls_msg_check(&msg, msg.head.len), -EPROTO);
	make_open();
	msg.open.nr_groups = TLS_GROUPS_MAX + 1;
	ck_assert_int_eq(tls_msg_check(&msg, msg.head.len), -EPROTO);
	make_open();
	msg.open.min_version = 0x10303;
	ck_assert_int_eq(tls_msg_check(&msg, msg.head.len), -EPROTO);
	make_open();
	msg.head.type = TLS_MSG_END + 1;
	ck_assert_int_eq(tls_msg_check(&msg, msg.head.len), -EPROTO);
	msg.head.type = 0;
	ck_assert_int_eq(tls_msg_check(&msg, msg.head.len), -EPROTO);
	make_open();
	msg.head.version++;
	ck_assert_int_eq(tls_msg_check(&msg, msg.head.len), -EPROTONOSUPPORT);
}
END_TEST

START_TEST(what_has_no_room_is_refused_or_cut)
{
	static char text[TLS_MSG_MAX];
	uint32_t len;

	memset(text, 'x', sizeof(text) - 1);
	tls_msg_init(&msg, TLS_MSG_OPEN, 1);
	msg.open.kind = TLS_CLIENT;
	len = msg.head.len;
	ck_assert_int_eq(tls_msg_add(&msg, text), -EMSGSIZE);
	ck_assert_uint_eq(msg.head.len, len);
	/* To the last byte, and not one more. */
	text[TLS_MSG_MAX - len - 1] = '\0';
	ck_assert_int_eq(tls_msg_add(&msg, text), 0);
	ck_assert_uint_eq(msg.head.len, TLS_MSG_MAX);
	ck_assert_int_eq(tls_msg_add(&msg, ""), -EMSGSIZE);

	memset(text, 'x', sizeof(text) - 1);
	tls_msg_init(&msg, TLS_MSG_OPENED, 1);
	for (int i = 0; i < TLS_OPENED_TEXTS; i++)
		tls_msg_add_cut(&msg, text);
	ck_assert_int_eq(tls_msg_check(&msg, msg.head.len), 0);
	ck_assert_uint_gt(strlen(tls_msg_text(&msg, TLS_OPENED_ALPN)), 1000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls");
	TCase *tc = tcase_create("messages");

	tcase_add_test(tc, what_goes_in_comes_out);
	tcase_add_test(tc, each_type_wants_its_strings);
	tcase_add_test(tc, no_part_of_a_message_is_one);
	tcase_add_test(tc, numbers_have_their_limits);
	tcase_add_test(tc, what_has_no_room_is_refused_or_cut);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
