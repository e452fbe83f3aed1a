# beamlens-run. `make demo` shows it at work, `make test` runs every spec; both do all they need.

PREFIX  ?= /usr/local
CC      ?= cc
CFLAGS  ?= -O2 -g
BUILD   ?= build
PROGRAM ?= beamlens-run

PACKAGES = gcc libc6-dev make luajit libluajit-5.1-dev lua-luv-dev libuv1-dev lua-cjson-dev \
  libcurl4-openssl-dev libssl-dev libsqlite3-dev erlang-base erlang-dev
TEST_PACKAGES = erlang-nox elixir lua-busted lua-check cppcheck postgresql erlang-p1-pgsql redis-server openssl \
  openssh-client openssh-server busybox zsh fish groff-base man-db git curl patch
FUZZ_PACKAGES = clang libclang-rt-14-dev
BENCH_PACKAGES = rabbitmq-server erlang-luerl
REAL_PACKAGES = rabbitmq-server ejabberd

WARN = -std=gnu99 -Wall -Wextra -Werror -D_GNU_SOURCE
INC  = -isystem /usr/include/luajit-2.1 -isystem /usr/include/lua5.1 -Ihost
LIBS = -l:liblua5.1-luv.a -l:liblua5.1-cjson.a -l:libluajit-5.1.a -l:libuv_a.a -l:libei.a \
  -l:libsqlite3.a -lcurl -lcrypto -lpthread -ldl -lrt -lm

