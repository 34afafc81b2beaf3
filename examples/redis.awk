#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-2.0-or-later
# awk -f redis.awk MOUNT HOST PORT COMMAND [ARG...]: talk to Redis from any awk.
# The path is opened for writing and for reading apart, so two names are needed
# for one socket: a file that was connected before does it.
function fail(text) {
	print "redis.awk: " text > "/dev/stderr"
	failed = 1
	exit 1
}

BEGIN {
	if (ARGC < 5)
		fail("usage: redis.awk MOUNT HOST PORT COMMAND [ARG...]")
	srand()
	name = "redis.awk." int(rand() * 1e9)
	file = ARGV[1] "/" name
	ctl = ARGV[1] "/.ctl/" name

	printf "" > file
	close(file)
	print "connect " ARGV[2] ":" ARGV[3] > ctl
	if (close(ctl) != 0)
		fail("cannot connect to " ARGV[2] ":" ARGV[3])

	# https://redis.io/docs/reference/protocol-spec: an array of bulk strings
	request = "*" (ARGC - 4) "\r\n"
	for (i = 4; i < ARGC; i++)
		request = request "$" length(ARGV[i]) "\r\n" ARGV[i] "\r\n"
	printf "%s", request > file
	close(file)

	RS = "\n"
	if ((getline line < file) <= 0)
		fail("no answer")
	sub(/\r$/, "", line)
	type = substr(line, 1, 1)
	value = substr(line, 2)
	if (type == "-")
		fail(value)
	if (type == "$" && value < 0)
		value = "(nil)"
	else if (type == "$") {
		getline value < file
		sub(/\r$/, "", value)
	}
	print value
}

END {
	close(file)
	if (file != "")
		system("rm -f '" file "'")
	exit failed
}
