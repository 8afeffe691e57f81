"""The indexer: stages that turn a source of images into an edition of a gallery."""
