"""The parts of `benchmarks.video`: encoders, made scenes, tracks, the whole pipeline."""
