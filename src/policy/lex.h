/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a policy file, with the places where they stand.
 *
 * Blanks part words; a comma is a word of its own; # and what follows it on the line is
 * a comment; a backslash at the end of a line joins the next one to it.
 */
#ifndef POLICY_LEX_H
#define POLICY_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/util.h"

enum token_kind {
	TOKEN_WORD,
	TOKEN_COMMA,
	TOKEN_EOL, /* the end of a line that is not continued, or of the text */
	TOKEN_END,
	TOKEN_BAD, /* lexer.error says why */
};

struct token {
	enum token_kind kind;
	unsigned int line, column; /* from 1, bytes */
	const char *text;	   /* not terminated */
	size_t len;
};

struct policy_error {
	unsigned int line, column; /* from 1; 0: of no line */
	char reason[128];
};

struct lexer {
	const char *text, *end, *at;
	unsigned int line;
	const char *line_start;
	struct token token; /* the one that was read last */
	struct policy_error error;
};

/* @text stays the caller's and must stay. The first token has been read. */
void lex_init(struct lexer *lex, const char *text, size_t size);
/* Read the next token. At the end of the text TOKEN_END, again and again. */
void lex_next(struct lexer *lex);
/* Is the token the word @word? */
bool lex_is(const struct lexer *lex, const char *word);
/* Say what is wrong at the token, if nothing was said yet. Returns false. */
bool lex_fail(struct lexer *lex, const char *fmt, ...) __printf(2, 3);

#endif /* POLICY_LEX_H */
