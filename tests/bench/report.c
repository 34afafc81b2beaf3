/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run says: the table of ratios with their targets, the JSON with every
 * sample, and the columns that plots.gp draws.
 *
 * A ratio is the median, over the rounds, of the quotient of two samples that
 * were measured one after the other.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/bench/bench.h"
#include "tests/bench/targets.h"

/* ------------------------------------------------------------------------- ratios */

/* The divisor in one round: 1 for an absolute figure. */
static double divisor(const struct store *s, const struct target *t, int round)
{
	const char *metric = t->den_metric != NULL ? t->den_metric : t->metric;
	const struct series *den, *other;
	double value, second;

	if (t->den == NR_KINDS)
		return 1;
	den = store_find(s, metric, t->den);
	value = den != NULL ? den->sample[round] : (double)NAN;
	if (t->or_den == NR_KINDS)
		return value;
	other = store_find(s, metric, t->or_den);
	second = other != NULL ? other->sample[round] : (double)NAN;
	if (t->sum)
		return value + second;
	/* Of two that are measured the slower one is the limit. */
	return isnan(value) || second < value ? second : value;
}

static struct summary ratio_of(const struct store *s, const struct target *t)
{
	const struct series *num = store_find(s, t->metric, t->num);
	struct summary sum = { .n = 0 };
	double *quotient;

	if (num == NULL)
		return sum;
	quotient = malloc((size_t)s->rounds * sizeof(*quotient));
	if (quotient == NULL)
		return sum;
	for (int i = 0; i < s->rounds; i++)
		quotient[i] = num->sample[i] / divisor(s, t, i);
	sum = summarize(quotient, s->rounds);
	free(quotient);
	return sum;
}

static const char *verdict(const struct target *t, const struct summary *sum)
{
	if (t->op == ' ')
		return "";
	if (sum->n == 0)
		return "not measured";
	if (t->op == '>')
		return sum->median >= t->value ? "yes" : "NO";
	return sum->median <= t->value ? "yes" : "NO";
}

/* -------------------------------------------------------------------------- table */

static void print_value(FILE *out, double value)
{
	if (isnan(value))
		fprintf(out, " %10s", "-");
	else
		fprintf(out, " %10.*f", value < 10 ? 3 : value < 1000 ? 1 : 0, value);
}

static void print_target(const struct bench *b, const struct target *t, FILE *out)
{
	struct summary sum = ratio_of(&b->store, t);
	const char *den = t->den_metric != NULL ? t->den_metric : t->metric;
	char target[24] = "";

	if (sum.n == 0 && b->some)
		return;
	if (t->op != ' ')
		snprintf(target, sizeof(target), "%s %g", t->op == '>' ? ">=" : "<=", t->value);
	fprintf(out, "%-44s", t->what);
	if (sum.n == 0)
		fprintf(out, "%8s %17s", "-", "");
	else
		fprintf(out, "%8.3f %8.3f-%-8.3f", sum.median, sum.min, sum.max);
	fprintf(out, " %-8s %-4s", target, verdict(t, &sum));
	print_value(out, store_median(&b->store, t->metric, t->num));
	if (t->den != NR_KINDS)
		print_value(out, store_median(&b->store, den, t->den));
	fprintf(out, " %s\n", t->unit);
}

static void print_machine(const struct bench *b, FILE *out)
{
	struct utsname uts;
	char when[40];
	time_t now = time(NULL);

	uname(&uts);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M", gmtime(&now));
	fprintf(out, "sockfs " PACKAGE_VERSION ", %s UTC, %s %s, %ld CPUs, load before: %.2f%s\n",
		when, uts.sysname, uts.release, sysconf(_SC_NPROCESSORS_ONLN), b->load,
		b->load > 0.5 ? " (busy: take the figures for a hint)" : "");
}

void report_table(const struct bench *b, FILE *out)
{
	print_machine(b, out);
	fprintf(out,
		"A ratio is the median over %d rounds of two figures measured back to back;\n"
		"its smallest and largest follow, then the medians of the figures.\n\n",
		b->store.rounds);
	fprintf(out, "%-44s%8s %-17s %-8s %-4s %10s %10s\n", "what", "ratio", "  spread", "target",
		"met", "figure", "beside");
	for (size_t i = 0; i < nr_targets; i++)
		print_target(b, &targets[i], out);
}

