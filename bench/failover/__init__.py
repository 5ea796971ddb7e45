"""What a client of a virtual address sees of each fault: pyhad and keepalived in the same run (`make bench-failover`)."""
