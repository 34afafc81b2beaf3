# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# Machines that have nothing yet: minimal Debian systems, each with processes, mounts and
# devices of its own, as a container has them. run.sh and package.sh read this file.
#
# The systems and their packages come from the mirror that this machine's apt uses, or
# from FRESH_MIRROR, and stay in FRESH_CACHE (/var/cache/sockfs-fresh). The logs are
# there too; FRESH_LOGS is another folder for them. Root only.

cache=${FRESH_CACHE:-/var/cache/sockfs-fresh}
logs=${FRESH_LOGS:-$cache/logs}

die()
{
	printf 'fresh: %s\n' "$*" >&2
	exit 1
}

# ---- inside: a process of its own with new namespaces, the first in its pid namespace ----

# The devices that a container has, and /dev/fuse as udev leaves it.
make_devices()
{
	mount -t tmpfs -o mode=755 dev "$1"
	mknod -m 666 "$1/null" c 1 3
	mknod -m 666 "$1/zero" c 1 5
	mknod -m 666 "$1/full" c 1 7
	mknod -m 666 "$1/random" c 1 8
	mknod -m 666 "$1/urandom" c 1 9
	mknod -m 666 "$1/tty" c 5 0
	mknod -m 666 "$1/fuse" c 10 229
	ln -s /proc/self/fd "$1/fd"
	ln -s fd/0 "$1/stdin"
	ln -s fd/1 "$1/stdout"
	ln -s fd/2 "$1/stderr"
	mkdir "$1/pts" "$1/shm"
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$1/pts"
	ln -s pts/ptmx "$1/ptmx"
	mount -t tmpfs -o mode=1777 shm "$1/shm"
}

# forget_mounts: those that somebody has just now are here as copies, and would outlive
# their umount.
forget_mounts()
{
	awk '/ - fuse\.sockfs / { print $5 }' /proc/self/mountinfo | while read -r copy; do
		# One whose folder has been removed meanwhile is gone.
		umount -i -l "$(printf '%b' "$copy")" 2>/dev/null || :
	done
}

# furnish ROOT PACKAGES: what a container's maker mounts, and the folder of packages.
furnish()
{
	forget_mounts
	mount --bind "$1" "$1"
	mount -t proc proc "$1/proc"
	mount --rbind /sys "$1/sys"
	make_devices "$1/dev"
	mount --bind "$2" "$1/var/cache/apt/archives"
	# fusermount3 wants it, so each maker of containers puts it there.
	[ -e "$1/etc/mtab" ] || ln -s /proc/mounts "$1/etc/mtab"
	hostname fresh
}

# enter ROOT: makes it this process's root. Not by chroot, in which there are no user
# namespaces: sockfs run needs one.
enter()
{
	cd "$1" || return
	pivot_root . mnt
	cd /
	umount -l /mnt
}

# run_as USER COMMAND [ARG...]: with a clean environment, in the home of USER.
run_as()
{
	user=$1 home=/root
	shift
	[ "$user" = root ] || home=/home/$user
	# Not exec: this shell is process 1 of the namespace and reaps what loses its parent.
	# shellcheck disable=SC2016  # the inner shell expands it
	chroot --userspec="$user" / env --default-signal -i HOME="$home" USER="$user" LOGNAME="$user" TERM=dumb \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		sh -c 'cd "$HOME" && exec "$@"' sh "$@"
}

# ---- outside ---------------------------------------------------------------------

# isolated [OPTION...] COMMAND [ARG...]: runs it in namespaces of its own.
isolated()
{
	unshare --mount --pid --uts --ipc --fork --kill-child "$@" </dev/null 9>&-
}

# Where this machine's apt has Debian from.
mirror()
{
	[ -z "${FRESH_MIRROR-}" ] || { printf '%s\n' "$FRESH_MIRROR" && return; }
	# shellcheck disable=SC2016  # apt expands it
	apt-get indextargets --format '$(ORIGIN)/$(LABEL)/$(COMPONENT) $(REPO_URI)' \
		'Created-By: Packages' | sed -n 's|^Debian/Debian/main ||p' | sed 1q
}

codename()
{
	case $1 in
	12) echo bookworm ;;
	13) echo trixie ;;
	testing) echo testing ;;
	*) return 1 ;;
	esac
}

# make_system RELEASE: $cache/RELEASE.tar, which is made anew when it is a week old.
make_system()
{
	[ -z "$(find "$cache/$1.tar" -mtime -7 2>/dev/null)" ] || return 0
	from=$(mirror)
	[ -n "$from" ] || die 'apt knows no mirror of Debian: set FRESH_MIRROR'
	debootstrap --variant=minbase --include=sudo "$(codename "$1")" "$work/new" "$from" \
		>"$logs/$1.debootstrap.log" 2>&1 || {
		tail -n 5 "$logs/$1.debootstrap.log" >&2
		return 1
	}
	# As images come: without packages, and without lists of them.
	rm -rf "$work/new/var/cache/apt"/*.bin "$work/new/var/cache/apt/archives"/*.deb \
		"$work/new/var/lib/apt/lists"/*
	tar -C "$work/new" -cf "$cache/$1.tar.new" .
	mv "$cache/$1.tar.new" "$cache/$1.tar"
	rm -rf "$work/new"
}

# unpack RELEASE [USER]: $work/root, where USER is one who may use sudo.
unpack()
{
	rm -rf "$work/root"
	mkdir "$work/root"
	tar -C "$work/root" -xpf "$cache/$1.tar"
	cat /etc/resolv.conf >"$work/root/etc/resolv.conf"
	printf '127.0.0.1 localhost fresh\n::1 localhost\n' >"$work/root/etc/hosts"
	# A mirror, and a system in the cache, may be some weeks old.
	echo 'Acquire::Check-Valid-Until "false";' >"$work/root/etc/apt/apt.conf.d/old"
	proxy=
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	[ -z "$proxy" ] || printf 'Acquire::http::Proxy "%s";\n' "$proxy" \
		>"$work/root/etc/apt/apt.conf.d/proxy"
	mkdir -p "$cache/packages.$1"
	[ "${2:-root}" != root ] || return 0
	chroot "$work/root" useradd --create-home --shell /bin/sh "$2"
	echo "$2 ALL=(ALL) NOPASSWD: ALL" >"$work/root/etc/sudoers.d/$2"
}

# put_source USER: the tree in the home of USER in $work/root.
put_source()
{
	home=$work/root/root
	[ "$1" = root ] || home=$work/root/home/$1
	mkdir "$home/sockfs"
	tar -C "$home/sockfs" -xf "$work/tree.tar"
	[ "$1" = root ] || chroot "$work/root" chown -R "$1:" "/home/$1/sockfs"
}

# begin TOP: the folders, and $work/tree.tar: the last commit of the checkout TOP with what
# has been changed since in the files that git knows.
begin()
{
	[ "$(id -u)" -eq 0 ] || die 'only root can make systems: use sudo'
	for tool in debootstrap unshare git; do
		command -v $tool >/dev/null ||
			die "there is no $tool; './bootstrap deps ci' installs what is needed"
	done
	mkdir -p "$cache" "$logs"
	# One at a time: apt locks the folders of packages and does not wait for them.
	exec 9>"$cache/lock"
	flock -n 9 || { echo 'fresh: waiting for another run' >&2 && flock 9; }
	work=$(mktemp -d "$cache/work.XXXXXX")
	trap 'rm -rf "$work"' 0
	trap 'exit 130' INT
	trap 'exit 143' HUP TERM
	tree=$(git -C "$1" stash create) || :
	git -C "$1" archive -o "$work/tree.tar" "${tree:-HEAD}"
}
