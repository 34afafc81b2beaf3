# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# $group_dir and start_server are those of functions.sh.
# shellcheck disable=SC2154
# Servers that only one or two groups need. atlocal reads this file too.

# start_smtpd: OpenSMTPD on 127.0.0.1, which delivers to the local user nobody;
# sets port. Its folders have fixed paths, so it gets a /var/spool and a /run of its
# own; that needs root.
start_smtpd()
{
	cat >smtpd.template <<'END'
listen on 127.0.0.1 port PORT
action keep maildir "/var/spool/mail" user nobody
match from any for any action keep
END
	# shellcheck disable=SC2016  # $port is another shell's, see start_server
	start_server smtpd 'is_listening $port' unshare -m sh -c '
		sed "s/P[O]RT/PORT/" smtpd.template >smtpd.conf &&
		mount -t tmpfs tmpfs /var/spool && mount -t tmpfs tmpfs /run &&
		mkdir -m 711 /var/spool/smtpd && mkdir -m 1777 /var/spool/mail &&
		exec smtpd -d -f smtpd.conf'
}

# Prints the mails that it has delivered.
smtpd_mails()
{
	find "/proc/$(cat smtpd.pid)/root/var/spool/mail/new" -type f -exec cat {} + 2>/dev/null
}

# start_aiosmtpd CERTIFICATE KEY: a mail server that takes no mail without STARTTLS, and puts it
# into the folder mails; sets port. (OpenSMTPD 6.8 and OpenSSL 3 do not agree on keys.)
start_aiosmtpd()
{
	# shellcheck disable=SC2016  # as above
	start_server aiosmtpd 'is_listening $port' aiosmtpd -n -l 127.0.0.1:PORT \
		--tlscert "$1" --tlskey "$2" -c aiosmtpd.handlers.Mailbox mails
}

# start_ngircd: an IRC server named irc.test on 127.0.0.1; sets port.
start_ngircd()
{
	cat >ngircd.template <<'END'
[Global]
Name = irc.test
Info = a test
Listen = 127.0.0.1
Ports = PORT
MotdPhrase = hello
ServerUID = nobody
ServerGID = nogroup
[Options]
DNS = no
Ident = no
PAM = no
END
	# shellcheck disable=SC2016  # as above
	start_server ngircd 'is_listening $port' sh -c '
		sed "s/P[O]RT/PORT/" ngircd.template >ngircd.conf &&
		exec ngircd -n -f "$PWD/ngircd.conf"'
}

# start_git: serves the repository `repo', with one file, by git's own protocol; sets port.
start_git()
{
	git init -q repo &&
		echo text >repo/file &&
		git -C repo add file &&
		git -C repo -c user.name=me -c user.email=me@here.test commit -qm one || return 1
	# shellcheck disable=SC2016  # evaluated later
	start_server git 'is_listening $port' git daemon --reuseaddr --export-all \
		--listen=127.0.0.1 --port=PORT "--base-path=$group_dir"
}

# start_sntp: an NTP server on 127.0.0.1; sets port.
start_sntp()
{
	# shellcheck disable=SC2016  # evaluated later
	start_server sntp 'is_bound $port' toybox sntp -S -p PORT 127.0.0.1
}

# start_rsyslog [FORWARD]: takes messages by UDP on 127.0.0.1, writes their level, program
# and text to the file syslog, and sends them to the port FORWARD; sets port.
start_rsyslog()
{
	cat >rsyslog.template <<END
global(workDirectory="$group_dir")
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="PORT")
template(name="short" type="string" string="%pri-text% %programname%:%msg%\n")
action(type="omfile" file="$group_dir/syslog" template="short")
END
	test -z "${1-}" ||
		echo "action(type=\"omfwd\" target=\"127.0.0.1\" port=\"$1\" protocol=\"udp\")" >>rsyslog.template
	# shellcheck disable=SC2016  # another shell's
	start_server rsyslog 'is_bound $port' sh -c '
		sed "s/P[O]RT/PORT/" rsyslog.template >rsyslog.conf &&
		exec rsyslogd -n -f "$PWD/rsyslog.conf" -i "$PWD/rsyslogd.pid"'
}

# start_collectd: takes the metrics of statsd by UDP on 127.0.0.1 and writes their values,
# each second, to files below csv; sets port.
start_collectd()
{
	cat >collectd.template <<END
BaseDir "$group_dir"
PIDFile "$group_dir/collectd-is.pid"
Interval 1
Hostname "here"
FQDNLookup false
LoadPlugin statsd
LoadPlugin csv
<Plugin statsd>
	Host "127.0.0.1"
	Port "PORT"
</Plugin>
<Plugin csv>
	DataDir "$group_dir/csv"
</Plugin>
END
	# shellcheck disable=SC2016  # another shell's
	start_server collectd 'is_bound $port' sh -c '
		sed "s/P[O]RT/PORT/" collectd.template >collectd.conf &&
		exec collectd -f -C collectd.conf'
}

# start_network NAME: a network of its own for the process NAME, and a wire to the one
# that was started before it, if there is one. Root only.
start_network()
{
	local pid last
	last=$(cat networks 2>/dev/null) || last=
	background "$1" unshare -n sleep "$group_seconds"
	pid=$(cat "$1.pid")
	wait_until "pgrep -x sleep | grep -qx $pid" || return 1
	echo "$1" >networks
	in_network "$1" ip link set lo up || return 1
	test -n "$last" || return 0
	in_network "$1" ip link add wire type veth peer name wire netns "$(cat "$last.pid")"
}

# in_network NAME COMMAND...
in_network()
{
	local pid
	pid=$(cat "$1.pid")
	shift
	nsenter -n -t "$pid" "$@"
}
