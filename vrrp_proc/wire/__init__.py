"""Packets of virtual routers: the sockets, what leaves by them and what comes in."""
