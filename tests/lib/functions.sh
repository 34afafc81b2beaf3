# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Conditions are evaluated later; $sanitizers and $at_status_file are Autotest's.
# shellcheck disable=SC1091,SC2016,SC2119,SC2120,SC2154
# What the test groups do by name: mount, wait, start servers, clean up. atlocal
# reads this file; macros.at wraps the functions that may fail a group.
#
# `local' is not in POSIX, but in every shell that Debian offers as /bin/sh.
#
# All functions run in the shell of the group, in its folder, and return 0 or 1
# after a message. A NAME stands for the files NAME.pid, NAME.out and NAME.err.

# ---- waiting -----------------------------------------------------------------

# How long anything may take at most, on a machine that has much else to do. Who waits
# for a condition goes on as soon as it is true. valgrind is slow.
wait_seconds=60
group_seconds=300
if test -n "$SOCKFS_WRAPPER"; then
	wait_seconds=120
	group_seconds=600
fi

# wait_until CONDITION [SECONDS]: evaluates the shell text CONDITION at once and
# then again and again until it is true. Says so when it does not become true.
wait_until()
{
	local end pause
	if eval "$1" >/dev/null 2>&1; then return 0; fi
	end=$(($(date +%s) + ${2:-$wait_seconds}))
	pause=0.05
	while test "$(date +%s)" -le $end; do
		sleep "$pause"
		if eval "$1" >/dev/null 2>&1; then return 0; fi
		case $pause in
		0.05) pause=0.1 ;;
		0.1) pause=0.2 ;;
		esac
	done
	echo "waited ${2:-$wait_seconds} s in vain until: $1" >&2
	show_processes >&2
	# Once more, for what it prints.
	eval "$1" >&2
}

# is_running PID: 0 or 1. A zombie is not running; once it is reaped, grep has nothing to read.
is_running()
{
	grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null || return 1
}

# is_listening PORT: does any socket of this machine?
is_listening()
{
	grep -qi ":$(printf %04X "$1") [0-9A-F]*:0000 0A" /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# is_bound PORT: has any UDP socket of this machine the port?
is_bound()
{
	grep -qi ":$(printf %04X "$1") [0-9A-F]*:0000 07" /proc/net/udp /proc/net/udp6 2>/dev/null
}

# is_parked PID: does it wait in a call that a daemon of this group has put aside? Any
# request waits for its answer for a moment: the table of those that wait tells them
# apart. In a pid namespace of its own the daemon knows no pid but 0.
is_parked()
{
	local dir
	grep -q request_wait_answer "/proc/$1/wchan" 2>/dev/null || return 1
	while read -r dir; do
		if awk -v pid="$1" '$1 == pid || $1 == "0" { found = 1 } END { exit !found }' \
			"$group_dir/$dir/.proc/waiting"; then return 0; fi
	done <mounts
	return 1
}

# ---- the end of a group --------------------------------------------------------

# on_exit COMMAND: runs at the end of the group, pass or fail; the last first.
on_exit()
{
	{
		printf '%s\n' "$1"
		cat on-exit
	} >on-exit.new
	mv on-exit.new on-exit
}

# What a group starts carries its mark in the environment, whoever its parent
# became later. Prints the pids.
marked_processes()
{
	(
		unset SOCKFS_GROUP
		grep -lzxF "SOCKFS_GROUP=$group_dir" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
	)
}

# show_processes: the group's, and in which call of the kernel each one is.
show_processes()
{
	local pid
	for pid in $(marked_processes); do
		{
			printf '%s ' "$pid"
			cat "/proc/$pid/cmdline"
			grep -h -e '^State' -e '^PPid' -e '^Sig[PBIC]' "/proc/$pid/status"
			cut -d ' ' -f 2 "/proc/$pid/stack"
		} 2>/dev/null | tr -s '\0\t\n' ' '
		echo
	done
}

# kill_pid PID: politely, then by force; returns when it is gone.
kill_pid()
{
	is_running "$1" || return 0
	kill -TERM "$1" 2>/dev/null
	wait_until "! is_running $1" 5 2>/dev/null && return 0
	kill -KILL "$1" 2>/dev/null
	wait_until "! is_running $1"
}

# Runs the stack; whoever still bears the mark is killed and named.
group_sweep()
{
	local pid sweep=0
	mv on-exit on-exit.run
	: >on-exit
	. ./on-exit.run
	if ! wait_until 'test -z "$(marked_processes)"' 5 2>/dev/null; then
		for pid in $(marked_processes); do
			echo "left running: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")" >&2
			kill -KILL "$pid"
			sweep=1
		done
	fi
	rm -f on-exit.run
	return $sweep
}

