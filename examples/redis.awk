#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-2.0-or-later
# awk -f redis.awk MOUNT HOST PORT COMMAND [ARG...]: talk to Redis from any awk.
# awk opens a path for reading or for writing, not for both at once: so this is a
# socket with a name, which stays connected between the two.
function fail(text, status) {
	print "redis.awk: " text > "/dev/stderr"
	failed = status ? status : 1
	exit failed
}

BEGIN {
	if (ARGC < 5)
		fail("usage: redis.awk MOUNT HOST PORT COMMAND [ARG...]", 2)
	"echo $PPID" | getline pid
	name = "redis.awk." pid
	file = ARGV[1] "/" name
	ctl = ARGV[1] "/.ctl/" name

	printf "" > file
	close(file)
	# Awks differ in what they do when a write fails, so the shell does this one.
	if (system("echo 'connect " ARGV[2] ":" ARGV[3] "' 2> /dev/null > '" ctl "'") != 0)
		fail("cannot connect to " ARGV[2] ":" ARGV[3])

	# https://redis.io/docs/reference/protocol-spec: an array of bulk strings
	request = "*" (ARGC - 4) "\r\n"
	for (i = 4; i < ARGC; i++)
		request = request "$" length(ARGV[i]) "\r\n" ARGV[i] "\r\n"
	# Some awks fill their buffer before they give a line: so let the server hang up.
	printf "%s*1\r\n$4\r\nQUIT\r\n", request > file
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
	exit
}

END {
	close(file)
	if (file != "")
		system("rm -f '" file "'")
	exit failed
}
