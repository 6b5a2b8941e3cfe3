"""The demo: a working back office filled by the real operations with real traces at real list prices."""