OBJECTS = $(patsubst host/%.c,$(BUILD)/%.o,$(filter-out host/main.c,$(wildcard host/*.c)))
LUA     = $(filter-out runtime/build/%,$(wildcard runtime/*.lua runtime/*/*.lua sandbox/*.lua sandbox/*/*.lua skills/*.lua skills/*/*.lua))
TEXTS   = $(wildcard prompts/*.md prompts/mechanisms/*.md prompts/knowledge/*.md examples/*.lua examples/runbooks/*.lua examples/skills/*.lua examples/tools/*.lua \
  examples/configs/*.lua examples/cassettes/*.cassette examples/*.yml examples/*.service examples/SKILL.md)

all: $(PROGRAM)

# Asks apt only when something is missing, and for root only then.
deps deps-test deps-bench deps-real deps-fuzz: WANTED = $(PACKAGES)
deps-test: WANTED += $(TEST_PACKAGES)
deps-bench: WANTED += $(TEST_PACKAGES) $(BENCH_PACKAGES)
deps-real: WANTED += $(REAL_PACKAGES)
deps-fuzz: WANTED += $(FUZZ_PACKAGES)
deps deps-test deps-bench deps-real deps-fuzz:
	@sh host/deps.sh $(WANTED)

$(BUILD)/%.o: host/%.c $(wildcard host/*.h) Makefile
	@mkdir -p $(BUILD)
	@echo "  cc $<"
	@$(CC) $(CFLAGS) $(WARN) $(INC) -c -o $@ $<

# The host of specs and build steps: runs any Lua file, or the specs it is given.
$(BUILD)/spec-host: host/main.c $(OBJECTS) $(BUILD)/spec_files.o $(BUILD)/nothing.S | $(BUILD)/jail_probe
	@echo "  ld $@"
	@$(CC) $(CFLAGS) $(WARN) $(INC) -DBL_MAIN='"spec/support/main.lua"' -Wl,-E -o $@ host/main.c \
	  $(filter-out $(BUILD)/files.o,$(OBJECTS)) $(BUILD)/spec_files.o $(BUILD)/nothing.S $(LIBS)

# What tries the jail from inside; never sanitized, for then the jail would be another.
$(BUILD)/jail_probe: spec/support/jail_probe.c host/jail.c $(wildcard host/*.h) Makefile
	@mkdir -p $(BUILD)
	@echo "  ld $@"
	@$(CC) -O2 -g $(WARN) $(INC) -o $@ spec/support/jail_probe.c host/jail.c -l:libluajit-5.1.a -ldl -lm

# A node whose wall clock is stepped, for a spec and the gallery.
$(BUILD)/stepped_clock.so: spec/support/stepped_clock.c Makefile
	@mkdir -p $(BUILD)
	@echo "  ld $@"
	@$(CC) -O2 $(WARN) -shared -fPIC -o $@ $< -ldl

$(BUILD)/spec_files.o: host/files.c $(wildcard host/*.h) Makefile
	@mkdir -p $(BUILD)
	@$(CC) $(CFLAGS) $(WARN) $(INC) -DBL_LOOK_ABOVE=1 -c -o $@ $<

$(BUILD)/nothing.S: host/embed.lua
	@mkdir -p $(BUILD)
	@luajit host/embed.lua > $@

# Every Erlang text we ship, parsed here so that no node has to (DESIGN: parsed at home).
$(BUILD)/queries.etf: $(BUILD)/spec-host $(LUA) runtime/build/collect_queries.lua runtime/build/parse_queries.escript
	@echo "  parse the queries"
	@$(BUILD)/spec-host runtime/build/collect_queries.lua > $(BUILD)/queries.txt
	@escript runtime/build/parse_queries.escript < $(BUILD)/queries.txt > $@.new
	@mv $@.new $@

$(BUILD)/embedded.S: host/embed.lua $(LUA) $(TEXTS) $(BUILD)/queries.etf
	@luajit host/embed.lua $(LUA) $(TEXTS) build/queries.etf=$(BUILD)/queries.etf > $@

$(PROGRAM): host/main.c $(OBJECTS) $(BUILD)/embedded.S
	@echo "  ld $@"
	@$(CC) $(CFLAGS) $(WARN) $(INC) -Wl,-E -o $@.new host/main.c $(OBJECTS) $(BUILD)/embedded.S $(LIBS)
	@mv $@.new $@

demo: deps all
	@sh examples/demo/run.sh

test: deps-test all $(BUILD)/spec-host $(BUILD)/stepped_clock.so
	@$(BUILD)/spec-host spec/run.lua

# Our providers against what nobody here wrote: a model server, the official SDKs' types, their signer.
test-wire: deps-test all $(BUILD)/spec-host
	@sh spec/wire/install.sh
	@$(BUILD)/spec-host spec/run.lua spec/wire/*_spec.lua

check: deps-test all
	luacheck -q runtime sandbox skills spec examples host
	cppcheck -q --std=c99 --enable=warning,performance,portability --inline-suppr \
	  --suppress=missingIncludeSystem --error-exitcode=1 -Ihost host

# The specs again, with the host under the address and undefined-behaviour sanitizers. Leaks are not
# looked for: the program ends without taking its Lua state apart. What they find ends it with a code that
# is none of ours; theirs is 1, which says "findings".
sanitize hostile: export ASAN_OPTIONS = detect_leaks=0:exitcode=99
sanitize hostile: export UBSAN_OPTIONS = exitcode=99
sanitize hostile: export BEAMLENS_PROGRAM = $(CURDIR)/build/sanitize/beamlens-run
SANITIZED = @$(MAKE) BUILD=build/sanitize PROGRAM=build/sanitize/beamlens-run \
  CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer" \
  build/sanitize/beamlens-run build/sanitize/spec-host
sanitize: deps-test $(BUILD)/stepped_clock.so
	$(SANITIZED)
	build/sanitize/spec-host spec/run.lua

# Ten minutes of workers, nodes and doors that want our end, against the host under the same sanitizers.
# HOSTILE_SEED repeats the attacks of a run that printed it.
HOSTILE_SECONDS ?= 600
hostile: deps-test
	$(SANITIZED)
	build/sanitize/spec-host spec/hostile/main.lua $(HOSTILE_SECONDS) $(HOSTILE_SEED)

# Ten minutes of hostile terms for the decoder, from the corpus and back into build/fuzz.
FUZZ_SECONDS ?= 600
fuzz: deps-fuzz $(BUILD)/etf_fuzz
	mkdir -p $(BUILD)/fuzz && cp -n spec/fuzz/corpus/* $(BUILD)/fuzz
	cd $(BUILD) && ./etf_fuzz -max_len=8192 -timeout=5 -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 fuzz

$(BUILD)/etf_fuzz: spec/fuzz/etf_fuzz.c $(wildcard host/etf_*.c) host/etf.h
	@mkdir -p $(BUILD)
	clang -g -O1 $(WARN) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined $(INC) \
	  spec/fuzz/etf_fuzz.c $(wildcard host/etf_*.c) -o $@ -l:liblua5.1-cjson.a -l:libluajit-5.1.a -l:libei.a \
	  -lpthread -ldl -lm

bench: deps-bench all $(BUILD)/spec-host
	@$(BUILD)/spec-host spec/bench/run.lua $(ROWS)

# Faults planted under names drawn by seed, investigated and scored by rules; what was run is kept and not run again.
# CASES: names with commas between, each perhaps with :sick or :twin, or how many to draw.
bench-diagnosis: export CASES := $(CASES)
bench-diagnosis: export SEED := $(SEED)
bench-diagnosis: export REPEAT := $(REPEAT)
bench-diagnosis: export PROVIDER := $(PROVIDER)
bench-diagnosis: export UNDER := $(UNDER)
bench-diagnosis: export LEAST := $(LEAST)
bench-diagnosis: export SHOW := $(SHOW)
bench-diagnosis: export PAGE := $(PAGE)
bench-diagnosis: deps-test $(BUILD)/spec-host $(BUILD)/stepped_clock.so
	@$(BUILD)/spec-host spec/diagnosis/main.lua

# A RabbitMQ and an ejabberd: every skill, with the time of each callback; then REPEAT times, by rules, idle, under load
# and with what goes wrong there.
real-nodes: export REPEAT := $(REPEAT)
real-nodes: deps-real $(BUILD)/spec-host
	@sh spec/real_nodes/run.sh

# The program says itself what its man page and the completions of the shells are.
SHARE = $(DESTDIR)$(PREFIX)/share
install: all
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/beamlens-run
	install -d $(SHARE)/man/man1 $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions \
	  $(SHARE)/fish/vendor_completions.d
	./$(PROGRAM) man > $(SHARE)/man/man1/beamlens-run.1
	./$(PROGRAM) completions bash > $(SHARE)/bash-completion/completions/beamlens-run
	./$(PROGRAM) completions zsh > $(SHARE)/zsh/site-functions/_beamlens-run
	./$(PROGRAM) completions fish > $(SHARE)/fish/vendor_completions.d/beamlens-run.fish

clean:
	rm -rf $(BUILD) $(PROGRAM)

.PHONY: all deps deps-test deps-bench deps-real deps-fuzz demo test test-wire check sanitize hostile fuzz bench bench-diagnosis real-nodes install clean
