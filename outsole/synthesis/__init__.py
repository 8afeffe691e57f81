"""Made outsoles, prints and galleries: deterministic data for tests, demonstrations and training."""
