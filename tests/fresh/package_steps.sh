#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# package_steps.sh build|install|boot: what package.sh does inside its systems, as root.
# Packages lie in /root/packages (the first version) and /root/packages/new.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
packages=/root/packages
# manual_commands, which is to look into the page that is installed.
# shellcheck disable=SC2034
abs_top_srcdir=$packages
# shellcheck source=tests/lib/manual.sh
. $packages/manual.sh
steps=$packages/package_steps.sh

say()
{
	printf '==== %s\n' "$*"
}

die()
{
	printf 'package: %s\n' "$*" >&2
	exit 1
}

# same WHAT HAVE WANTED
same()
{
	[ "$2" = "$3" ] || die "$1: '$2', not '$3'"
}

# await CONDITION: for at most twenty seconds.
await()
{
	for pause in 0 0.1 0.2 0.5 1 2 4 4 8; do
		sleep $pause
		if eval "$1" >/dev/null 2>&1; then return 0; fi
	done
	die "waited in vain until: $1"
}

# unmount DIR: as soon as who had something open there has gone.
unmount()
{
	await "umount $1"
}

apt()
{
	apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
}

# ---- a machine to build on ---------------------------------------------------------

build()
{
	say 'what the build needs'
	apt update
	apt install build-essential devscripts fakeroot lintian >/dev/null
	cd /root/sockfs
	apt build-dep ./ >/dev/null
	say 'dpkg-buildpackage'
	dpkg-buildpackage -us -uc -b
	say 'lintian'
	lintian --allow-root --fail-on error,warning --tag-display-limit 0 ../sockfs_*.changes
	mkdir -p $packages/new
	mv ../*.deb $packages/
	say 'a program with the header of libsockfs-dev'
	dpkg -i $packages/libsockfs-dev_*.deb
	# shellcheck disable=SC2046  # a list of flags
	cc $(pkg-config --cflags sockfs) -Wall -Werror -o /dev/null examples/ioctl.c
	say 'the next version, of the same programs'
	version=$(dpkg-parsechangelog -S Version)
	DEBEMAIL=test@sockfs.example dch -b -v "$version+new" -D unstable 'The next one.'
	dpkg-buildpackage -us -uc -b -nc
	mv ../*.deb $packages/new/
	rm -f $packages/*dbgsym* $packages/new/*dbgsym*
}

# ---- a machine to install on -------------------------------------------------------

# All that is there, but for this test, and what kernel, dpkg, apt and systemd keep for
# themselves.
files()
{
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /root \
		-o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache -o -path /var/log \
		-o -path /var/lib/systemd -o -name package-test.service -o -name .updated -o -path /etc/ld.so.cache \) -prune -o -print | sort
}

# echo_server DIR: a listener of that mount that answers each caller; prints its port.
echo_server()
{
	touch "$1/srv"
	echo 'listen 127.0.0.1:0' >"$1/.ctl/srv"
	# Not cat: some versions refuse to read the file that they write.
	# shellcheck disable=SC2094  # the file is a connection
	(cd "$1" && while read -r c; do (rm "$c" && exec sed -u '') <"$c" >"$c" & done <srv) >/dev/null &
	echo_pid=$!
	port=$(sed -n 's/^local .*://p' "$1/.ctl/srv")
}

# talk DIR: a line there and back, on a path that dials and by sockctl.
talk()
{
	line=
	exec 3<>"$1/tcp/127.0.0.1/$port"
	echo hello >&3
	read -r line <&3
	exec 3>&-
	same "what came back in $1" "$line" hello
	touch "$1/web"
	sockctl connect "$1/web" "127.0.0.1:$port"
	same "the state of a client in $1" "$(sed -n 's/^state //p' "$1/.ctl/web")" connected
	rm "$1/web"
}

# try_mount DIR: serves and is served.
try_mount()
{
	echo_server "$1"
	talk "$1"
	kill $echo_pid
	wait $echo_pid || :
	rm "$1/srv"
}

# In the daemon's environment, or the system's authorities would have to sign it.
try_tls()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost -keyout /tmp/key.pem -out /tmp/cert.pem 2>/dev/null
	openssl s_server -accept 127.0.0.1:0 -cert /tmp/cert.pem -key /tmp/key.pem -www >/tmp/accept.pem &
	server=$!
	await 'grep -q ^ACCEPT /tmp/accept.pem'
	SSL_CERT_FILE=/tmp/cert.pem sockfs /mnt/net
	exec 3<>"/mnt/net/tls/localhost/$(sed -n 's/^ACCEPT.*://p' /tmp/accept.pem)"
	printf 'GET / HTTP/1.0\r\n\r\n' >&3
	same 'the answer by TLS' "$(sed 1q <&3 | tr -d '\r')" 'HTTP/1.0 200 ok'
	exec 3>&-
	kill $server
	unmount /mnt/net
	rm /tmp/*.pem
}

# By mount(8): both types, and the table.
try_mount8()
{
	for type in sockfs fuse.sockfs; do
		mount -t $type -o allow_other net /mnt/net
		same "findmnt after mount -t $type" "$(findmnt -nr -o SOURCE,FSTYPE /mnt/net)" 'net fuse.sockfs'
		try_mount /mnt/net
		unmount /mnt/net
	done
	cp /etc/fstab /root/fstab
	echo 'net /mnt/net sockfs allow_other,_netdev,nofail 0 0' >>/etc/fstab
	mount -a
	mount -a
	same 'mounts after mount -a, twice' "$(findmnt -n -t fuse.sockfs -o TARGET)" /mnt/net
	unmount /mnt/net
	cp /root/fstab /etc/fstab
}

install()
{
	say 'what the packages depend on, and what the tests use'
	apt update
	apt satisfy "$(dpkg-deb -f $packages/sockfs_*.deb Depends)" >/dev/null
	apt install autofs netbase openssl procps systemd systemd-sysv >/dev/null
	# Later systemd is the first process, and an ordinary user mounts.
	systemctl set-default multi-user.target
	useradd --create-home --shell /bin/sh user
	mkdir -p /mnt/net /mnt/auto
	files >/root/before
	say 'install'
	apt install $packages/*.deb
	say 'smoke'
	sockfs /mnt/net
	try_mount /mnt/net
	unmount /mnt/net
	try_tls
	# shellcheck disable=SC2016  # the user's shell expands it
	su - user -c 'mkdir ~/net && sockfs ~/net && touch ~/net/f && fusermount3 -u ~/net && rmdir ~/net'
	same 'sockfs run, as user' "$(su - user -c 'sockfs run -- ls /net' | paste -s -d ' ')" 'tcp tls udp unix'
	for page in man1/sockctl.1 man5/sockfs.policy.5 man7/sockfs.7 man8/sockfs.8 man8/mount.sockfs.8; do
		zcat "/usr/share/man/$page.gz" | grep -q '^\.Sh NAME' || die "no manual page $page"
	done
	mkdir $packages/doc
	zcat /usr/share/man/man8/sockfs.8.gz >$packages/doc/sockfs.8
	say 'mount(8)'
	try_mount8
}

# ---- the same machine, booted --------------------------------------------------------

# What is mounted at boot: each way of the examples of sockfs(8).
before_boot()
{
	mkdir -p /mnt/fstab /mnt/unit /mnt/automount
	mkdir ~user/net && chown user: ~user/net
	cp /etc/fstab /root/fstab
	manual_commands sockfs.8 4 | sed 's|/mnt/net |/mnt/fstab |; s|/mnt/net2|/mnt/automount|; s|/ann/|/user/|' \
		>>/etc/fstab
	manual_commands sockfs.8 6 | sed 's/mnt-net/mnt-service/; s/=-o /=-o fsname=served,/; s/ --now//; /stop/d' |
		sh -e
	manual_commands sockfs.8 7 | sed 's|/mnt/net|/mnt/unit|' >/etc/systemd/system/mnt-unit.mount
	cat >/etc/systemd/system/package-test.service <<EOF
[Unit]
After=remote-fs.target autofs.service sockfs@mnt-service.service mnt-unit.mount mnt-automount.automount
[Service]
Type=oneshot
Environment=HOME=/root
WorkingDirectory=/root
ExecStart=/bin/sh $steps booted
StandardOutput=file:/root/boot.log
StandardError=inherit
KillMode=process
ExecStopPost=/bin/sh -c 'echo \$SERVICE_RESULT >/root/boot.result; systemctl --no-block exit'
EOF
	systemctl enable mnt-unit.mount autofs
	systemctl add-wants multi-user.target package-test.service
}

# source_of DIR: what is mounted there.
source_of()
{
	findmnt -n -t fuse.sockfs -o SOURCE "$1" || echo nothing
}

# Whoever reads the log of a failure was not there.
tell_failure()
{
	[ $? -ne 0 ] || return 0
	systemctl --no-pager --failed || :
	journalctl -b --no-pager -u 'sockfs@*' -u 'mnt-*' -t sockfs || :
}

booted()
{
	trap tell_failure 0
	say 'what is mounted'
	findmnt -t fuse.sockfs,autofs || :
	same 'by the unit sockfs@.service' "$(source_of /mnt/service)" served
	same 'by a .mount unit' "$(source_of /mnt/unit)" net
	same 'by fstab' "$(source_of /mnt/fstab)" net
	ls /mnt/automount
	same 'by x-systemd.automount' "$(source_of /mnt/automount)" net
	manual_commands sockfs.8 8 | sh -e
	await 'ls /mnt/auto/net'
	same 'by automount(8)' "$(source_of /mnt/auto/net)" net
	for dir in /mnt/service /mnt/unit /mnt/fstab /mnt/automount /mnt/auto/net; do
		try_mount $dir
	done
	su - user -c 'mount ~/net && touch ~/net/f && umount ~/net'
	systemctl stop mnt-unit.mount
	same 'the stopped .mount unit' "$(source_of /mnt/unit)" nothing
	systemctl stop mnt-automount.automount autofs

	say 'upgrade under a mount, with a connection that goes on'
	echo_server /mnt/service
	exec 3<>"/mnt/service/tcp/127.0.0.1/$port"
	echo before >&3
	read -r line <&3
	main=$(systemctl show -P MainPID sockfs@mnt-service)
	apt install $packages/new/*.deb
	same 'the version' "$(dpkg-query -W -f '${Version}' sockfs)" "$(dpkg-deb -f $packages/new/sockfs_*.deb Version)"
	same 'who serves' "$(systemctl show -P MainPID sockfs@mnt-service)" "$main"
	echo after >&3
	read -r line <&3
	same 'what came back after the upgrade' "$line" after
	exec 3>&-
	talk /mnt/service
	kill $echo_pid
	wait $echo_pid || :

	say 'purge: what the unit mounted ends, and nothing is left'
	unmount /mnt/fstab
	cp /root/fstab /etc/fstab
	apt purge sockfs libsockfs-dev
	same 'mounts left' "$(findmnt -n -t fuse.sockfs)" ''
	same 'processes left' "$(grep -l '^sockfs' /proc/[0-9]*/comm 2>/dev/null || :)" ''
	systemctl disable mnt-unit.mount
	rm -r /etc/systemd/system/mnt-unit.mount /etc/auto.sockfs /etc/default/sockfs@mnt-service \
		/mnt/fstab /mnt/unit /mnt/automount /mnt/service ~user/net
	files >/root/after
	diff /root/before /root/after
}

"$@"
