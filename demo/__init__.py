"""The demonstration: `make demo`. Two directors, two web servers and a client, in network namespaces."""
