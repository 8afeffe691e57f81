"""How good a ranking is: cumulative rank curves, precision at a cutoff, and intervals by reference."""
