"""Galleries: immutable editions on disk, and the stores that find candidates in them."""
