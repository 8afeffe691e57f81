"""Decoding, masks and the canvas: from untouched bytes to what an encoder sees."""
