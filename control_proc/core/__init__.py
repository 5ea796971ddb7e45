"""What the control process decides: who is asked, who is answered, what is silent. Pure."""
