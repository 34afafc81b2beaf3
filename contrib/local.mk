# SPDX-License-Identifier: GPL-2.0-or-later
# What completes commands, starts mounts and finds the header.

# The folders come from --with-bashcompletiondir and so on.
if WITH_BASH_COMPLETION
bashcompletion_DATA = $(BASH_COMPLETIONS)
endif
if WITH_FISH_COMPLETION
fishcompletion_DATA = $(FISH_COMPLETIONS)
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
EXTRA_DIST += $(BASH_COMPLETIONS) $(FISH_COMPLETIONS) $(ZSH_COMPLETIONS) \
	contrib/systemd/sockfs@.service.in
CLEANFILES += contrib/systemd/sockfs@.service

contrib/systemd/sockfs@.service: $(srcdir)/contrib/systemd/sockfs@.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && \
	  sed 's|@bin''dir@|$(bindir)|' '$(srcdir)/contrib/systemd/sockfs@.service.in' >$@.tmp && mv $@.tmp $@
