"""How moments are printed in English."""
