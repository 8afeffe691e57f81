"""How alike a probe and an item are: placements, the correlation over all of them, candidates, grouping."""