/* --------------------------------------------------------------------------- JSON */

static void json_number(FILE *out, double value)
{
	if (isfinite(value))
		fprintf(out, "%.6g", value);
	else
		fputs("null", out);
}

static void json_samples(const struct store *s, FILE *out)
{
	for (size_t i = 0; i < s->nr; i++) {
		const struct series *one = &s->series[i];

		fprintf(out, "%s\n    {\"metric\": \"%s\", \"kind\": \"%s\", \"samples\": [",
			i > 0 ? "," : "", one->metric, kind_name[one->kind]);
		for (int r = 0; r < s->rounds; r++) {
			fputs(r > 0 ? ", " : "", out);
			json_number(out, one->sample[r]);
		}
		fputs("]}", out);
	}
}

static void json_ratios(const struct store *s, FILE *out)
{
	for (size_t i = 0; i < nr_targets; i++) {
		const struct target *t = &targets[i];
		struct summary sum = ratio_of(s, t);

		fprintf(out, "%s\n    {\"what\": \"%s\", \"median\": ", i > 0 ? "," : "", t->what);
		json_number(out, sum.n > 0 ? sum.median : (double)NAN);
		fputs(", \"min\": ", out);
		json_number(out, sum.n > 0 ? sum.min : (double)NAN);
		fputs(", \"max\": ", out);
		json_number(out, sum.n > 0 ? sum.max : (double)NAN);
		if (t->op != ' ')
			fprintf(out, ", \"at_%s\": %g, \"met\": %s",
				t->op == '>' ? "least" : "most", t->value,
				sum.n == 0			     ? "null" :
				strcmp(verdict(t, &sum), "yes") == 0 ? "true" :
								       "false");
		fputs("}", out);
	}
}

int report_json(const struct bench *b, const char *path)
{
	FILE *out = fopen(path, "we");
	struct utsname uts;
	char when[40];
	time_t now = time(NULL);

	if (out == NULL)
		return -errno;
	uname(&uts);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	fprintf(out,
		"{\n  \"version\": \"" PACKAGE_VERSION "\",\n  \"time\": \"%s\",\n"
		"  \"system\": \"%s %s %s\",\n  \"cpus\": %ld,\n  \"load\": %.2f,\n  \"rounds\": %d,\n"
		"  \"slice_ms\": %d,\n  \"files\": %u,\n  \"connections\": %u,\n  \"samples\": [",
		when, uts.sysname, uts.release, uts.machine, sysconf(_SC_NPROCESSORS_ONLN), b->load,
		b->store.rounds, b->slice_ms, b->files, b->connections);
	json_samples(&b->store, out);
	fputs("\n  ],\n  \"ratios\": [", out);
	json_ratios(&b->store, out);
	fputs("\n  ]\n}\n", out);
	return fclose(out) == 0 ? 0 : -errno;
}

/* ---------------------------------------------------------------- data of the plots */

static FILE *open_data(const struct bench *b, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.dat", b->out, name);
	return fopen(path, "we");
}

/* A column each: median, smallest and largest of the metric by kind. */
static void data_column(const struct bench *b, FILE *out, const char *metric, enum kind kind)
{
	const struct series *s = store_find(&b->store, metric, kind);
	struct summary sum = { .n = 0 };

	if (s != NULL)
		sum = summarize(s->sample, b->store.rounds);
	if (sum.n > 0)
		fprintf(out, " %g %g %g", sum.median, sum.min, sum.max);
	else
		fputs(" NaN NaN NaN", out);
}

struct table {
	const char *file;
	const char *line[8], *label[8]; /* a line of the file each: its label */
	const char *suffix[5];		/* of the metrics, each with all kinds */
	enum kind kind[5];
	int nr_kinds;
};

