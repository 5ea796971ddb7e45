"""pyhad: VRRP, health checking and IPVS for Linux directors.

Holds the version and nothing else. The rooms (`parent`, `vrrp_proc`, ...) live at the top level of the
repository and are reachable as `pyhad.<room>` through the links in this folder.
"""

__version__ = "0.1.0"
