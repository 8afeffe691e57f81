"""Indexing of video: files become tracks in the edition of an archive."""
