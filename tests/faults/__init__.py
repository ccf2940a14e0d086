"""The power cord: processes of ours ended by SIGKILL before and after every effect."""
