/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patterns of paths. fnmatch(3) would do, but for the time that some patterns take it.
 */
#include "config.h"

#include "policy/path.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define BELOW "/**"

/*
 * lib/glob.c: glob_match. Only the last star is gone back to: what an earlier one could take
 * more of, the last one could as well. That holds for paths too, where no star goes past a slash.
 */
static bool glob(const char *p, size_t p_len, const char *s, size_t s_len)
{
	const char *p_end = p + p_len, *s_end = s + s_len, *star = NULL, *from = NULL;
	const char barrier = *s == '@' ? '\0' : '/';

	while (s < s_end) {
		if (p < p_end && *p == '*') {
			star = ++p;
			from = s;
		} else if (p < p_end && (*p == *s || (*p == '?' && *s != barrier))) {
			p++;
			s++;
		} else if (star != NULL && *from != barrier) {
			p = star;
			s = ++from;
		} else {
			return false;
		}
	}
	while (p < p_end && *p == '*')
		p++;
	return p == p_end;
}

/* The slash behind the first @n parts of @path, or its end if it has no more than these. */
static const char *behind_parts(const char *path, size_t n)
{
	const char *s = path;

	for (size_t i = 0; i <= n; i++) {
		s = strchr(i == 0 ? s : s + 1, '/');
		if (s == NULL)
			return path + strlen(path);
	}
	return s;
}

static size_t count_parts(const char *path, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += path[i] == '/';
	return n;
}

static bool is_below(const char *pattern, size_t len)
{
	return pattern[0] == '/' && len >= strlen(BELOW) &&
	       strcmp(pattern + len - strlen(BELOW), BELOW) == 0;
}

bool path_pattern_has(const char *pattern, const char *path)
{
	size_t len = strlen(pattern);
	const char *end;

	if (!is_below(pattern, len))
		return glob(pattern, len, path, strlen(path));
	len -= strlen(BELOW);
	end = behind_parts(path, count_parts(pattern, len));
	return *end == '/' && end[1] != '\0' && glob(pattern, len, path, (size_t)(end - path));
}

bool path_pattern_leads(const char *pattern, const char *dir)
{
	size_t len = strlen(dir);
	const char *end;

	if (pattern[0] != '/' || dir[0] != '/')
		return false;
	end = behind_parts(pattern, count_parts(dir, len));
	if (*end == '/' && glob(pattern, (size_t)(end - pattern), dir, len))
		return true;
	return is_below(pattern, strlen(pattern)) && path_pattern_has(pattern, dir);
}

const char *path_pattern_fault(const char *pattern)
{
	const char *part = pattern, *next;

	if (pattern[0] == '@')
		return pattern[1] != '\0' ? NULL : "a name is missing behind @";
	if (pattern[0] != '/')
		return "a path begins with a slash, a name with @";
	for (; part != NULL; part = next) {
		size_t len = strcspn(++part, "/");

		next = strchr(part, '/');

		if (len == 0)
			return "a path has no empty parts";
		if (strncmp(part, ".", len) == 0 || (len == 2 && strncmp(part, "..", len) == 0))
			return "a path has no parts . and ..";
		if (next != NULL && len == 2 && strncmp(part, "**", len) == 0)
			return "** can only be the last part";
	}
	return NULL;
}

bool path_has_link(const char *path, size_t *ret_len)
{
	char part[PATH_MAX];
	struct stat st;

	for (size_t n = 1; path[0] == '/'; n++) {
		const char *end = behind_parts(path, n);
		size_t len = (size_t)(end - path);

		if (len >= sizeof(part))
			return false;
		memcpy(part, path, len);
		part[len] = '\0';
		if (strpbrk(part, "*?") != NULL || lstat(part, &st) != 0)
			return false;
		if (S_ISLNK(st.st_mode) && st.st_uid == 0) {
			*ret_len = len;
			return true;
		}
		if (*end == '\0')
			return false;
	}
	return false;
}
