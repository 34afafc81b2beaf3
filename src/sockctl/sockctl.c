/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockctl: the operations of sockets, on the files of a sockfs mount.
 */
#include "config.h"

#include "sockctl/sockctl.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "uapi/operation.h"
#include "uapi/sockopt.h"
#include "uapi/state.h"

/* What getopt_long answers for long options: no character, so that messages can tell. */
enum { OPT_HELP = UCHAR_MAX + 1, OPT_JSON, OPT_FD, OPT_PROTO };

struct command {
	const char *name;
	int (*main)(const struct args *args);
	char synopsis[48]; /* the words behind the name; FILE is the first or not there */
	const char *help;
	const char *opts; /* short options that it takes, for getopt */
	bool json;	  /* takes --json */
	bool proto;	  /* takes --proto P */
	int min, max;	  /* words, with FILE */
	const char *more; /* lines for the help of this command alone, or NULL */
};

/* Those that are not one operation each; help prints them behind the operations. */
static const struct command commands[] = {
	{"stat", cmd_stat, "FILE [--json]", "print all that is known of a socket", "", true, false,
	 1, 1, NULL},
	{"ls", cmd_ls, "[DIR] [-aRw] [--json] [--proto P]", "list the sockets of a directory", "aRw",
	 true, true, 0, 1,
	 "-a: also those of the mount that have no name: dialled, or removed.\n"
	 "-R: also those of the directories below.\n"
	 "-w: again each second, until interrupted.\n"
	 "--proto P: only those of the protocol P, as the column PROTO has it.\n"},
	{"wait", cmd_wait, "FILE STATE [-t SECONDS]", "wait until a socket is in a state",
	 "t:", false, false, 2, 2, "-t SECONDS: fail after that time; it may have a fraction.\n"},
	{"waiting", cmd_waiting, "[DIR]", "list the calls that wait in a mount", "", false, false, 0, 1,
	 "DIR: any directory of the mount. 'sockctl abort FILE' ends what waits on FILE.\n"},
	{"help", cmd_help, "[COMMAND]", "print this, or about one command", "", false, false, 0,
	 1, NULL},
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

const char *join(const char *const *words, const char *between, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (; *words && len < size; words++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? between : "", *words);
	return buf;
}

static void command_of_operation(const struct operation *op, struct command *ret_c)
{
	const struct op_kind *kind = &op_kinds[op->arg];
	const char *words = kind->synopsis;
	char hows[32];

	if (!words)
		words = join(op_hows, "|", hows, sizeof(hows));
	*ret_c = (struct command){
		.name = op->word,
		.main = cmd_operation,
		.help = op->help,
		.opts = kind->opts,
		.min = 1 + kind->min,
		.max = 1 + kind->max - (strchr(kind->opts, ':') != NULL),
		.more = op->more,
	};
	snprintf(ret_c->synopsis, sizeof(ret_c->synopsis), "FILE%s%s", *words ? " " : "", words);
}

static bool find_command(const char *name, struct command *ret_c)
{
	const struct operation *op = operation_by_word(name);
	size_t i;

	if (op) {
		command_of_operation(op, ret_c);
		return true;
	}
	for (i = 0; i < NR_COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0) {
			*ret_c = commands[i];
			return true;
		}
	}
	return false;
}

static bool takes_file(const struct command *c)
{
	return strncmp(c->synopsis, "FILE", 4) == 0;
}

