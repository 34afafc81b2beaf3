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
