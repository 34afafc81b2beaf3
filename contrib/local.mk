# SPDX-License-Identifier: GPL-2.0-or-later
# What completes commands, starts mounts and finds the header.

# The folders come from --with-bashcompletiondir and so on.
if WITH_BASH_COMPLETION
bashcompletion_DATA = $(BASH_COMPLETIONS)
endif
if WITH_FISH_COMPLETION
fishcompletion_DATA = $(FISH_COMPLETIONS)
endif
if WITH_MOUNT_HELPER
mounthelper_SCRIPTS = contrib/mount/mount.sockfs
endif
if WITH_SYSTEMD
systemdsystemunit_DATA = contrib/systemd/sockfs@.service
endif
if WITH_ZSH_COMPLETION
zshcompletion_DATA = $(ZSH_COMPLETIONS)
endif

pkgconfigdir = $(libdir)/pkgconfig
nodist_pkgconfig_DATA = contrib/pkgconfig/sockfs.pc

BASH_COMPLETIONS = contrib/bash-completion/sockctl contrib/bash-completion/sockfs
FISH_COMPLETIONS = contrib/fish/sockctl.fish contrib/fish/sockfs.fish
ZSH_COMPLETIONS = contrib/zsh/_sockctl
EXTRA_DIST += contrib/gdb/touch.gdb
EXTRA_DIST += contrib/alpine/APKBUILD contrib/mount/mount.sockfs.in contrib/rpm/sockfs.spec
EXTRA_DIST += $(BASH_COMPLETIONS) $(FISH_COMPLETIONS) $(ZSH_COMPLETIONS) \
	contrib/systemd/sockfs@.service.in
CLEANFILES += contrib/mount/mount.sockfs contrib/systemd/sockfs@.service

# What knows where the program is.
SAY_BINDIR = sed 's|@bin''dir@|$(bindir)|'

contrib/mount/mount.sockfs: $(srcdir)/contrib/mount/mount.sockfs.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/mount && \
	  $(SAY_BINDIR) '$(srcdir)/contrib/mount/mount.sockfs.in' >$@.tmp && \
	  chmod +x $@.tmp && mv $@.tmp $@
contrib/systemd/sockfs@.service: $(srcdir)/contrib/systemd/sockfs@.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && \
	  $(SAY_BINDIR) '$(srcdir)/contrib/systemd/sockfs@.service.in' >$@.tmp && mv $@.tmp $@

# mount(8) looks for a helper by the type that it is given; both names are of one program.
install-data-hook:
if WITH_MOUNT_HELPER
	$(LN_S) -f mount.sockfs '$(DESTDIR)$(mounthelperdir)/mount.fuse.sockfs'
	for name in mount.sockfs mount.fuse.sockfs; do \
	  $(LN_S) -f sockfs.8 "$(DESTDIR)$(man8dir)/$$name.8" || exit; done
endif
uninstall-local:
if WITH_MOUNT_HELPER
	rm -f '$(DESTDIR)$(mounthelperdir)/mount.fuse.sockfs' \
	  '$(DESTDIR)$(man8dir)/mount.sockfs.8' '$(DESTDIR)$(man8dir)/mount.fuse.sockfs.8'
endif
