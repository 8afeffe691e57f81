"""Loaders of published and of a user's own collections; they read and never download."""
