/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/self/mountinfo: see mountinfo.h. */
#include "config.h"

#include "lib/mountinfo.h"

#include <stdlib.h>
#include <string.h>

/* "\ooo" stands for blanks, tabs, newlines and backslashes. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; to++) {
		unsigned int c;

		if (*from == '\\' && sscanf(from + 1, "%3o", &c) == 1) {
			*to = (char)c;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* Behind the number at *s and @end, which ends it. */
static bool take_number(char **s, char end, unsigned int *ret)
{
	*ret = (unsigned int)strtoul(*s, s, 10);
	return *(*s)++ == end;
}

/* "id parent major:minor root place options [more]... - type source options". */
bool mountinfo_parse(char *line, struct mountinfo *ret)
{
	char *s = line, *place, *type;

	if (!take_number(&s, ' ', &ret->id) || !take_number(&s, ' ', &ret->parent) ||
	    !take_number(&s, ':', &ret->major) || !take_number(&s, ' ', &ret->minor))
		return false;
	/* Only blanks part the fields: a path may have any other byte. */
	place = strchr(s, ' ');
	type = place != NULL ? strstr(place, " - ") : NULL;
	if (type == NULL || *++place != '/')
		return false;
	place[strcspn(place, " ")] = '\0';
	unescape(place);
	ret->place = place;
	type += strlen(" - ");
	type[strcspn(type, " \n")] = '\0';
	ret->type = type;
	return true;
}

bool mountinfo_next(FILE *f, char **line, size_t *size, struct mountinfo *ret)
{
	while (getline(line, size, f) >= 0)
		if (mountinfo_parse(*line, ret))
			return true;
	return false;
}
