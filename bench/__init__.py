"""Measures Leeward's chassis beside what people use today; see docs/benchmarks.md."""
