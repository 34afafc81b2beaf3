/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The title of a process: see title.h. */
#include "config.h"

#include "super/title.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct {
	char *begin;	  /* of the command line */
	size_t words;	  /* its bytes */
	size_t size;	  /* with the environment behind it */
	char *saved;	  /* all of it, as it was */
	char **environment; /* the copy: setenv(3) leaves it behind, and it is no leak */
	char name[16];
} area;

/* Where the strings of @list, which follow each other from @end on, end. */
static char *strings_end(char *end, char **list)
{
	for (; *list != NULL && *list == end; list++)
		end += strlen(end) + 1;
	return end;
}

/* The environment, elsewhere. The old one stays as it is when there is no memory. */
static int move_environment(void)
{
	size_t n = 0;
	char **copy;

	while (environ[n] != NULL)
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	if (copy == NULL)
		return -1;
	for (size_t i = 0; i < n; i++) {
		copy[i] = strdup(environ[i]);
		if (copy[i] == NULL)
			goto free_copy;
	}
	area.environment = environ = copy;
	return 0;

free_copy:
	for (size_t i = 0; i < n; i++)
		free(copy[i]);
	free(copy);
	return -1;
}

void title_init(int argc, char **argv)
{
	char *end;

	if (argc < 1)
		return;
	prctl(PR_GET_NAME, area.name);
	end = strings_end(argv[0], argv);
	area.words = (size_t)(end - argv[0]);
	area.size = (size_t)(strings_end(end, environ) - argv[0]);
	area.saved = malloc(area.size);
	if (area.saved == NULL)
		return;
	memcpy(area.saved, argv[0], area.size);
	if (move_environment() == 0) {
		area.begin = argv[0];
		return;
	}
	free(area.saved);
	area.saved = NULL;
}

void title_set(const char *name, const char *text)
{
	size_t len = strlen(text);

	if (area.begin == NULL)
		return;
	prctl(PR_SET_NAME, name);
	if (len >= area.size)
		len = area.size - 1;
	memset(area.begin, 0, area.words);
	memcpy(area.begin, text, len);
	/* Within the command line its last byte tells the kernel that it ends there. */
	area.begin[len] = '\0';
}

void title_restore(void)
{
	if (area.begin == NULL)
		return;
	prctl(PR_SET_NAME, area.name);
	memcpy(area.begin, area.saved, area.size);
}
