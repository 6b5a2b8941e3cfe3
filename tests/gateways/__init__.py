"""Tests of the gateways: real adapters over HTTP, against small gateways held to the vendors' specifications."""
