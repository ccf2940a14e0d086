"""Whether what was changed has arrived where it is used."""
