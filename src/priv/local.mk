# SPDX-License-Identifier: GPL-2.0-or-later
# What the process that serves gives up, and the one that keeps the right to unmount.
libsockfs_a_SOURCES += \
	src/lib/confine.c \
	src/lib/confine.h \
	src/priv/calls.c \
	src/priv/priv.c \
	src/priv/priv.h \
	src/priv/unmounter.c \
	src/priv/unmounter.h
