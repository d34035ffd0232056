# The front door: everything is done by CMake in build/. `make help` lists what there is.

BUILD ?= build
IMAGE ?= $(BUILD)/sw/kernel.elf
JOBS ?= $(shell nproc)
RUNFLAGS ?=
REGRESSFLAGS ?=
SECONDS ?= 60
PREFIX ?= /usr/local
MAKEFLAGS += --no-print-directory

MMU86 = $(BUILD)/mmu86

.PHONY: all help setup configure build program run test regress baseline expected lint format synth mutants mutants-short shrink-mutants \
        coverage fuzz-parsers fuzz-corpus pictures bench wave docs install installable deb clean

all: build

help:
	@echo 'make run      build, boot the default kernel in lockstep, write a waveform, print the verdict'
	@echo '              (IMAGE=file.elf boots another one, RUNFLAGS="..." adds options of mmu86 run)'
	@echo 'make test     all unit suites and whole-image tests, then the unit suites under ASan and UBSan'
	@echo 'make regress  all suites long, the short ones against the baseline (REGRESSFLAGS=--short: those alone)'
	@echo 'make baseline what the short suites give becomes the baseline: harness/regress/baseline.json'
	@echo 'make expected what the workloads print, written anew: sw/workload/*.expected'
	@echo 'make build    build only; setup installs missing Debian packages first'
	@echo 'make lint     formatting, Verilator lint of the RTL, agreement of the encodings'
	@echo 'make format   rewrite the sources as clang-format wants them'
	@echo 'make synth    synthesize the RTL with Yosys and print its cells'
	@echo 'make mutants  plant known bugs in the RTL, and 600 changes that Yosys makes: each is found, or proven to be none'
	@echo '              (mutants-short: each 20th of those changes; that is a test)'
	@echo 'make shrink-mutants  shrink what the harness finds of each, to a few transactions'
	@echo 'make coverage functional, RTL and model coverage against the goals; report in $(BUILD)/coverage'
	@echo 'make fuzz-parsers  fuzz all parsers of files, options and packets, SECONDS=60 each, and keep what breaks them'
	@echo 'make fuzz-corpus   what fuzzing begins with, anew and minimized: harness/fuzzers/corpus'
	@echo 'make pictures the documentation'"'"'s pictures anew: harness/docs/report.png, waveforms/pictures'
	@echo 'make bench    speed of each part, medians, also in $(BUILD)/bench.json'
	@echo 'make wave     open the waveform of the last run in GTKWave'
	@echo 'make install  install the program, libmmu86, manual pages and completion (PREFIX=/usr/local, DESTDIR=)'
	@echo 'make deb      a Debian package of the same, in $(BUILD)'
	@echo 'make docs     the API reference, by Doxygen: $(BUILD)/docs/html/index.html'
	@echo 'make clean    remove $(BUILD)'

setup:
	@harness/scripts/setup.sh

configure: setup
	@cmake -S . -B $(BUILD) >$(BUILD).log 2>&1 && rm -f $(BUILD).log || { cat $(BUILD).log; rm -f $(BUILD).log; exit 1; }

build: configure
	@cmake --build $(BUILD) -j $(JOBS)

# What run and bench need; build makes the tests as well.
program: configure
	@cmake --build $(BUILD) -j $(JOBS) --target mmu86 kernel loop

run: program
	@$(MMU86) run $(IMAGE) --wave $(BUILD)/mmu86.fst --json $(BUILD)/run.json $(RUNFLAGS)

test: build
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)
	@cmake -S . -B $(BUILD)/sanitize -DMMU86_SANITIZE=ON >/dev/null
	@cmake --build $(BUILD)/sanitize -j $(JOBS) --target unit
	@ctest --test-dir $(BUILD)/sanitize --output-on-failure -j $(JOBS) -L unit

regress: build
	@harness/scripts/regress.py $(BUILD) --jobs $(JOBS) $(REGRESSFLAGS)

baseline: build
	@harness/scripts/regress.py $(BUILD) --jobs $(JOBS) --short --accept

expected: configure
	@cmake --build $(BUILD) -j $(JOBS) --target expected

lint: configure
	@cmake --build $(BUILD) --target lint

format: setup
	@git ls-files '*.c' '*.h' '*.cpp' | xargs clang-format -i

synth: configure
	@cmake --build $(BUILD) --target synth

mutants mutants-short: configure
	@cmake --build $(BUILD) -j $(JOBS) --target $@

shrink-mutants: configure
	@cmake --build $(BUILD) -j $(JOBS) --target shrink-mutants

coverage: configure
	@cmake --build $(BUILD) -j $(JOBS) --target coverage

fuzz-parsers: setup
	@harness/fuzzers/fuzz.py $(BUILD)/fuzzers --seconds $(SECONDS) --jobs $(JOBS)

fuzz-corpus: program
	@cmake --build $(BUILD) -j $(JOBS) --target system_image
	@harness/fuzzers/fuzz.py $(BUILD)/fuzzers --corpus $(MMU86) $(BUILD)/model/cpu/system_image.elf

# From the build's directory, so that the command on it is short.
pictures: build
	@cd $(BUILD) && ./mmu86 run sw/kernel.elf --quiet --json pictures.json && ./mmu86 report pictures.json
	@harness/test/browser.py $(BUILD)/pictures.html harness/docs/report.png 1280 1680
	@waveforms/pictures.sh $(MMU86) $(BUILD)/sw/kernel.elf waveforms/pictures

bench: program
	@$(MMU86) bench $(IMAGE) --json $(BUILD)/bench.json

wave:
	@test -f $(BUILD)/mmu86.fst || { echo 'no waveform yet: make run writes $(BUILD)/mmu86.fst' >&2; exit 2; }
	@command -v gtkwave >/dev/null || { echo 'GTKWave is missing: apt-get install gtkwave' >&2; exit 2; }
	gtkwave $(BUILD)/mmu86.fst waveforms/lockstep.gtkw

docs: configure
	@cmake --build $(BUILD) --target docs

install: installable
	@DESTDIR="$(DESTDIR)" cmake --install $(BUILD) --prefix "$(PREFIX)"

installable: configure
	@cmake --build $(BUILD) -j $(JOBS) --target installable

deb: installable
	@cmake --build $(BUILD) --target deb

clean:
	@rm -rf $(BUILD)
