"""VPSs in a box: hosts, a builder engine and a registry, made of namespaces on one machine."""
