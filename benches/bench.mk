# Compares osslive with the alternatives, and writes docs/evidence/performance.md.
# BENCH_ARGS=client, counts, python or local runs a part.
.PHONY: bench
bench:
	python3 benches/run.py $(BENCH_ARGS)
