"""How moments are printed, a package a language; named in the settings."""
