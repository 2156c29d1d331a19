# osslive beside what users would pick instead: writes docs/evidence/performance.md.
# BENCH_ARGS=client, counts, python or local does a part of it.
.PHONY: bench
bench:
	python3 benches/run.py $(BENCH_ARGS)
