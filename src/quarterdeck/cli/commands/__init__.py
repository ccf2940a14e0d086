"""One module for each noun of the command line. A module loads when its command runs."""
