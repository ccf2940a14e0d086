"""Cryptography of the wire, byte for byte as documented; knows no database."""
