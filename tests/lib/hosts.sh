#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# hosts.sh: dial hosts of several addresses, some refused, some silent, and names that no
# server answers. Run it as root by `unshare -nm`: there is a veth pair to a second
# network, since on the loopback a refusal comes before connect(2) is over, and a name
# server that is mute. Prints a line for each thing that is so.
set -u

# A mount that other groups have just now has been copied into this namespace, and would
# outlive their umount here: let go of the copies. Nothing of that reaches them.
mount --make-rprivate /
awk '/ - fuse\.sockfs / { print $5 }' /proc/self/mountinfo | while read -r copy; do
	# One whose folder has been removed meanwhile is gone.
	umount -i -l "$(printf '%b' "$copy")" 2>/dev/null || :
done

fail()
{
	echo "$*" >&2
	exit 1
}

# within SECONDS COMMAND...: and tell when it took longer.
within()
{
	limit=$1 begin=$(date +%s)
	shift
	"$@"
	status=$?
	[ $(($(date +%s) - begin)) -le "$limit" ] || fail "more than $limit s: $*"
	return $status
}

# until_true COMMAND...
until_true()
{
	tries=0
	until "$@" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 400 ] || fail "in vain: $*"
		sleep 0.05
	done
}

parked()
{
	grep -q request_wait_answer "/proc/$1/wchan"
}

# Nothing outlives this script, whose mounts and networks go with the last of them.
pids=
finish()
{
	status=$?
	umount mnt 2>/dev/null
	# shellcheck disable=SC2086  # a list
	[ -z "$pids" ] || kill $pids 2>/dev/null
	wait
	exit $status
}
trap finish 0
trap 'exit 1' HUP INT TERM

# ---- the networks ----------------------------------------------------------------

ip link set lo up
unshare -n peer -t 100 -a 0.0.0.0 listen hold >far.out &
far=$!
pids=$far
until_true test -s far.out
ip link add near type veth peer name far
ip link set far netns $far
ip addr add 10.77.1.1/24 dev near
ip addr add fd77::1/64 dev near nodad
ip link set near up
nsenter -n -t $far sh -c 'ip link set lo up
	ip addr add 10.77.1.2/24 dev far; ip addr add 10.77.1.3/24 dev far
	ip addr add fd77::2/64 dev far nodad; ip link set far up'
mac=$(nsenter -n -t $far ip -o link show far | sed 's/.*link.ether \([^ ]*\).*/\1/')
# Those get what is sent to them, and are not there.
ip neigh add 10.77.1.8 lladdr "$mac" dev near
ip neigh add 10.77.1.9 lladdr "$mac" dev near
ip neigh add fd77::9 lladdr "$mac" dev near

cat >hosts <<'END'
127.0.0.1 localhost
10.77.1.2 second-answers
10.77.1.3 second-answers
10.77.1.9 first-silent
10.77.1.3 first-silent
fd77::9 six-silent
10.77.1.3 six-silent
10.77.1.8 all-silent
10.77.1.9 all-silent
10.77.1.2 all-refuse
fd77::2 all-refuse
END
echo 'nameserver 127.0.0.1' >resolv.conf
mount --bind hosts /etc/hosts
mount --bind resolv.conf /etc/resolv.conf
nsenter -n -t $far peer -t 100 -a 10.77.1.3 -n 0 listen say 'there' >srv.out &
pids="$pids $!"
until_true test -s srv.out
port=$(head -n 1 srv.out)
# It takes questions and answers none.
python3 -c 'import signal, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
print("mute", flush=True)
signal.pause()' >dns.out &
pids="$pids $!"
until_true test -s dns.out

mkdir mnt
sockfs -f mnt &
daemon=$!
until_true test -d mnt/tcp

# ---- addresses ---------------------------------------------------------------------

[ "$(within 5 cat mnt/tcp/second-answers/"$port")" = there ] &&
	echo 'behind a refusal the second address answers'
[ "$(within 5 cat mnt/tcp/first-silent/"$port")" = there ] &&
	echo 'a silent address is not waited for'
[ "$(within 5 cat mnt/tcp/six-silent/"$port")" = there ] &&
	echo 'nor a silent IPv6'
within 5 cat mnt/tcp/all-refuse/"$port" 2>&1 | grep -q 'Connection refused' &&
	echo 'refused by all'
touch mnt/late
sockctl set mnt/late connect_timeout 1
within 5 sockctl connect mnt/late all-silent:"$port" 2>&1 | grep -q 'Connection timed out' &&
	echo 'connect_timeout is for all of them together'

# ---- what was set and bound beforehand -------------------------------------------------

touch mnt/set
sockctl set mnt/set ttl 33
within 5 sockctl connect mnt/set second-answers:"$port" && sockctl get mnt/set ttl
touch mnt/bound
sockctl bind mnt/bound 10.77.1.1:5777
within 5 sockctl connect mnt/bound second-answers:"$port" && sockctl local mnt/bound
[ "$(cat mnt/bound)" = there ] && echo 'from its own address'
touch mnt/held
sockctl bind mnt/held 10.77.1.1:5778
sockctl set mnt/held connect_timeout 4
within 5 sockctl connect mnt/held first-silent:"$port" && sockctl local mnt/held
touch mnt/again
sockctl bind mnt/again 10.77.1.1:5779
sockctl connect mnt/again all-refuse:"$port" 2>/dev/null
sockctl connect mnt/again no.such.host.300 2>/dev/null
sockctl local mnt/again
within 5 sockctl connect mnt/again 10.77.1.3:"$port" && sockctl local mnt/again

# ---- names --------------------------------------------------------------------------

waiting=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
	cat mnt/tcp/mute$i.test/80 2>/dev/null &
	waiting="$waiting $!"
done
for pid in $waiting; do until_true parked "$pid"; done
touch mnt/local
sockctl listen mnt/local localhost:0
within 2 sockctl connect mnt/late "$(sockctl local mnt/local)" && echo 'nobody waits for others'
(: <mnt/tcp/localhost/"$(sockctl local mnt/local | sed 's/.*://')") && echo 'localhost answers'
# shellcheck disable=SC2086  # a list
kill $waiting
# shellcheck disable=SC2086
within 2 wait $waiting 2>/dev/null
echo 'and a signal ends a look-up'
touch mnt/name
sockctl listen mnt/name mute.test:0 2>/dev/null &
until_true parked $!
kill $!
wait $! 2>/dev/null
sockctl local mnt/name

# Nobody at all, and a mistyped address: told apart from a host that cannot be reached.
echo 'nameserver 10.77.1.2' >resolv.conf
touch mnt/who
sockctl connect mnt/who no-server.test:80 2>&1
sed -n 's/^error //p' mnt/.ctl/who
sockctl bind mnt/who no-server.test:80 2>&1
sockctl connect mnt/who 300.1.1.1:80 2>&1
sed -n 's/^error //p' mnt/.ctl/who
ip route add unreachable 10.78.0.0/16
sockctl connect mnt/who 10.78.1.1:80 2>&1
sed -n 's/^error //p' mnt/.ctl/who
echo "threads: $(find "/proc/$daemon/task" -mindepth 1 -maxdepth 1 | wc -l)"
umount mnt
wait $daemon && echo ended