# group_begin [SECONDS]: the first thing in each group.
group_begin()
{
	group_dir=$(pwd)
	# $$ is the whole suite's.
	group_pid=$(exec sh -c 'echo "$PPID"')
	group_seconds=${1:-$group_seconds}
	: >on-exit
	: >mounts
	watchdog </dev/null >watchdog.log 2>&1 5>&- 6>&- 7>&- &
	wait_until 'test -s watchdog.pid'
	SOCKFS_GROUP=$group_dir
	ASAN_OPTIONS=detect_leaks=1:log_path=$group_dir/sanitizers
	UBSAN_OPTIONS=print_stacktrace=1:log_path=$group_dir/sanitizers
	export SOCKFS_GROUP ASAN_OPTIONS UBSAN_OPTIONS
	if test "$sanitizers" != yes; then
		# Fresh and freed memory must not look like zeros.
		MALLOC_PERTURB_=165
		export MALLOC_PERTURB_
	fi
	trap group_end 0
	trap 'exit 1' HUP INT TERM
}

# The last thing in each group: everything still mounted is unmounted and
# checked, everything started is stopped, nothing may be left.
group_finish()
{
	local finish=0
	while test -s mounts; do
		sockfs_unmount "$(tail -n 1 mounts)" || finish=1
	done
	group_sweep || finish=1
	sanitizers_silent || finish=1
	return $finish
}

# The trap: also runs when a check has failed in the middle of the group.
group_end()
{
	trap '' HUP INT TERM
	cd "$group_dir" || exit 1
	group_sweep 2>>left-running.log
	kill "$(cat watchdog.pid)" 2>/dev/null
}

# sanitizers_silent: shows what sanitizers and valgrind reported, if they did.
sanitizers_silent()
{
	local report silent=0
	for report in sanitizers.*; do
		test -s "$report" || continue
		echo "$report:" >&2
		cat "$report" >&2
		silent=1
	done
	return $silent
}

# A group that hangs fails and ends: its mounts are cut off, so that nobody can
# wait for them any more, and its processes are killed.
watchdog()
{
	timeout "$group_seconds" tail --pid="$group_pid" -f /dev/null &
	echo $! >watchdog.pid
	wait $!
	test $? -eq 124 || return 0

	echo 1 >"$at_status_file"
	echo "the group did not end in $group_seconds s; its processes:"
	show_processes
	while read -r dir; do
		mount_abort "$dir"
	done <mounts
	for pid in $(marked_processes); do
		kill -KILL "$pid"
	done
	timeout "$wait_seconds" tail --pid="$group_pid" -f /dev/null && return
	kill -TERM "$group_pid"
	timeout "$wait_seconds" tail --pid="$group_pid" -f /dev/null && return
	kill -KILL "$group_pid"
	group_sweep
}

# ---- mounts ------------------------------------------------------------------

# mount_device DIR: MAJOR:MINOR of what is mounted there. Asks the kernel's
# table only: a stat of a mount that hangs would hang too.
mount_device()
{
	mount_point=$(printf %s "$group_dir/$1" | sed 's/ /\\040/g') \
		awk '$5 == ENVIRON["mount_point"] { print $3 }' /proc/self/mountinfo | tail -n 1
}

is_mounted()
{
	test -n "$(mount_device "$1")"
}

# daemon_of DIR: the NAME of the daemon that serves DIR.
daemon_of()
{
	case $1 in
	mnt) echo daemon ;;
	*) echo "daemon-$1" ;;
	esac
}

# worker_of DIR: prints the pid of the process that does the work there; the one that was
# started is its supervisor, or does it itself (-o nosurvive).
worker_of()
{
	local pid child
	pid=$(cat "$(daemon_of "$1").pid") || return 1
	for child in $(pgrep -P "$pid" -x "$(sed 's/-super$//' "/proc/$pid/comm")"); do
		echo "$child"
		return
	done
	echo "$pid"
}

