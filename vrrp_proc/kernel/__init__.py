"""What virtual routers put into the kernel, and what they hear from it."""
