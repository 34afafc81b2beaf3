# SPDX-License-Identifier: GPL-2.0-or-later
# ---- tests that take longer -----------------------------------------------------

VALGRIND_RUN = $(VALGRIND) -q --error-exitcode=99 --leak-check=full \
	--errors-for-leak-kinds=definite --show-leak-kinds=definite --num-callers=30

# What makes system calls that valgrind does not know: test_priv forbids them, a helper of
# TLS needs pidfd_open(2).
VALGRIND_LEAVES = tests/unit/test_priv tests/wire/test_wire_conform

# Unit and wire programs under valgrind, one a processor, then groups with the daemon under it.
check-valgrind: $(check_PROGRAMS) $(SUITE_NEEDS)
	@$(VALGRIND) --version || { echo 'there is no valgrind' >&2; exit 1; }
	@export srcdir='$(srcdir)' CK_DEFAULT_TIMEOUT=60 CK_TIMEOUT_MULTIPLIER=10; \
	for program in $(UNIT_TESTS) $(WIRE_TESTS); do \
	  case ' $(VALGRIND_LEAVES) ' in *" $$program "*) ;; *) echo $$program ;; esac; \
	done | \
	xargs -n 1 -P `getconf _NPROCESSORS_ONLN` sh -c '$(VALGRIND_RUN) ./$$0 >$$0.valgrind 2>&1; \
	  status=$$?; echo "valgrind $$0"; cat $$0.valgrind; rm -f $$0.valgrind; \
	  case $$status in 0) ;; 77) echo "skipped $$0" ;; *) echo "FAILED: $$0"; exit 1 ;; esac'
	SOCKFS_WRAPPER='$(VALGRIND_RUN) --log-file=sanitizers.%p' \
	  $(RUN_SUITE) $(BUILT_PATH) -k valgrind $(TESTSUITEFLAGS)

# What moves a gibibyte each way; transfer.log in its folder says how long it took.
check-long: $(SUITE_NEEDS)
	TRANSFER=1g $(RUN_SUITE) $(BUILT_PATH) -k transfer -d $(TESTSUITEFLAGS)
	cat tests/testsuite.dir/*/transfer.log

# Who serves is killed, and nothing is lost: tests/kill.at with the counts of doc/RELIABILITY.md.
check-kill: $(SUITE_NEEDS)
	rm -f tests/kill.report
	kill_streams=10000 kill_tls=2000 kill_names=10000 kill_upgrades=1000 kill_step=1 \
	  kill_idle='100000 1000 50 100 100' kill_forget='60000 50' kill_report=`pwd`/tests/kill.report \
	  $(RUN_SUITE) $(BUILT_PATH) -k kill -j1 $(TESTSUITEFLAGS); \
	  status=$$?; cat tests/kill.report; exit $$status

# The suite over and over on a crowded machine, until something fails.
REPEAT_ROUNDS = 20
check-repeat: $(SUITE_NEEDS)
	@round=0; while test $$round -lt $(REPEAT_ROUNDS); do \
	  round=`expr $$round + 1`; echo "round $$round of $(REPEAT_ROUNDS)"; \
	  $(MAKE) $(AM_MAKEFLAGS) JOBS_PER_CPU=8 check-suite || exit 1; \
	done

# In a folder of its own, with what the scripts need.
IN_STRESS_DIR = rm -rf tests/stress.dir && mkdir tests/stress.dir && \
	srcdir=`cd $(srcdir) && pwd` && top_builddir=`pwd` && PATH=`pwd`:`pwd`/tests/lib:$$PATH && \
	sanitizers=$(enable_sanitizers) && export srcdir top_builddir PATH sanitizers && cd tests/stress.dir && $(SHELL) $$srcdir/tests

# The rows of doc/RELIABILITY.md: ten minutes, or a hundredth of each with STRESS_SCALE=0.01. Then
# stress-ng in a mount, where there is one: two minutes, or more with stress_seconds=10.
check-stress: $(SUITE_NEEDS) $(UNIT_TESTS) $(WIRE_TESTS)
	$(IN_STRESS_DIR)/stress/faults.sh
	$(IN_STRESS_DIR)/lib/stress.sh || test $$? -eq 77

# All at once, and every byte accounted for.
SOAK_SECONDS = 600
soak: $(SUITE_NEEDS)
	$(IN_STRESS_DIR)/stress/faults.sh soak $(SOAK_SECONDS)

check-suite: $(SUITE_NEEDS)
	$(RUN_SUITE) $(BUILT_PATH) $(TESTSUITEFLAGS)

# The Debian packages, on machines that have nothing: PACKAGE_RELEASES='12 13 testing'.
PACKAGE_RELEASES = 12 13
check-package:
	$(srcdir)/tests/fresh/package.sh $(PACKAGE_RELEASES)

# An RPM of the tarball; which packages are there is not asked, for the names of Debian's differ.
check-rpm: dist-gzip
	rm -rf tests/rpm.dir
	rpmbuild -ta --nodeps --define "_topdir $$PWD/tests/rpm.dir" $(distdir).tar.gz
	rpm -qp --requires --list tests/rpm.dir/RPMS/*/*.rpm

# What abuild does with the functions of its file, in a shell as that of Alpine, without abuild.
check-apk: dist-gzip
	rm -rf tests/apk.dir && mkdir -p tests/apk.dir/pkg
	cp $(srcdir)/contrib/alpine/APKBUILD tests/apk.dir && tar -C tests/apk.dir -xf $(distdir).tar.gz
	cd tests/apk.dir && pkgdir=$$PWD/pkg CBUILD=`$(CC) -dumpmachine` CHOST=`$(CC) -dumpmachine` \
	  busybox sh -euc '. ./APKBUILD; cd $$pkgname-$$pkgver; build; package'
	find tests/apk.dir/pkg ! -type d

# All tests in a build by --enable-coverage, then which lines of src/ they have run.
coverage:
	-$(MAKE) $(AM_MAKEFLAGS) -k check
	$(SHELL) $(srcdir)/tests/coverage.sh

# The lints alone; the sources as .clang-format has them.
lint:
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(LINTS)'

format: clang-format

.PHONY: check-apk check-long check-package check-repeat check-rpm check-stress \
	check-suite check-valgrind coverage format lint soak
