"""How soles wear: what a print will look like after some weeks, and what it looked like before."""