void complain(const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("sockctl: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void print_usage(FILE *out, const struct command *c)
{
	if (c)
		fprintf(out, "usage: sockctl %s %s\n", c->name, c->synopsis);
	else
		fputs("usage: sockctl [--fd N] COMMAND [FILE] [ARGUMENT...]\n", out);
}

int bad_usage(const struct args *args, const char *format, ...)
{
	struct command c;
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "sockctl: %s: ", args->command);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	print_usage(stderr, find_command(args->command, &c) ? &c : NULL);
	return EXIT_USAGE;
}

/* @all: with those that can only be read. */
static void print_options(bool all)
{
	size_t i;
	int column = 0;

	fputs("\nOptions:", stdout);
	for (i = 0; i < nr_sockopts; i++) {
		if (!all && sockopt_is_readonly(&sockopts[i]))
			continue;
		if (column + strlen(sockopts[i].name) > 60)
			column = 0;
		column += printf("%s%s", column ? " " : "\n  ", sockopts[i].name);
	}
	putchar('\n');
}

static void print_states(void)
{
	unsigned int state;

	fputs("STATE: ", stdout);
	for (state = SOCKFS_UNCONNECTED; state <= SOCKFS_CLOSED; state++)
		printf("%s%s", state_name(state), state < SOCKFS_CLOSED ? ", " : "\n");
}

static void help_command(const struct command *c)
{
	const struct operation *op = operation_by_word(c->name);

	print_usage(stdout, c);
	printf("%s: %s\n", c->name, c->help);
	if (c->main == cmd_wait)
		print_states();
	if (c->more)
		fputs(c->more, stdout);
	if (op && (op->arg == OP_OPTION || op->arg == OP_GET_OPTION))
		print_options(op->arg == OP_GET_OPTION);
}

static void help_line(const struct command *c)
{
	printf("  %-11s%-35s%s\n", c->name, c->synopsis, c->help);
}

static void help_all(void)
{
	struct command c;
	size_t i;

	print_usage(stdout, NULL);
	puts("The operations of sockets on the files of a sockfs mount.\n");
	for (i = 0; i < nr_operations; i++) {
		if (!operations[i].word)
			continue;
		command_of_operation(&operations[i], &c);
		help_line(&c);
	}
	for (i = 0; i < NR_COMMANDS; i++)
		help_line(&commands[i]);
	puts("\n" OP_ADDRESS_HELP
	     "--fd N, in place of FILE: the open descriptor N, as of exec 3<> FILE\n"
	     "'sockctl help COMMAND' and sockctl(1) tell more.");
}

int cmd_help(const struct args *args)
{
	struct command c;

	if (args->argc == 0) {
		help_all();
		return EXIT_DONE;
	}
	if (!find_command(args->argv[0], &c))
		return bad_usage(args, "there is no command '%s'", args->argv[0]);
	help_command(&c);
	return EXIT_DONE;
}

static int parse_backlog(const char *text, int *ret_backlog)
{
	char *end;
	long n;

	if (!*text || text[strspn(text, "0123456789")])
		return -EINVAL;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || n > INT_MAX)
		return -EINVAL;
	*ret_backlog = (int)n;
	return 0;
}

/* "3", "0.5", ".5". */
static int parse_seconds(const char *text, int64_t *ret_ms)
{
	const char *fraction = strchr(text, '.');
	size_t whole = fraction ? (size_t)(fraction - text) : strlen(text);
	double sec;

	if (text[0] == '\0' || strspn(text, "0123456789") < whole)
		return -EINVAL;
	if (fraction && (!fraction[1] || fraction[1 + strspn(fraction + 1, "0123456789")]))
		return -EINVAL;
	sec = strtod(text, NULL);
	if (sec > INT_MAX)
		return -EINVAL;
	*ret_ms = (int64_t)(sec * 1000);
	return 0;
}

static int take_fd(const char *text, struct args *args)
{
	int fd = parse_fd(text);

	if (fd < 0)
		return bad_usage(args, "'%s' is not a descriptor", text);
	snprintf(args->fd_path, sizeof(args->fd_path), "/dev/fd/%d", fd);
	args->file = args->fd_path;
	return EXIT_DONE;
}

/* @word: what getopt_long was looking at. */
static int take_option(int opt, const char *word, struct args *args)
{
	switch (opt) {
	case 'b':
		if (parse_backlog(optarg, &args->backlog))
			return bad_usage(args, "'%s' is not a backlog", optarg);
		return EXIT_DONE;
	case 't':
		if (parse_seconds(optarg, &args->timeout_ms))
			return bad_usage(args, "'%s' is not a number of seconds", optarg);
		return EXIT_DONE;
	case 'a':
		args->all = true;
		return EXIT_DONE;
	case 'R':
		args->recursive = true;
		return EXIT_DONE;
	case 'w':
		args->watch = true;
		return EXIT_DONE;
	case OPT_JSON:
		args->json = true;
		return EXIT_DONE;
	case OPT_PROTO:
		args->proto = optarg;
		return EXIT_DONE;
	case OPT_FD:
		return take_fd(optarg, args);
	case ':':
		if (optopt > UCHAR_MAX)
			return bad_usage(args, "option %s needs a value", word);
		return bad_usage(args, "option -%c needs a value", optopt);
	}
	if (optopt && optopt <= UCHAR_MAX)
		return bad_usage(args, "unknown option '-%c'", optopt);
	return bad_usage(args, "unknown option '%s'", word);
}

