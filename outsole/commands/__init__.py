"""The commands of ``outsole``, one module a topic. They stand on top of everything; only programs import them."""
