"""Capabilities that are one file each: what it is called and who may, its types, its work. A new file here is all.

A file has ``CAPABILITY``, ``Args`` and ``Result`` (dataclasses; ``Args`` where it takes something, ``Result`` where it
is a read), and ``run`` or ``steps`` as ``agent.capabilities.index.Capability`` says. Every call reads all of these
files, so they import the standard library and the model at the top, and the rest where it is used.
"""