static const struct table tables[] = {
	{ "read",
	  { "read-4k", "read-128k", "read-1m", "cat-read" },
	  { "4 KiB", "128 KiB", "1 MiB", "cat" },
	  { "" },
	  { PLAIN, SOCKFS, FLOOR, SOCAT },
	  4 },
	{ "write",
	  { "write-4k", "write-128k", "write-1m", "cat-write" },
	  { "4 KiB", "128 KiB", "1 MiB", "cat" },
	  { "" },
	  { PLAIN, SOCKFS, FLOOR, SOCAT },
	  4 },
	{ "rtt",
	  { "rtt-1.p50", "rtt-1.p99", "rtt-1.p999", "rtt-4k.p50", "rtt-4k.p99", "rtt-4k.p999" },
	  { "1 B p50", "p99", "p99.9", "4 KiB p50", "p99", "p99.9" },
	  { "" },
	  { PLAIN, SOCKFS, FLOOR, SOCAT },
	  4 },
	{ "many",
	  { "many-0", "many-1", "many-8", "many-64", "many-512" },
	  { "0", "1", "8", "64", "512" },
	  { ".total", ".p99" },
	  { PLAIN, SOCKFS },
	  2 },
	{ "slab",
	  { "slab-pair", "slab-batch", "slab-random" },
	  { "at once", "1000", "random" },
	  { "" },
	  { SLAB, GLIBC, JEMALLOC, MIMALLOC },
	  4 },
	{ "access",
	  { "access-colocated", "access-apart", "access-malloc" },
	  { "one object", "2 caches", "2 mallocs" },
	  { "" },
	  { SLAB },
	  1 },
};

/* Without any line the file is removed: there is nothing to draw. */
static int close_data(const struct bench *b, FILE *out, const char *name, bool any)
{
	char path[512];

	if (fclose(out) != 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/%s.dat", b->out, name);
	return any || unlink(path) == 0 ? 0 : -errno;
}

static bool is_measured(const struct bench *b, const struct table *t, int line)
{
	char metric[48];

	snprintf(metric, sizeof(metric), "%s%s", t->line[line], t->suffix[0]);
	for (int k = 0; k < t->nr_kinds; k++)
		if (store_find(&b->store, metric, t->kind[k]) != NULL)
			return true;
	return false;
}

static int data_table(const struct bench *b, const struct table *t)
{
	FILE *out = open_data(b, t->file);
	bool any = false;
	char metric[48];

	if (out == NULL)
		return -errno;
	for (int i = 0; i < 8 && t->line[i] != NULL; i++) {
		if (!is_measured(b, t, i))
			continue;
		any = true;
		fprintf(out, "\"%s\"", t->label[i]);
		for (int j = 0; j < 5 && t->suffix[j] != NULL; j++)
			for (int k = 0; k < t->nr_kinds; k++) {
				snprintf(metric, sizeof(metric), "%s%s", t->line[i], t->suffix[j]);
				data_column(b, out, metric, t->kind[k]);
			}
		fputc('\n', out);
	}
	return close_data(b, out, t->file, any);
}

static int data_scale(const struct bench *b)
{
	static const char *const what[] = { "create", "lookup", "unlink", "connect", "poll" };
	static const unsigned int level[] = { 10, 1000, 10000, 100000, 1000000 };
	FILE *out = open_data(b, "scale");
	bool any = false;
	char metric[48];

	if (out == NULL)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(level); i++) {
		snprintf(metric, sizeof(metric), "scale-create.%u", level[i]);
		if (store_find(&b->store, metric, SOCKFS) == NULL)
			continue;
		any = true;
		fprintf(out, "%u", level[i]);
		for (size_t j = 0; j < ARRAY_SIZE(what); j++) {
			snprintf(metric, sizeof(metric), "scale-%s.%u", what[j], level[i]);
			data_column(b, out, metric, SOCKFS);
		}
		fputc('\n', out);
	}
	return close_data(b, out, "scale", any);
}

int report_data(const struct bench *b)
{
	int err = data_scale(b);

	for (size_t i = 0; i < ARRAY_SIZE(tables) && err == 0; i++)
		err = data_table(b, &tables[i]);
	return err;
}
