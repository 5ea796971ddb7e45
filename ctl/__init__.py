"""`pyhadctl`: asks the running daemon and says what it heard, to a person or to a program. Changes nothing itself."""