# mount_abort DIR: ends all requests in flight with an error, and the daemon.
mount_abort()
{
	local connection pid worker
	worker=$(worker_of "$1" 2>/dev/null)
	connection=$(mount_device "$1")
	connection=/sys/fs/fuse/connections/${connection#*:}
	if is_mounted "$1" && test -w "$connection/abort"; then echo 1 >"$connection/abort"; fi
	pid=$(cat "$(daemon_of "$1").pid" 2>/dev/null) || return 0
	# The worker first: it would make itself another supervisor.
	kill -KILL "$worker" "$pid" 2>/dev/null
}

# mount_leave DIR: for the exit stack; a mount in good order is gone by then.
mount_leave()
{
	is_mounted "$1" || test -s "$(daemon_of "$1").pid" || return 0
	if test -s "$(daemon_of "$1").pid"; then kill_pid "$(cat "$(daemon_of "$1").pid")"; fi
	if is_mounted "$1"; then
		mount_abort "$1"
		timeout -s KILL 10 fusermount3 -u -q -z "$group_dir/$1"
	fi
	if is_mounted "$1"; then timeout -s KILL 10 umount -l "$group_dir/$1"; fi
}

# sockfs_mount DIR [ARG...]: starts the daemon and returns when the mount answers.
sockfs_mount()
{
	local dir=$1 name
	shift
	name=$(daemon_of "$dir")
	mkdir -p "$dir"
	rm -f "$name.notify"
	mkfifo "$name.notify"
	on_exit "mount_leave '$dir'"
	# valgrind cannot follow a process that shares its descriptors.
	# shellcheck disable=SC2086  # a command and its arguments
	$SOCKFS_WRAPPER sockfs -f --notify-fd=9 ${SOCKFS_WRAPPER:+-o nosurvive} "$@" "$group_dir/$dir" \
		</dev/null >"$name.out" 2>"$name.err" 9>"$name.notify" 5>&- 6>&- 7>&- &
	echo $! >"$name.pid"
	# One newline: it answers. End of file: the daemon is gone.
	if ! timeout "$wait_seconds" sh -c 'read -r line <"$1"' sh "$name.notify"; then
		echo "$dir: the mount does not answer" >&2
		cat "$name.out" "$name.err" >&2
		sanitizers_silent
		return 1
	fi
	is_mounted "$dir" || {
		echo "$dir: not in the table of mounts" >&2
		return 1
	}
	echo "$dir" >>mounts
}

# mount_forget DIR: it is nobody's to unmount.
mount_forget()
{
	grep -vxF "$1" mounts >mounts.new
	mv mounts.new mounts
}

# sockfs_unmount DIR [REGEX]: unmounts, and then as sockfs_ended.
sockfs_unmount()
{
	if test "$(id -u)" -eq 0; then
		timeout -s KILL "$wait_seconds" umount "$group_dir/$1"
	else
		timeout -s KILL "$wait_seconds" fusermount3 -u "$group_dir/$1"
	fi || {
		echo "$1: cannot unmount; who is there:" >&2
		show_processes >&2
		mount_forget "$1"
		return 1
	}
	sockfs_ended "$@"
}

# sockfs_ended DIR [REGEX [STATUS]]: waits for the daemon's end: it must be
# unmounted, have exited with STATUS (0), and have said nothing but lines that
# match REGEX.
sockfs_ended()
{
	local name pid status ended=0
	name=$(daemon_of "$1")
	mount_forget "$1"
	pid=$(cat "$name.pid")
	if ! wait_until "! is_running $pid"; then
		mount_abort "$1"
		return 1
	fi
	wait "$pid"
	status=$?
	rm -f "$name.pid" "$name.notify"
	if is_mounted "$1"; then
		echo "$1: still mounted" >&2
		ended=1
	fi
	if test $status -ne "${3:-0}"; then
		echo "$name: exit status $status, not ${3:-0}" >&2
		ended=1
	fi
	# An empty expression would match everything.
	if grep -vE "${2:-^\$}" "$name.out" "$name.err" >&2; then
		echo "$name: said what it should not" >&2
		ended=1
	fi
	sanitizers_silent || ended=1
	return $ended
}

# ---- programs in the background ---------------------------------------------------

# background NAME COMMAND [ARG...]: starts it; its pid is $! and in NAME.pid. It
# reads from the FIFO NAME.in if there is one.
background()
{
	local name=$1
	shift
	if test -p "$name.in"; then
		"$@" <>"$name.in" >"$name.out" 2>"$name.err" 5>&- 6>&- 7>&- &
	else
		"$@" </dev/null >"$name.out" 2>"$name.err" 5>&- 6>&- 7>&- &
	fi
	echo $! >"$name.pid"
	on_exit "kill_pid $!"
}

# finished NAME [STATUS [SECONDS]]: waits for its end; the exit status must be STATUS (0).
finished()
{
	local pid status
	pid=$(cat "$1.pid")
	wait_until "! is_running $pid" "${3-}" || return 1
	wait "$pid"
	status=$?
	test $status -eq "${2:-0}" && return 0
	echo "$1: exit status $status, not ${2:-0}" >&2
	cat "$1.err" >&2
	return 1
}

# stop NAME: ends it before the group does. Its children are let end by themselves: they may have
# files of a mount open.
stop()
{
	local pid child children
	pid=$(cat "$1.pid")
	children=$(pgrep -P "$pid")
	kill_pid "$pid"
	wait "$pid" 2>/dev/null
	for child in $children; do
		wait_until "! is_running $child" || return 1
	done
	return 0
}

# ---- servers: each on a port nobody else has ---------------------------------------

# free_port [ADDRESS]: prints a port that was free a moment ago. Somebody may
# take it before the server does: then start another try, as start_server does.
free_port()
{
	peer port "$@"
}

# is_taken PORT: does another group listen there? It had that port first, and ours has not
# noticed yet.
is_taken()
{
	local inodes
	inodes=$(awk -v port="$(printf :%04X "$1")" \
		'toupper($2) ~ port "$" && $4 == "0A" { printf "%ssocket:.%s.$", bar, $10; bar = "|" }' \
		/proc/net/tcp /proc/net/tcp6 2>/dev/null)
	test -n "$inodes" || return 1
	(
		unset SOCKFS_GROUP
		grep -lz '^SOCKFS_GROUP=' /proc/[0-9]*/environ | xargs -r grep -LzxF "SOCKFS_GROUP=$group_dir" |
			sed 's/environ$/fd/' | xargs -r ls -l
	) 2>/dev/null | grep -qE "$inodes"
}

# start_server NAME READY COMMAND [ARG...]: runs the COMMAND, in which PORT stands
# for a free port, until the shell text READY is true; sets port.
start_server()
{
	local server=$1 ready=$2 try pid
	shift 2
	for try in 1 2 3 4 5; do
		port=$(free_port) || return 1
		background "$server" sh -c 'port=$1; shift
			for arg; do shift; set -- "$@" "$(printf %s "$arg" | sed "s/PORT/$port/g")"; done
			exec "$@"' sh "$port" "$@"
		pid=$(cat "$server.pid")
		wait_until "{ { $ready; } && ! is_taken $port; } || ! is_running $pid" || return 1
		if is_running "$pid"; then return 0; fi
		echo "try $try: $server is gone:" >&2
		cat "$server.out" "$server.err" >&2
	done
	return 1
}

# start_peer NAME [OPTION...] listen [ACTION...]: see tests/lib/peer.c; sets port.
# It serves as long as its group may take.
start_peer()
{
	local name=$1
	shift
	rm -f "$name.port"
	background "$name" peer -t "$group_seconds" -o "$name.port" "$@"
	wait_until "test -s $name.port || ! is_running $!" || return 1
	port=$(cat "$name.port") && return 0
	cat "$name.err" >&2
	return 1
}

# start_nginx [ROOT]: serves the folder ROOT (www) on 127.0.0.1, or where nginx_listen says;
# sets port.
start_nginx()
{
	local root=${1:-www} user=
	mkdir -p "$root" nginx
	if test "$(id -u)" -eq 0; then user='user root;'; fi
	cat >nginx/template <<EOF
daemon off; pid nginx.pid; error_log error.log; worker_processes 1; $user
events { worker_connections 256; }
http {
	access_log off; default_type text/plain;
	client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
	uwsgi_temp_path tmp; scgi_temp_path tmp;
	server { listen ${nginx_listen:-127.0.0.1:PORT}; root "$group_dir/$root"; }
}
EOF
	rm -f nginx/nginx.pid
	# It writes the file of its pid when it has its port. start_server puts the number
	# where PORT stands here; P[O]RT is left for sed.
	start_server nginx 'test -s nginx/nginx.pid' sh -c "
		sed s/P[O]RT/PORT/ nginx/template >nginx/nginx.conf &&
		exec nginx -e error.log -p '$group_dir/nginx/' -c nginx.conf"
}

# start_redis: an empty one on 127.0.0.1 that saves nothing; sets port.
start_redis()
{
	: >redis.log
	start_server redis 'grep -q "Ready to accept connections" redis.log' \
		redis-server --port PORT --bind 127.0.0.1 --save '' --appendonly no \
		--daemonize no --dir "$group_dir" --logfile redis.log
}

# start_memcached: an empty one on 127.0.0.1; sets port.
start_memcached()
{
	rm -f memcached.port
	if test "$(id -u)" -eq 0; then set -- -u root; else set --; fi
	# It writes the file when it has its port.
	MEMCACHED_PORT_FILENAME=$group_dir/memcached.port start_server memcached \
		'test -s memcached.port' memcached "$@" -p PORT -U 0 -l 127.0.0.1
}

# start_netcat NAME [ARG...]: nc, listening on 127.0.0.1; sets port.
start_netcat()
{
	local name=$1
	shift
	start_server "$name" 'is_listening $port' nc -l "$@" 127.0.0.1 PORT
}

# start_socat NAME ADDRESS: socat, listening on 127.0.0.1, connected to ADDRESS; sets port.
start_socat()
{
	start_server "$1" 'is_listening $port' socat TCP4-LISTEN:PORT,bind=127.0.0.1,fork "$2"
}
