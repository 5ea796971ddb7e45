"""VRRP side by side with keepalived: what an advertisement costs, how punctual it is, what memory it takes."""
