"""What a client of a virtual address sees of each fault: pyhad and keepalived in one run (`make bench-failover`)."""
