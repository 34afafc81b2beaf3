/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples by metric and kind, and what is said of them: medians, quantiles.
 */
#include "config.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"

const char *const kind_name[NR_KINDS] = { "plain", "sockfs", "floor",	 "socat",   "tmpfs",
					  "slab",  "glibc",  "jemalloc", "mimalloc", "openssl", "curl" };

static void *must(void *p)
{
	if (p == NULL) {
		perror("bench");
		exit(1);
	}
	return p;
}

const struct series *store_find(const struct store *s, const char *metric, enum kind kind)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->series[i].kind == kind && strcmp(s->series[i].metric, metric) == 0)
			return &s->series[i];
	return NULL;
}

static struct series *series_new(struct store *s, const char *metric, enum kind kind)
{
	struct series *new;

	s->series = must(realloc(s->series, (s->nr + 1) * sizeof(*s->series)));
	new = &s->series[s->nr++];
	snprintf(new->metric, sizeof(new->metric), "%s", metric);
	new->kind = kind;
	new->sample = must(calloc((size_t)s->rounds, sizeof(double)));
	for (int i = 0; i < s->rounds; i++)
		new->sample[i] = NAN;
	return new;
}

void store_add(struct store *s, int round, enum kind kind, double value, const char *fmt, ...)
{
	const struct series *series;
	char metric[40];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(metric, sizeof(metric), fmt, ap);
	va_end(ap);
	series = store_find(s, metric, kind);
	if (series == NULL)
		series = series_new(s, metric, kind);
	series->sample[round] = value;
}

void store_free(struct store *s)
{
	for (size_t i = 0; i < s->nr; i++)
		free(s->series[i].sample);
	free(s->series);
	s->series = NULL;
	s->nr = 0;
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct summary summarize(const double *value, int n)
{
	double *sorted = must(malloc((size_t)(n > 0 ? n : 1) * sizeof(*sorted)));
	struct summary sum = { .n = 0 };

	for (int i = 0; i < n; i++)
		if (!isnan(value[i]))
			sorted[sum.n++] = value[i];
	qsort(sorted, (size_t)sum.n, sizeof(*sorted), compare_double);
	if (sum.n > 0) {
		sum.min = sorted[0];
		sum.max = sorted[sum.n - 1];
		sum.median = (sorted[sum.n / 2] + sorted[(sum.n - 1) / 2]) / 2;
	}
	free(sorted);
	return sum;
}

double store_median(const struct store *s, const char *metric, enum kind kind)
{
	const struct series *series = store_find(s, metric, kind);
	struct summary sum = { .n = 0 };

	if (series != NULL)
		sum = summarize(series->sample, s->rounds);
	return sum.n > 0 ? sum.median : (double)NAN;
}

/* ------------------------------------------------------------------ latencies */

void latencies_add(struct latencies *l, uint64_t ns)
{
	if (l->nr == l->room) {
		l->room = l->room > 0 ? 2 * l->room : 4096;
		l->ns = must(realloc(l->ns, l->room * sizeof(*l->ns)));
	}
	l->ns[l->nr++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static int compare_ns(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

double latencies_quantile(struct latencies *l, double share)
{
	size_t at = (size_t)(share * (double)l->nr);

	if (l->nr == 0)
		return NAN;
	qsort(l->ns, l->nr, sizeof(*l->ns), compare_ns);
	return (double)l->ns[at < l->nr ? at : l->nr - 1] / 1000.0;
}

void latencies_free(struct latencies *l)
{
	free(l->ns);
	*l = (struct latencies){ .ns = NULL };
}
