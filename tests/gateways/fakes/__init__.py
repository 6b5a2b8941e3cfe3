"""Small stateful gateways on loopback, one a vendor."""