/* FILE, unless --fd has been it already, and the words behind it. */
static int take_words(const struct command *c, int argc, char **argv, struct args *args)
{
	int words = argc + (args->file != NULL);

	if (words < c->min)
		return bad_usage(args, "too few arguments");
	if (words > c->max)
		return bad_usage(args, "too many arguments");
	if (takes_file(c) && !args->file) {
		args->file = *argv++;
		argc--;
	}
	args->argc = argc;
	args->argv = argv;
	return EXIT_DONE;
}

static const struct option help_option = {"help", no_argument, NULL, OPT_HELP};
static const struct option json_option = {"json", no_argument, NULL, OPT_JSON};
static const struct option proto_option = {"proto", required_argument, NULL, OPT_PROTO};
static const struct option fd_option = {"fd", required_argument, NULL, OPT_FD};

/* argv[0] is the command's name; @fd is what stood before it behind --fd, or NULL. */
static int run(const struct command *c, const char *fd, int argc, char **argv)
{
	struct args args = {.command = c->name, .timeout_ms = -1};
	struct option longs[5] = {help_option};
	char optstring[16];
	int opt, status = EXIT_DONE, n = 1;

	if (takes_file(c))
		longs[n++] = fd_option;
	if (c->json)
		longs[n++] = json_option;
	if (c->proto)
		longs[n++] = proto_option;
	if (fd)
		status = takes_file(c) ? take_fd(fd, &args) : bad_usage(&args, "takes no --fd");
	if (status)
		return status;
	/* ":" has to come behind "+". */
	snprintf(optstring, sizeof(optstring), "%s:h%s", c->opts[0] == '+' ? "+" : "",
		 c->opts[0] == '+' ? c->opts + 1 : c->opts);
	opterr = 0;
	while ((opt = getopt_long(argc, argv, optstring, longs, NULL)) != -1) {
		if (opt == 'h' || opt == OPT_HELP) {
			help_command(c);
			return EXIT_DONE;
		}
		status = take_option(opt, argv[optind - 1], &args);
		if (status)
			return status;
	}
	status = take_words(c, argc - optind, argv + optind, &args);
	return status ? status : c->main(&args);
}

/* What was printed counts only if it arrived. */
static int close_stdout(int status)
{
	bool failed = ferror(stdout) != 0;

	errno = 0;
	if (fclose(stdout) != 0 || failed) {
		fprintf(stderr, "sockctl: write error%s%s\n", errno ? ": " : "",
			errno ? strerror(errno) : "");
		return status == EXIT_DONE ? EXIT_FAILED : status;
	}
	return status;
}

static int main_without_command(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr, NULL);
		fputs("'sockctl help' lists the commands.\n", stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help_all();
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("sockctl (" PACKAGE_NAME ") " PACKAGE_VERSION);
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "--fd") == 0) {
		complain("option --fd needs a value");
		print_usage(stderr, NULL);
		return EXIT_USAGE;
	}
	complain(argv[1][0] == '-' ? "unknown option '%s'"
				   : "there is no command '%s'; 'sockctl help' lists them",
		 argv[1]);
	print_usage(stderr, NULL);
	return EXIT_USAGE;
}

/* --fd N or --fd=N before the command: the words that it takes, 0 if there is none. */
static int fd_words(int argc, char **argv, const char **ret_fd)
{
	if (argc > 2 && strcmp(argv[1], "--fd") == 0) {
		*ret_fd = argv[2];
		return 2;
	}
	if (argc > 1 && strncmp(argv[1], "--fd=", 5) == 0) {
		*ret_fd = argv[1] + 5;
		return 1;
	}
	*ret_fd = NULL;
	return 0;
}

int main(int argc, char **argv)
{
	struct command c;
	const char *fd;
	int status, n = fd_words(argc, argv, &fd);

	argc -= n;
	argv += n;
	/* Names are UTF-8 or just bytes, whatever the caller's locale; messages stay English. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "");
	if (argc > 1 && find_command(argv[1], &c))
		status = run(&c, fd, argc - 1, argv + 1);
	else
		status = main_without_command(argc, argv);
	return close_stdout(status);
}
