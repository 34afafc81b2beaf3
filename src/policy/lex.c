/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes to words.
 */
#include "config.h"

#include "policy/lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool lex_fail(struct lexer *lex, const char *fmt, ...)
{
	va_list ap;

	if (lex->error.reason[0] != '\0')
		return false;
	lex->error.line = lex->token.line;
	lex->error.column = lex->token.column;
	va_start(ap, fmt);
	vsnprintf(lex->error.reason, sizeof(lex->error.reason), fmt, ap);
	va_end(ap);
	return false;
}

/* How many bytes end a line at @s: "\n" or "\r\n". */
static size_t line_end(const struct lexer *lex, const char *s)
{
	if (s < lex->end && *s == '\n')
		return 1;
	return lex->end - s >= 2 && s[0] == '\r' && s[1] == '\n' ? 2 : 0;
}

static void next_line(struct lexer *lex, size_t len)
{
	lex->at += len;
	lex->line++;
	lex->line_start = lex->at;
}

/* Blanks, joined lines and a comment. */
static void skip(struct lexer *lex)
{
	while (lex->at < lex->end) {
		size_t len = *lex->at == '\\' ? line_end(lex, lex->at + 1) : 0;

		if (len != 0)
			next_line(lex, 1 + len);
		else if (*lex->at == ' ' || *lex->at == '\t')
			lex->at++;
		else
			break;
	}
	if (lex->at < lex->end && *lex->at == '#')
		while (lex->at < lex->end && line_end(lex, lex->at) == 0)
			lex->at++;
}

static bool is_word(char c)
{
	return c > ' ' && c < 0x7f && c != ',' && c != '#' && c != '\\';
}

void lex_next(struct lexer *lex)
{
	struct token *t = &lex->token;
	size_t len;

	skip(lex);
	t->line = lex->line;
	t->column = (unsigned int)(lex->at - lex->line_start) + 1;
	t->text = lex->at;
	t->len = 0;
	if (lex->at == lex->end) {
		/* A last line without a newline is a line. */
		t->kind = t->kind == TOKEN_WORD || t->kind == TOKEN_COMMA ? TOKEN_EOL : TOKEN_END;
		return;
	}
	len = line_end(lex, lex->at);
	if (len != 0) {
		t->kind = TOKEN_EOL;
		next_line(lex, len);
	} else if (*lex->at == ',') {
		t->kind = TOKEN_COMMA;
		t->len = 1;
		lex->at++;
	} else if (is_word(*lex->at)) {
		t->kind = TOKEN_WORD;
		while (lex->at < lex->end && is_word(*lex->at))
			lex->at++;
		t->len = (size_t)(lex->at - t->text);
	} else {
		t->kind = TOKEN_BAD;
		if (*lex->at == '\\')
			(void)lex_fail(lex, "a backslash joins lines only at the end of one");
		else if ((unsigned char)*lex->at >= 0x80)
			(void)lex_fail(lex, "not ASCII: write such a name as xn--...");
		else
			(void)lex_fail(lex, "a control character (\\%03o)", (unsigned char)*lex->at);
	}
}

void lex_init(struct lexer *lex, const char *text, size_t size)
{
	*lex = (struct lexer){
		.text = text,
		.end = text + size,
		.at = text,
		.line = 1,
		.line_start = text,
		.token.kind = TOKEN_EOL,
	};
	lex_next(lex);
}

bool lex_is(const struct lexer *lex, const char *word)
{
	return lex->token.kind == TOKEN_WORD && strlen(word) == lex->token.len &&
	       memcmp(lex->token.text, word, lex->token.len) == 0;
}
