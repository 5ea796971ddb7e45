"""Measurements that anybody can repeat. Each module is a program: `python -m bench.NAME`."""
